/**
 * `core.tag@1`: the public moment. Each tag is compared with what the probe saw just before it moves, and read again just
 * after: OCI has no compare-and-set (https://github.com/opencontainers/distribution-spec), so a mover inside that round trip
 * is not prevented, but it is noticed.
 */
import { fail, ok, type Failure, type Result } from '../../failure.ts';
import { formatReference, pin, type Digest, type Tagged } from '../../reference.ts';
import type { Image, Probed, StepContext, TagOutput } from '../engine.ts';
import { isImmutable } from './immutable.ts';
import { shortDigest } from '../wording.ts';
import { backUp } from './backup.ts';

export interface TagInput {
  readonly probed: Probed;
  readonly image: Image;
}

export async function tagStep(step: StepContext, { probed, image }: TagInput): Promise<Result<TagOutput>> {
  const { engine, entry } = step;
  const newlyPublished = probed.before[formatReference(entry.targets[0].destination)] !== image.digest;
  const moved: Record<string, boolean> = {};
  const backups: Record<string, string> = {};
  // The entry's own tag moves last: killed in between, the next run still sees that the others are behind.
  for (const { destination, templated } of entry.targets.toReversed()) {
    const text = formatReference(destination);
    if (isImmutable(entry) && (probed.before[text] ?? null) !== null) {
      moved[text] = false;
      continue;
    }
    if (templated && !newlyPublished && destination !== entry.targets[0].destination) {
      moved[text] = false;
      continue;
    }
    const seen = probed.before[text] ?? null;
    const kept = await backUp(step, destination, image.digest, seen);
    if (!kept.ok) return kept;
    if (kept.value !== undefined) backups[text] = kept.value;
    const result = await moveTag(engine.registry, destination, image.digest, seen, () =>
      engine.emit({
        t: engine.now().getTime(),
        type: 'tag.move',
        entry: entry.id,
        tag: text,
        from: seen,
        to: image.digest,
      }),
    );
    if (!result.ok) return result;
    moved[text] = result.value;
    if (!result.value) continue;
    step.tagged(text, kept.value);
    step.log(`${text} → ${image.digest}`);
  }
  return ok({ digest: image.digest, moved, backups });
}

/**
 * True when the tag has moved since it was `seen`, false when it named `digest` already. A try whose answer was lost has moved
 * it all the same. `moving` is called just before it is moved.
 */
export async function moveTag(
  registry: StepContext['engine']['registry'],
  destination: Tagged,
  digest: Digest,
  seen: Digest | null,
  moving: () => void = () => {},
): Promise<Result<boolean>> {
  const now = await registry.head(destination, 'destination');
  if (!now.ok) return now;
  const names = now.value?.digest ?? null;
  if (names === digest) return ok(seen !== digest);
  if (names !== seen) return fail(movedByOther(destination, seen, names));
  moving();
  const put = await registry.tag(pin(destination, digest), destination.tag);
  if (!put.ok) return put;
  const after = await registry.head(destination, 'destination');
  if (!after.ok) return after;
  const stands = after.value?.digest ?? null;
  if (stands === digest) return ok(true);
  return fail(stands === seen ? notMoved(destination, seen) : movedByOther(destination, digest, stands));
}

function notMoved(destination: Tagged, seen: Digest | null): Failure {
  const still = seen === null ? 'it names nothing' : `it still names ${shortDigest(seen)}`;
  return {
    reason: 'registry',
    class: 'transient',
    side: 'destination',
    host: destination.registry,
    message: `${destination.registry} says that ${formatReference(destination)} was moved, but ${still}`,
    hint: 'some registries show a new tag only after a moment; the next run continues here',
  };
}

function movedByOther(destination: Tagged, seen: Digest | null, now: Digest | null): Failure {
  const say = (digest: Digest | null): string => (digest === null ? 'nothing' : shortDigest(digest));
  return {
    reason: 'trust',
    class: 'permanent',
    message: `somebody else moved ${formatReference(destination)} in the meantime: it named ${say(seen)} and names ${say(now)} now`,
    hint: 'find out who else publishes this tag; the next run compares again from there',
  };
}
