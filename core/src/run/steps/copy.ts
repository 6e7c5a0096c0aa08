/**
 * `image.copy@1`: the source's bytes, by digest, untagged; nothing is asked of the plugin when they are there, unless the entry
 * wants it always.
 */
import PQueue from 'p-queue';
import type { SyncEntry } from '../../config/model.ts';
import { fail, ok, type Failure, type Result } from '../../failure.ts';
import { areInRegistries, formatPinned, pin, type Digest, type Pinned } from '../../reference.ts';
import { ownerName } from '../../plugin/host.ts';
import { placeName } from '../../location.ts';
import { copy } from '../../registry/copy.ts';
import { mirrorLocations } from '../../registry/mirrors.ts';
import type { Platform } from '../../oci/model.ts';
import type { Subset } from '../../oci/subset.ts';
import type { Engine, Image, ProbedSync, StepContext } from '../engine.ts';
import { isGone, readImage } from './image.ts';
import { carryReferrers, listAsReferrer } from './referrers.ts';
import { trySigningOf } from './sign-one.ts';
import { readSubset } from './subset.ts';

export interface CopyInput {
  readonly probed: ProbedSync;
}

/** Copies that are under way at once for one image: each may be a process. */
const AT_ONCE = 4;

export async function copyStep(
  step: StepContext<SyncEntry>,
  { probed: { source, wanted, subset } }: CopyInput,
): Promise<Result<Image>> {
  const { engine, entry } = step;
  const { platforms } = entry;
  const destination = pin(entry.targets[0].destination, wanted);
  const held = entry.always ? ok(undefined) : await heldImage(engine, entry, destination);
  if (!held.ok) return held;
  if (held.value !== undefined) step.log('already in the destination repository');
  else {
    const able = await trySigningOf(step);
    if (!able.ok) return able;
    const copied =
      platforms === undefined || wanted === source.digest
        ? await copyImage(step, source, destination)
        : await copySubset(step, { source, destination, platforms, subset });
    if (!copied.ok) return copied;
  }
  const image = held.value === undefined ? await readImage(engine.registry, destination) : ok(held.value);
  if (!image.ok) return isGone(image.failure) ? fail(notCopied(step, source, image.failure)) : image;
  const listed = await listAsReferrer(step, destination);
  if (!listed.ok) return listed;
  if (entry.referrers === undefined) return image;
  const carried = await carryReferrers(step, entry.referrers, source, subjectsOf(image.value, source));
  return carried.ok ? image : carried;
}

/**
 * What the destination has of it; undefined too where it has the index, but not all that it names: some registries take one so. Nor is
 * it known of foreign layers, which an earlier copy may have left where they are.
 */
async function heldImage(
  { registry }: Engine,
  entry: SyncEntry,
  destination: Pinned,
): Promise<Result<Image | undefined>> {
  const there = await registry.head(destination, 'destination');
  if (!there.ok) return there;
  if (there.value === undefined) return ok(undefined);
  const image = await readImage(registry, destination);
  if (image.ok && image.value.foreign && entry.foreignLayers === true) return ok(undefined);
  return image.ok || !isGone(image.failure) ? image : ok(undefined);
}

/** What upstream can have attached something to: a new index of some platforms is not among it. */
function subjectsOf({ subject, manifests }: Image, source: Pinned): readonly Pinned[] {
  const upstream = manifests.filter((digest) => digest !== subject.digest || digest === source.digest);
  return upstream.map((digest) => pin(subject, digest));
}

interface SubsetCopy {
  readonly source: Pinned;
  readonly destination: Pinned;
  readonly platforms: readonly Platform[];
  /** Known if this run has read the source before. */
  readonly subset: Subset | undefined;
}

/** Children by digest, as any image, by whoever copies; then the new index, which is the core's own. */
async function copySubset(
  step: StepContext<SyncEntry>,
  { source, destination, platforms, subset: known }: SubsetCopy,
): Promise<Result<void>> {
  const { entry } = step;
  const subset = known === undefined ? await readSubset(step, entry, source, platforms) : ok(known);
  if (!subset.ok) return subset;
  const queue = new PQueue({ concurrency: AT_ONCE });
  const copies = await Promise.all(
    subset.value.kept.map((digest) =>
      queue.add(async () => {
        const child = pin(destination, digest);
        const again = entry.always || entry.foreignLayers === true;
        const there = again ? ok(undefined) : await step.engine.registry.head(child, 'destination');
        return !there.ok || there.value !== undefined ? there : copyImage(step, pin(source, digest), child);
      }),
    ),
  );
  const failed = copies.find((copied) => !copied.ok);
  if (failed?.ok === false) return failed;
  const content = step.engine.registry.content(destination, 'destination');
  for (const index of subset.value.indexes) {
    const put = await content.putManifest(index);
    if (!put.ok) return fail(await whyRefused(step, source, subset.value.kept, put.failure));
  }
  return ok(undefined);
}

/** A registry that refuses an index does not say which image it misses, nor who was to bring it. */
async function whyRefused(
  step: StepContext,
  source: Pinned,
  children: readonly Digest[],
  refused: Failure,
): Promise<Failure> {
  const { destination } = step.entry.targets[0];
  for (const digest of children) {
    const image = await readImage(step.engine.registry, pin(destination, digest));
    if (!image.ok && isGone(image.failure)) return notCopied(step, source, image.failure);
  }
  return refused;
}

/** That it is not there, with who said that it is. */
function notCopied({ engine, entry }: StepContext, source: Pinned, gone: Failure): Failure {
  const copier = engine.host.owner('image.copy@1')?.plugin.name;
  if (copier === undefined || !areInRegistries(source, entry.targets[0].destination)) return gone;
  return {
    ...gone,
    message: `${gone.message}, though plugin ${copier} answered that it had copied it`,
    hint: `some registries show a new manifest only after a moment: run again; if it stays so, report it to the author of plugin ${copier}`,
  };
}

async function copyImage(step: StepContext<SyncEntry>, source: Pinned, destination: Pinned): Promise<Result<void>> {
  const { engine, entry, task, signal } = step;
  const foreign = entry.foreignLayers === true ? { foreignLayers: true as const } : {};
  if (!areInRegistries(source, destination)) return copyLocation(step, source, destination, foreign);
  const sources = mirrorLocations(engine.settings.mirrors, source);
  await using context = await engine.context(task, 'image.copy@1', signal);
  const copied = await engine.host.call('image.copy@1', { sources, destination, ...foreign }, context);
  if (!copied.ok) return copied;
  if (copied.value.digest === destination.digest) return ok(undefined);
  return fail({
    reason: 'trust',
    class: 'permanent',
    message: `the copy of ${formatPinned(source)} came out as ${copied.value.digest}`,
    hint: `plugin ${ownerName(engine.host, 'image.copy@1')} altered the image: use another one for image.copy, or report it to its author`,
  });
}

/** See {@link areInRegistries}. */
async function copyLocation(
  { engine, signal }: StepContext,
  source: Pinned,
  destination: Pinned,
  foreign: { readonly foreignLayers?: true },
): Promise<Result<void>> {
  const { registry } = engine;
  const from = registry.content(source, 'source');
  const to = registry.content(destination, 'destination');
  const copied = await copy(from, to, destination.digest, { source: placeName(source), signal, ...foreign });
  return copied.ok ? ok(undefined) : copied;
}
