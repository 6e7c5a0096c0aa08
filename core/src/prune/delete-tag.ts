/** Deletes one tag, and makes sure that nothing else went with it. */
import PQueue from 'p-queue';
import { ok, type Failure, type Result } from '../failure.ts';
import type { ManifestContent } from '../oci/model.ts';
import {
  formatReference,
  pin,
  type Digest,
  type Pinned,
  type Repository,
  type Tag,
  type Tagged,
} from '../reference.ts';
import type { Registry } from '../registry/model.ts';
import { registryFailure } from '../registry/refusal.ts';
import { formatDigest } from '../report/wording.ts';
import { trustFailure } from '../trust/strict.ts';

/** Requests in flight. */
const AT_ONCE = 8;

export interface Doomed {
  readonly target: Tagged;
  /** What it named when it was judged. */
  readonly digest: Digest;
  /** Tags of its repository that are to stay and named the same a moment ago. */
  readonly sharers: readonly Tagged[];
}

/**
 * After a failure, `tag` says what is known of the tag. `kept`: it was not deleted. `unseen`: nobody could see whether it is gone.
 * `gone`: it is, and the registry took more with it, or may have, so that nothing else may be deleted there.
 */
export type Deleted =
  | { readonly ok: true }
  | { readonly ok: false; readonly failure: Failure; readonly tag: 'kept' | 'unseen' | 'gone' };

/** `announce` is called just before the registry is asked to delete; if it fails, the registry is not asked. */
export async function deleteTag(
  registry: Registry,
  { target, digest, sharers }: Doomed,
  announce: () => Failure | undefined,
): Promise<Deleted> {
  const kept = (failure: Failure): Deleted => ({ ok: false, failure, tag: 'kept' });
  const gone = (failure: Failure): Deleted => ({ ok: false, failure, tag: 'gone' });
  // Some registries delete the image with the tag, even if other tags name it. It is read now, to be put back then.
  const shared = await firstNaming(registry, sharers, digest);
  if (!shared.ok) return kept(shared.failure);
  const sharer = shared.value;
  const content = sharer === undefined ? ok(undefined) : await registry.manifest(pin(target, digest), 'destination');
  if (!content.ok) return kept(content.failure);
  const now = await registry.head(target, 'destination');
  if (!now.ok) return kept(now.failure);
  if (now.value?.digest !== digest) return kept(moved(target, digest, now.value?.digest));
  const unrecorded = announce();
  if (unrecorded !== undefined) return kept(unrecorded);
  const deleted = await registry.deleteTag(target);
  // Looked at even after a failure: the tag may be gone, and only the answer lost.
  const after = await registry.head(target, 'destination');
  if (!after.ok) {
    return { ok: false, failure: mayBeGone(target, deleted.ok ? after.failure : deleted.failure), tag: 'unseen' };
  }
  if (after.value !== undefined) return kept(deleted.ok ? stillThere(target) : deleted.failure);
  if (sharer === undefined || content.value === undefined) return { ok: true };
  const other = await registry.head(sharer, 'destination');
  if (!other.ok) return gone(other.failure);
  if (other.value?.digest === digest) return { ok: true };
  const put = await putBack(registry, pin(target, digest), content.value, sharers);
  if (put.failure !== undefined) return gone(put.failure);
  return put.back.length === 0 ? { ok: true } : gone(tookMore(target, put.back));
}

/** Puts back each of `tags` that is gone; a tag that somebody has moved meanwhile stays as it is. */
async function putBack(
  registry: Registry,
  image: Pinned,
  content: ManifestContent,
  tags: readonly Tagged[],
): Promise<{ readonly back: readonly Tagged[]; readonly failure?: Failure }> {
  const back: Tagged[] = [];
  let failure: Failure | undefined;
  for (const tag of tags) {
    const now = await registry.head(tag, 'destination');
    if (now.ok && now.value !== undefined) continue;
    const put = now.ok ? await registry.tag(image, tag.tag, content) : now;
    if (put.ok) back.push(tag);
    else failure ??= put.failure;
  }
  return { back, ...(failure === undefined ? {} : { failure }) };
}

async function firstNaming(
  registry: Registry,
  tags: readonly Tagged[],
  digest: Digest,
): Promise<Result<Tagged | undefined>> {
  for (const tag of tags) {
    const head = await registry.head(tag, 'destination');
    if (!head.ok) return head;
    if (head.value?.digest === digest) return ok(tag);
  }
  return ok(undefined);
}

/** Each digest that any of these tags names, with all that name it. */
export async function tagsByDigest(
  registry: Registry,
  repository: Repository,
  tags: readonly Tag[],
): Promise<Result<ReadonlyMap<Digest, readonly Tagged[]>>> {
  const queue = new PQueue({ concurrency: AT_ONCE });
  const { registry: host, path } = repository;
  const targets = tags.map((tag): Tagged => ({ kind: 'tagged', registry: host, path, tag }));
  const heads = await Promise.all(
    targets.map((target) => queue.add(async () => [target, await registry.head(target, 'destination')] as const)),
  );
  const found = new Map<Digest, Tagged[]>();
  for (const [target, head] of heads) {
    if (!head.ok) return head;
    if (head.value === undefined) continue;
    const named = found.get(head.value.digest) ?? [];
    found.set(head.value.digest, named);
    named.push(target);
  }
  return ok(found);
}

function moved(target: Tagged, seen: Digest, now: Digest | undefined): Failure {
  const names = now === undefined ? 'nothing' : formatDigest(now);
  const message = `${formatReference(target)} named ${formatDigest(seen)} and names ${names} now; it was not deleted`;
  return trustFailure(message, 'find out who else publishes this tag');
}

function mayBeGone(target: Tagged, failure: Failure): Failure {
  const hint = 'look at it with slipway show; slipway rollback of this run puts it back';
  return { ...failure, message: `${formatReference(target)} may be gone: ${failure.message}`, hint };
}

function stillThere(target: Tagged): Failure {
  const message = `${target.registry} says that it deleted ${formatReference(target)}, and still has it`;
  const hint = 'some registries show it only after a moment; look again';
  return registryFailure({ side: 'destination', registry: target.registry }, 'transient', message, { hint });
}

function tookMore(target: Tagged, back: readonly Tagged[]): Failure {
  const tags = back.map(formatReference).join(', ');
  const [name, was] = back.length === 1 ? ['names', 'that tag was'] : ['name', 'those tags were'];
  const message = `${target.registry} deleted with ${formatReference(target)} the image that ${tags} ${name} too; ${was} put back, and nothing more is deleted there`;
  const hint = 'run slipway run, which puts back what else was attached, and delete tags by other means there';
  return registryFailure({ side: 'destination', registry: target.registry }, 'permanent', message, { hint });
}
