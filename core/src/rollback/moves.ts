/** Which tags a run moved or deleted, or an image's attestation says were moved, and where they were before. Pure. */
import type { Event } from '../journal/events.ts';
import { parseLocation } from '../location.ts';
import { parseDigest, type Digest, type Tagged } from '../reference.ts';
import type { Fact } from '../trust/facts.ts';

/** One tag to be put back. */
export interface Move {
  readonly destination: Tagged;
  /** What it was moved to, or `null` for a tag that was deleted; anything else there now is somebody else's. */
  readonly from: Digest | null;
  readonly to: Digest;
}

/**
 * Of each tag that the run moved from one digest to another, or deleted, or was about to when it was killed, the last first. New tags
 * have nothing to go back to. Journals of earlier versions tell only what was moved when all of an entry had succeeded.
 */
export function movesOfRun(events: readonly Event[]): readonly Move[] {
  const moves = new Map<string, Move>();
  const add = (tag: string, from: string | null, to: string | null, deleted = false): void => {
    const move = moves.has(tag) ? undefined : moveOf(tag, to, from, deleted);
    if (move !== undefined) moves.set(tag, move);
  };
  for (const event of events) {
    if (event.type === 'tag.move') add(event.tag, event.from, event.to);
    if (event.type === 'tag.delete') add(event.tag, event.digest, null, true);
    if (event.type !== 'entry.done') continue;
    for (const { outcome, destination, before, digest } of event.rows) {
      if (outcome === 'published') add(destination, before, digest);
    }
  }
  return [...moves.values()].toReversed();
}

/**
 * Where `target` (`registry/repository:tag`) was before `digest`, by the newest statement of ours about that image that names
 * the tag. Undefined: none does, or there was no such tag before.
 */
export function moveByFacts(target: string, digest: Digest, facts: readonly Fact[]): Move | undefined {
  const told = facts.flatMap(({ content, time = '' }) => {
    const previous =
      content.kind === 'copy'
        ? content.copy.previous
        : content.kind === 'provenance'
          ? content.provenance.previous
          : undefined;
    const before = previous?.[target] ?? undefined;
    return before === undefined || before === digest ? [] : [{ before, time: Date.parse(time) }];
  });
  const [newest] = told.toSorted((a, b) => b.time - a.time);
  return newest && moveOf(target, digest, newest.before);
}

function moveOf(target: string, from: string | null, to: string | null, deleted = false): Move | undefined {
  const destination = parseLocation(target);
  const [now, before] = [deleted ? null : parseDigest(from ?? ''), parseDigest(to ?? '')];
  if (!destination.ok || destination.value.kind !== 'tagged' || now === undefined || before === undefined)
    return undefined;
  return now === before ? undefined : { destination: destination.value, from: now, to: before };
}
