/** `immutable`: a tag that is at the destination is not asked about at the source, and never moves. */
import type { Entry } from '../../config/model.ts';
import type { Digest } from '../../reference.ts';
import { ownDigest, type Before } from '../targets.ts';

export function isImmutable(entry: Entry): boolean {
  return entry.kind === 'sync' && entry.immutable === true;
}

/** What the entry's own tag names, which is what it stays at; `undefined` when there is no such tag yet, or it may move. */
export function keptDigest(entry: Entry, before: Before): Digest | undefined {
  return isImmutable(entry) ? (ownDigest(entry, before) ?? undefined) : undefined;
}
