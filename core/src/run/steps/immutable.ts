/** `immutable`: a tag that is at the destination is not asked about at the source, and never moves. */
import type { Entry } from '../../config/model.ts';
import { formatReference, type Digest } from '../../reference.ts';

export function isImmutable(entry: Entry): boolean {
  return entry.kind === 'sync' && entry.immutable === true;
}

/** What the entry's own tag names, which is what it stays at; `undefined` when there is no such tag yet, or it may move. */
export function keptDigest(entry: Entry, before: Readonly<Record<string, Digest | null>>): Digest | undefined {
  if (!isImmutable(entry)) return undefined;
  return before[formatReference(entry.targets[0].destination)] ?? undefined;
}
