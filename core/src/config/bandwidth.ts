/** Rates as `20MB/s`. */

const UNITS: Readonly<Record<string, number>> = { kB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** The pattern for JSON Schema. */
export const BANDWIDTH = '^[1-9][0-9]{0,5}(?:kB|MB|GB|KiB|MiB|GiB)/s$';

/** Bytes a second; `undefined` when it is no rate. */
export function parseBandwidth(text: string): number | undefined {
  if (!new RegExp(BANDWIDTH).test(text)) return undefined;
  const [, count, unit = ''] = /^(\d+)([A-Za-z]+)/.exec(text) ?? [];
  return Number(count) * (UNITS[unit] ?? 0);
}
