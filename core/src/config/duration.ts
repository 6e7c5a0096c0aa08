/** Durations as `30s`, `10m`, `2h`, `7d`. */

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The pattern for JSON Schema. */
export const DURATION = '^[1-9][0-9]{0,5}[smhd]$';

/** Milliseconds; `undefined` when it is no duration. */
export function parseDuration(text: string): number | undefined {
  if (!new RegExp(DURATION).test(text)) return undefined;
  return Number(text.slice(0, -1)) * (UNITS[text.slice(-1)] ?? 0);
}
