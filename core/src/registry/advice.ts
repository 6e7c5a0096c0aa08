/** How long to wait, from the text of an error: some registries say it there and nowhere else. */

/** Milliseconds of Go's units: https://pkg.go.dev/time#ParseDuration */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
/** The most milliseconds that are taken seriously: a date further away could not even be formatted. */
const LONGEST = 10 * 365 * 24 * 3_600_000;
const NUMBER = String.raw`\d{1,9}(?:\.\d{1,9})?(?:ns|us|µs|μs|ms|s|m|h)`;

/** `retry-after: 880.092µs, allowed: 44000/minute` → milliseconds, rounded up. */
export function adviceIn(text: string): number | undefined {
  const said = new RegExp(`retry[- ]after:?\\s*((?:${NUMBER}){1,4})(?!\\w)`, 'i').exec(text)?.[1];
  if (said === undefined) return undefined;
  let milliseconds = 0;
  for (const [, count, unit] of said.matchAll(/([\d.]+)([a-zµμ]+)/g))
    milliseconds += Number(count) * (UNITS[unit ?? ''] ?? 0);
  return atMost(Math.ceil(milliseconds));
}

export function atMost(milliseconds: number): number {
  return Math.min(milliseconds, LONGEST);
}
