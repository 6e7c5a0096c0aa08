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
import { formatDigest } from '../report/wording.ts';

/** Tags that are looked at at once. */
const AT_ONCE = 8;

export interface Doomed {
  readonly target: Tagged;
  /** What it named when it was judged. */
  readonly digest: Digest;
  /** Tags of its repository that are to stay and named the same a moment ago. */
  readonly sharers: readonly Tagged[];
}

/** `unsafe`: the tag is gone, and the registry takes more with it. `unseen`: nobody saw whether it is gone. */
export type Deleted =
  | { readonly ok: true }
  | { readonly ok: false; readonly failure: Failure; readonly unsafe: boolean; readonly unseen?: true };

/** `announce` is called just before the registry is asked; where it fails, that is not. */
export async function deleteTag(
  registry: Registry,
  { target, digest, sharers }: Doomed,
  announce: () => Failure | undefined,
): Promise<Deleted> {
  const failed = (failure: Failure, unsafe = false): Deleted => ({ ok: false, failure, unsafe });
  // Some registries delete the image with the tag, whatever else names it: then it is put back.
  const shared = await firstNaming(registry, sharers, digest);
  if (!shared.ok) return failed(shared.failure);
  const sharer = shared.value;
  const content = sharer === undefined ? ok(undefined) : await registry.manifest(pin(target, digest), 'destination');
  if (!content.ok) return failed(content.failure);
  const now = await registry.head(target, 'destination');
  if (!now.ok) return failed(now.failure);
  if (now.value?.digest !== digest) return failed(moved(target, digest, now.value?.digest));
  const unrecorded = announce();
  if (unrecorded !== undefined) return failed(unrecorded);
  const deleted = await registry.deleteTag(target);
  // Also where it says no: an answer was lost. Who is interrupted sees nothing any more.
  const after = await registry.head(target, 'destination');
  if (!after.ok) {
    const failure = mayBeGone(target, deleted.ok ? after.failure : deleted.failure);
    return { ok: false, failure, unsafe: false, unseen: true };
  }
  if (after.value !== undefined) return failed(deleted.ok ? stillThere(target) : deleted.failure);
  if (sharer === undefined || content.value === undefined) return { ok: true };
  const other = await registry.head(sharer, 'destination');
  // What it took is not known.
  if (!other.ok) return failed(other.failure, true);
  if (other.value?.digest === digest) return { ok: true };
  const put = await putBack(registry, pin(target, digest), content.value, sharers);
  if (put.failure !== undefined) return failed(put.failure, true);
  return put.back.length === 0 ? { ok: true } : failed(tookMore(target, put.back), true);
}

/** Every tag of `tags` that is gone; one that somebody has moved meanwhile stays. */
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

/** What these tags name: for each digest those that do. */
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
  return {
    reason: 'trust',
    class: 'permanent',
    message: `${formatReference(target)} named ${formatDigest(seen)} and names ${names} now; it was not deleted`,
    hint: 'find out who else publishes this tag',
  };
}

function mayBeGone(target: Tagged, failure: Failure): Failure {
  const hint = 'look at it with slipway show; slipway rollback of this run puts it back';
  return { ...failure, message: `${formatReference(target)} may be gone: ${failure.message}`, hint };
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

function tookMore(target: Tagged, back: readonly Tagged[]): Failure {
  const tags = back.map(formatReference).join(', ');
  const [name, was] = back.length === 1 ? ['names', 'that tag was'] : ['name', 'those tags were'];
  return {
    reason: 'registry',
    class: 'permanent',
    side: 'destination',
    host: target.registry,
    message: `${target.registry} deleted with ${formatReference(target)} the image that ${tags} ${name} too; ${was} put back, and nothing more is deleted there`,
    hint: 'run slipway run, which puts back what else was attached, and delete tags by other means there',
  };
}
