/** Deletes one tag, and makes sure that nothing else went with it. */
import PQueue from 'p-queue';
import { fail, ok, type Failure, type Result } from '../failure.ts';
import { formatReference, pin, type Digest, type Tag, type Tagged } from '../reference.ts';
import type { Registry } from '../registry/model.ts';
import { formatDigest } from '../report/wording.ts';

/** Tags that are looked at at once. */
const AT_ONCE = 8;

export interface Doomed {
  readonly target: Tagged;
  /** What it named when it was judged. */
  readonly digest: Digest;
  /** The tags of its repository that are to stay. */
  readonly staying: readonly Tag[];
}

/** `unsafe`: the registry takes more with a tag than the tag. */
export type Deleted =
  | { readonly ok: true }
  | { readonly ok: false; readonly failure: Failure; readonly unsafe: boolean };

export async function deleteTag(registry: Registry, { target, digest, staying }: Doomed): Promise<Deleted> {
  const failed = (failure: Failure, unsafe = false): Deleted => ({ ok: false, failure, unsafe });
  // Some registries delete the image with the tag, whatever else names it: then it is put back.
  const sharer = await tagOn(registry, target, digest, staying);
  if (!sharer.ok) return failed(sharer.failure);
  const content =
    sharer.value === undefined ? ok(undefined) : await registry.manifest(pin(target, digest), 'destination');
  if (!content.ok) return failed(content.failure);
  const now = await registry.head(target, 'destination');
  if (!now.ok) return failed(now.failure);
  if (now.value?.digest !== digest) return failed(moved(target, digest, now.value?.digest));
  const deleted = await registry.deleteTag(target);
  if (!deleted.ok) return failed(deleted.failure);
  const after = await registry.head(target, 'destination');
  if (!after.ok) return failed(after.failure);
  if (after.value !== undefined) return failed(stillThere(target));
  if (sharer.value === undefined || content.value === undefined) return { ok: true };
  const other = await registry.head(sharer.value, 'destination');
  if (!other.ok) return failed(other.failure);
  if (other.value?.digest === digest) return { ok: true };
  const back = await registry.tag(pin(target, digest), sharer.value.tag, content.value);
  return failed(back.ok ? tookMore(target, sharer.value) : back.failure, true);
}

/** A tag among those that stay which names the same digest. */
async function tagOn(
  registry: Registry,
  target: Tagged,
  digest: Digest,
  staying: readonly Tag[],
): Promise<Result<Tagged | undefined>> {
  const queue = new PQueue({ concurrency: AT_ONCE });
  const heads = await Promise.all(
    staying.map((tag) => queue.add(async () => [tag, await registry.head({ ...target, tag }, 'destination')] as const)),
  );
  for (const [tag, head] of heads) {
    if (!head.ok) return fail(head.failure);
    if (head.value?.digest === digest) return ok({ ...target, tag });
  }
  return ok(undefined);
}

function moved(target: Tagged, seen: Digest, now: Digest | undefined): Failure {
  const names = now === undefined ? 'nothing' : formatDigest(now);
  return {
    reason: 'trust',
    class: 'permanent',
    message: `${formatReference(target)} named ${formatDigest(seen)} and names ${names} now; it was not deleted`,
    hint: 'find out who else publishes this tag',
  };
}

function stillThere(target: Tagged): Failure {
  return {
    reason: 'registry',
    class: 'transient',
    side: 'destination',
    host: target.registry,
    message: `${target.registry} says that it deleted ${formatReference(target)}, and still has it`,
    hint: 'some registries show it only after a moment; look again',
  };
}

function tookMore(target: Tagged, other: Tagged): Failure {
  return {
    reason: 'registry',
    class: 'permanent',
    side: 'destination',
    host: target.registry,
    message: `${target.registry} deleted with ${formatReference(target)} the image that ${formatReference(other)} names too; that tag was put back, and nothing more is deleted there`,
    hint: 'run slipway run, which puts back what else was attached, and delete tags by other means there',
  };
}
