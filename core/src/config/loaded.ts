/** What reading a file of the user's gives: the value, or everything that is wrong with it at once. */
import type { ConfigFailure, Position } from '../failure.ts';

export type Loaded<T> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly failures: readonly ConfigFailure[] };

/** More than a reader mends in one go; the rest is counted. */
const MAX_SHOWN = 50;

export function loaded<T>(value: T, warnings: readonly string[] = []): Loaded<T> {
  return { ok: true, value, warnings };
}

/** Failures in the order of the file, the first {@link MAX_SHOWN} of them and a count of the others. */
export function failed(failures: readonly ConfigFailure[]): {
  readonly ok: false;
  readonly failures: readonly ConfigFailure[];
} {
  const sorted = failures.toSorted((a, b) => comparePositions(a.at, b.at));
  const next = sorted[MAX_SHOWN];
  if (next === undefined) return { ok: false, failures: sorted };
  const rest = sorted.length - MAX_SHOWN;
  const more: ConfigFailure = {
    ...next,
    message: `there are ${rest} more problems, the next one here: ${next.message}`,
    hint: 'mend those above first and run it again',
  };
  return { ok: false, failures: [...sorted.slice(0, MAX_SHOWN), more] };
}

function comparePositions(a: Position | undefined, b: Position | undefined): number {
  if (a === undefined || b === undefined) return (a === undefined ? 0 : 1) - (b === undefined ? 0 : 1);
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
