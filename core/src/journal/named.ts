/**
 * Which image each tag names, as far as journals know. An image that was refused or failed is not public, even if it lies in the registry.
 * Pure.
 */
import type { Failure } from '../failure.ts';
import { locationScheme } from '../location.ts';
import { archiveScheme } from '../reference.ts';
import type { Event, Row } from './events.ts';

/** Whether a row's tag names its image at the end. */
export function isPublic({ outcome }: { readonly outcome: string }): boolean {
  return outcome === 'published' || outcome === 'unchanged';
}

/**
 * What a tag names at the end of its row. `null`: nothing, or nobody got to ask. `undefined`: it was about to move, and nobody saw
 * whether it did; no older journal knows either. `moves`: of the run.
 */
export function namedBy(
  row: Pick<Row, 'destination' | 'outcome' | 'digest' | 'before' | 'failure'>,
  moves: ReadonlySet<string>,
): string | null | undefined {
  const { destination, digest, before } = row;
  if (isPublic(row)) return digest;
  const seen = standingOf(row);
  if (seen !== undefined) return seen.digest;
  // An archive is written at the end of a run, or stays as it was.
  return moves.has(destination) && locationScheme(destination) !== archiveScheme ? undefined : before;
}

/** What the tag was seen to name by whoever could not move it; no older journal knows better. */
export function standingOf({ destination, failure }: Pick<Row, 'destination' | 'failure'>): Failure['standing'] {
  return failure?.standing?.tag === destination ? failure.standing : undefined;
}

/** Tags that were moved, or about to be. */
export function movesIn(events: readonly Event[]): ReadonlySet<string> {
  return new Set(events.flatMap((event) => (event.type === 'tag.move' ? [event.tag] : [])));
}

export interface Naming {
  readonly destination: string;
  /** Of the entry; of a tag that was deleted, the tag. */
  readonly id: string;
  /** `null`: there is no such tag. `undefined`: it was about to move, and nobody saw whether it did; no older journal knows either. */
  readonly digest: string | null | undefined;
}

/** All that a run says of what tags name, the last word first. Of a tag that it may have deleted it says nothing. */
export function namings(events: readonly Event[]): readonly Naming[] {
  const moves = movesIn(events);
  return events.toReversed().flatMap((event): readonly Naming[] => {
    if (event.type === 'tag.done')
      return event.state === 'deleted' ? [{ destination: event.tag, id: event.tag, digest: null }] : [];
    // Its entry's end, which comes after it, says where it is, if that was reached.
    if (event.type === 'tag.move') return [{ destination: event.tag, id: event.entry, digest: undefined }];
    if (event.type !== 'entry.done') return [];
    return event.rows.flatMap((row) => {
      const digest = namedBy(row, moves);
      const isSaid = digest !== null || standingOf(row) !== undefined;
      return isSaid ? [{ destination: row.destination, id: row.id, digest }] : [];
    });
  });
}
