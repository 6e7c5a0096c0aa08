/**
 * `core.tag@1`: the public moment. Each tag is compared with what the probe saw just before it moves, and read again just
 * after: OCI has no compare-and-set (https://github.com/opencontainers/distribution-spec), so a mover inside that round trip
 * is not prevented, but it is noticed.
 */
import { fail, ok, type Failure, type Result } from '../../failure.ts';
import { placeName } from '../../location.ts';
import { formatReference, pin, type Digest, type Tagged } from '../../reference.ts';
import type { Engine, Image, Probed, StepContext, TagOutput } from '../engine.ts';
import { lastingTargets, ownDigest } from '../targets.ts';
import { isImmutable } from './immutable.ts';
import { formatDigest } from '../../report/wording.ts';
import { backUp } from './backup.ts';

export interface TagInput {
  readonly probed: Probed;
  readonly image: Image;
}

export async function tagStep(step: StepContext, { probed, image }: TagInput): Promise<Result<TagOutput>> {
  const { engine, entry } = step;
  const newlyPublished = ownDigest(entry, probed.before) !== image.digest;
  // The entry's own tag moves last: killed in between, the next run still sees that the others are behind.
  for (const { destination } of (newlyPublished ? entry.targets : lastingTargets(entry)).toReversed()) {
    const text = formatReference(destination);
    const seen = probed.before[text] ?? null;
    if (isImmutable(entry) && seen !== null) continue;
    const kept = await backUp(step, destination, image.digest, seen);
    if (!kept.ok) return kept;
    const result = await moveTag(engine, entry.id, destination, image.digest, seen);
    if (!result.ok) return result;
    if (!result.value) continue;
    step.tagged(text, kept.value);
    step.log(`${text} → ${image.digest}`);
  }
  return ok({ digest: image.digest });
}

/**
 * True when the tag has moved since it was `seen`, false when it named `digest` already. A try whose answer was lost has moved
 * it all the same. `entry` is whose tag it is, in the journal, which is told just before it moves: where that takes no more, as on
 * a full disk, nobody could put the tag back, and it stays.
 */
export async function moveTag(
  { registry, emit, unrecorded }: Pick<Engine, 'registry' | 'emit' | 'unrecorded'>,
  entry: string,
  destination: Tagged,
  digest: Digest,
  seen: Digest | null,
): Promise<Result<boolean>> {
  const now = await registry.head(destination, 'destination');
  if (!now.ok) return now;
  const names = now.value?.digest ?? null;
  if (names === digest) return ok(seen !== digest);
  if (names !== seen) return fail(movedByOther(destination, seen, names));
  emit({ type: 'tag.move', entry, tag: formatReference(destination), from: seen, to: digest });
  const lost = unrecorded();
  if (lost !== undefined) return fail(notRecorded(destination, seen, lost));
  const put = await registry.tag(pin(destination, digest), destination.tag);
  if (!put.ok && put.failure.class === 'cancelled') return put;
  const after = await registry.head(destination, 'destination');
  // Even where the registry refused: the answer to an earlier request may have been lost, and a registry may let a tag move only once.
  if (after.ok && after.value?.digest === digest) return ok(true);
  if (!after.ok) return put.ok ? after : put;
  const stands = after.value?.digest ?? null;
  if (!put.ok) return fail({ ...put.failure, standing: { tag: formatReference(destination), digest: stands } });
  return fail(stands === seen ? notMoved(destination, seen) : movedByOther(destination, digest, stands));
}

function notRecorded(destination: Tagged, seen: Digest | null, lost: Failure): Failure {
  const tag = formatReference(destination);
  const message = `${tag} was not moved, for that could not be recorded: ${lost.message}`;
  return { ...lost, message, standing: { tag, digest: seen } };
}

function notMoved(destination: Tagged, seen: Digest | null): Failure {
  const still = seen === null ? 'it names nothing' : `it still names ${formatDigest(seen)}`;
  return {
    reason: 'registry',
    class: 'transient',
    side: 'destination',
    host: placeName(destination),
    message: `${placeName(destination)} says that ${formatReference(destination)} was moved, but ${still}`,
    hint: 'some registries show a new tag only after a moment; the next run continues here',
  };
}

/** `seen`: what it was last known to name. */
export function movedByOther(destination: Tagged, seen: Digest | null, now: Digest | null): Failure {
  const say = (digest: Digest | null): string => (digest === null ? 'nothing' : formatDigest(digest));
  return {
    reason: 'trust',
    class: 'permanent',
    message: `somebody else moved ${formatReference(destination)} in the meantime: it named ${say(seen)} and names ${say(now)} now`,
    hint: 'find out who else publishes this tag; the next run compares again from there',
    standing: { tag: formatReference(destination), digest: now },
  };
}
