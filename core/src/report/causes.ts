/** What went wrong, once for each cause: one registry that refuses everybody fails many images. Pure. */
import type { Failure } from '../failure.ts';
import { headline } from './failure.ts';

/** The part of a row that a cause is told by. */
export interface Broken {
  readonly id: string;
  readonly destination: string;
  readonly why: string;
  readonly failure?: Failure;
}

export interface Cause<T extends Broken> {
  /** In the order of their end. */
  readonly images: readonly [T, ...T[]];
}

/** What came first, first. `ended`: where it is known, the time of each. */
export function causesOf<T extends Broken & { readonly ended?: number }>(bad: readonly T[]): readonly Cause<T>[] {
  const causes = new Map<string, [T, ...T[]]>();
  /** Entry → cause: its targets failed together, however each of them is called. */
  const entries = new Map<string, string>();
  for (const one of bad.toSorted((a, b) => (a.ended ?? 0) - (b.ended ?? 0))) {
    const cause = entries.get(one.id) ?? causeOf(one);
    entries.set(one.id, cause);
    const known = causes.get(cause);
    if (known === undefined) causes.set(cause, [one]);
    else known.push(one);
  }
  return [...causes.values()].map((images) => ({ images }));
}

/** The same text: the same cause. What an image is called tells no two causes apart. */
export function causeOf({ id, destination, why, failure }: Broken): string {
  if (failure === undefined) return why;
  // A registry that answers so to one question answers so to all; what is not there is one image's own.
  if (failure.reason === 'registry' && failure.status !== undefined && failure.status !== 404)
    return [failure.side, failure.host, failure.status, failure.code].join('\n');
  if (failure.reason === 'policy') return failure.refusals.join('\n');
  return [headline(failure), failure.hint].join('\n').replaceAll(id, '').replaceAll(destination, '');
}

/** Whose side it was, for several at once. */
export function sideOf(failure: Failure): string {
  switch (failure.reason) {
    case 'registry':
      return `at the ${failure.side} registry ${failure.host}`;
    case 'tool':
    case 'missing-tool':
      return `by ${failure.tool}`;
    case 'plugin':
      return `by the plugin ${failure.plugin}`;
    case 'policy':
      return 'by the policy';
    case 'trust':
      return 'for what could not be trusted';
    case 'need':
      return 'for what they need';
    case 'config':
      return 'by the config';
    case 'wait':
    case 'cancelled':
      return 'for the time';
  }
}
