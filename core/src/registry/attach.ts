/**
 * Attaching: pushes artifacts that name their subject, and where the registry does not list referrers by itself, adds
 * them to the index under the fallback tag without losing anybody else's entry.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, ok, type Result } from '../failure.ts';
import type { Descriptor } from '../oci/model.ts';
import { MAX_MANIFEST } from '../oci/parse.ts';
import { oneChunk } from '../oci/streams.ts';
import { formatPinned, pin, type Digest } from '../reference.ts';
import { artifactOf, EMPTY, EMPTY_CONFIG, layerOf, merge } from './artifact.ts';
import { hasBlob } from './blobs.ts';
import type { BodyLimits } from './body-limits.ts';
import { putManifest, type Where } from './manifests.ts';
import type { Attachment } from './model.ts';
import { createMutex } from './mutex.ts';
import { registryFailure } from './refusal.ts';
import { fallbackTag, readFallback, type ApiMemory } from './referrers.ts';
import { sendBlob } from './uploads.ts';
import type { Wire } from './wire.ts';

/** How often the fallback index is merged again when another writer has overwritten it. */
const MERGES = 6;
/** Milliseconds: the longest pause before a merge is repeated. */
const APART = 200;

/** One writer a subject in the whole process, however many clients there are. */
const writers = createMutex();

export interface Attaching {
  readonly wire: Wire;
  readonly memory: ApiMemory;
  readonly where: Where;
  readonly subject: Descriptor;
  readonly limits: BodyLimits;
}

/** Attaches all, in order; entries in `drop` leave the fallback index (where the API lists, the registry decides). */
export function attachAll(
  context: Attaching,
  attachments: readonly Attachment[],
  drop: ReadonlySet<Digest>,
): Promise<Result<readonly Descriptor[]>> {
  return writers(formatPinned(pin(context.where, context.subject.digest)), () => push(context, attachments, drop));
}

/** Makes manifests that are pushed already count among what refers to `subject`, where no API lists them by itself. */
export function listUnder(
  context: Pick<Attaching, 'wire' | 'where'> & { readonly subject: Pick<Descriptor, 'digest'> },
  pushed: readonly Descriptor[],
): Promise<Result<void>> {
  return writers(formatPinned(pin(context.where, context.subject.digest)), () =>
    mergeUntilThere(context, pushed, new Set()),
  );
}

async function push(
  context: Attaching,
  attachments: readonly Attachment[],
  drop: ReadonlySet<Digest>,
): Promise<Result<readonly Descriptor[]>> {
  const { wire, where, subject, memory, limits } = context;
  if (attachments.length === 0) return ok([]);
  // All artifacts share the empty config, so it is mostly there; a layer is mostly new, and asking for it would be in vain.
  const configured = await hasBlob(wire, where, EMPTY_CONFIG);
  if (!configured.ok) return configured;
  const blobs = [
    ...(configured.value ? [] : [{ descriptor: EMPTY_CONFIG, bytes: EMPTY }]),
    ...attachments.map(layerOf),
  ];
  const stored = await Promise.all(
    blobs.map(({ descriptor, bytes }) =>
      sendBlob({ wire, where, descriptor, limits, open: async () => ok(oneChunk(bytes)) }),
    ),
  );
  const lost = stored.find((each) => !each.ok);
  if (lost?.ok === false) return lost;
  const artifacts = attachments.map((attachment) => artifactOf(subject, attachment));
  const answers = await Promise.all(
    artifacts.map(({ content }) => putManifest(wire, where, { digest: content.descriptor.digest }, content)),
  );
  let listed = true;
  for (const answer of answers) {
    if (!answer.ok) return answer;
    listed &&= answer.value.subject === subject.digest;
  }
  const descriptors = artifacts.map(({ listedAs }) => listedAs);
  if (listed) {
    memory.set(where, true);
    return ok(descriptors);
  }
  const merged = await mergeUntilThere(context, descriptors, drop);
  return merged.ok ? ok(descriptors) : merged;
}

/** Two writers who read the same index lose one of the two entries, so what was written is read again. */
async function mergeUntilThere(
  { wire, where, subject }: Parameters<typeof listUnder>[0],
  ours: readonly Descriptor[],
  drop: ReadonlySet<Digest>,
): Promise<Result<void>> {
  const name = formatPinned(pin(where, subject.digest));
  const tag = fallbackTag(subject.digest);
  for (let round = 0; round <= MERGES; round += 1) {
    const present = await readFallback(wire, where, subject.digest);
    if (!present.ok) return present;
    const merged = merge(present.value, ours, drop);
    if (merged === undefined) return ok(undefined);
    if (merged === 'foreign' || merged.bytes.byteLength > MAX_MANIFEST) {
      const why = merged === 'foreign' ? 'is not an index' : 'is full';
      const message = `the list of what is attached to ${name} ${why} (tag ${tag})`;
      return fail(registryFailure(where, 'permanent', message, { hint: 'remove that tag, then run again' }));
    }
    // Writers elsewhere who collided once should not do so again.
    if (round > 0) await sleep(Math.random() * APART);
    const put = await putManifest(wire, where, { tag }, merged);
    if (!put.ok) return put;
  }
  return fail(
    registryFailure(
      where,
      'transient',
      `other writers keep overwriting the list of what is attached to ${name} (tag ${tag})`,
      {
        hint: 'let one job at a time attach to an image, then run again',
      },
    ),
  );
}
