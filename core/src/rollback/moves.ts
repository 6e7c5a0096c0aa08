/** Which tags a run moved or deleted, or an image's attestation says were moved, and where they were before. Pure. */
import type { Event } from '../journal/events.ts';
import { parseLocation } from '../location.ts';
import { parseDigest, type Digest, type Tagged } from '../reference.ts';
import type { Fact } from '../trust/facts.ts';

/** One tag to be put back. */
export interface Move {
  readonly destination: Tagged;
  /** What it was moved to, or `null` where it was deleted. If it names anything else now, that is somebody else's doing. */
  readonly from: Digest | null;
  readonly to: Digest;
}

/**
 * One move for each tag that the run moved from one digest to another, or deleted, or was about to when it was killed; the last
 * first. New tags have nothing to go back to. Journals of earlier versions have no `tag.move`, only rows of entries that succeeded.
 */
export function movesOfRun(events: readonly Event[]): readonly Move[] {
  const moves = new Map<string, Move>();
  const add = (tag: string, now: string | null, before: string | null): void => {
    const move = moves.has(tag) ? undefined : moveOf(tag, now, before);
    if (move !== undefined) moves.set(tag, move);
  };
  for (const event of events) {
    if (event.type === 'tag.move') add(event.tag, event.to, event.from);
    if (event.type === 'tag.delete') add(event.tag, null, event.digest);
    if (event.type !== 'entry.done') continue;
    for (const { outcome, destination, before, digest } of event.rows) {
      if (outcome === 'published' && digest !== null) add(destination, digest, before);
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

/** Undefined: there is nothing to go back to, or the journal holds what is no digest. */
function moveOf(target: string, now: string | null, before: string | null): Move | undefined {
  const destination = parseLocation(target);
  const [from, to] = [now === null ? null : parseDigest(now), parseDigest(before ?? '')];
  if (!destination.ok || destination.value.kind !== 'tagged' || from === undefined || to === undefined)
    return undefined;
  return from === to ? undefined : { destination: destination.value, from, to };
}
