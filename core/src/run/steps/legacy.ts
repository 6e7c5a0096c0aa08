/**
 * The legacy signature format: writes the `.sig` and `.att` tags beside or in place of referrers. Each tag is one manifest
 * that several writers may add to, so it is read again, merged, and read once more.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Signing } from '../../config/settings-model.ts';
import { fail, ok, type Failure, type Result } from '../../failure.ts';
import { placeName } from '../../location.ts';
import { sha256 } from '../../oci/digest.ts';
import { mediaType, type Descriptor, type ManifestContent } from '../../oci/model.ts';
import { parseManifest, parseJson } from '../../oci/parse.ts';
import { oneChunk } from '../../oci/streams.ts';
import { formatPinned, pin, type Digest, type Pinned } from '../../reference.ts';
import type { Attachment } from '../../registry/model.ts';
import { createMutex } from '../../registry/mutex.ts';
import { annotation, byAnother, candidateAnnotations } from '../../trust/accept.ts';
import {
  attestationLayer,
  legacyAnnotation,
  legacyTag,
  signatureLayer,
  simpleSigning,
  type Layer,
  type LegacyKind,
} from '../../trust/legacy.ts';
import { predicateType, type Bundle } from '../../trust/model.ts';
import { outdatedBy } from '../../trust/required.ts';
import { readBundle } from '../believe.ts';
import { believeLegacy, proveSignature, readLegacy } from '../believe-legacy.ts';
import type { StepContext } from '../engine.ts';
import { signingInput } from './signing-input.ts';

/** How often a tag is merged again when another writer has overwritten it. */
const MERGES = 6;
/** Milliseconds: the longest pause before a merge is repeated. */
const APART = 200;

const writers = createMutex();

/**
 * Attestations of one subject become its `.att`; its `.sig` is signed unless a signature of ours is there. `replaced`: layers of the
 * `.att` that leave it, or, where bundles are attached too, the bundles that these were made from.
 */
export async function attachLegacy(
  step: StepContext,
  subject: Pinned,
  attachments: readonly Attachment[],
  { signing, replaced }: { readonly signing: Signing; readonly replaced: ReadonlySet<Digest> },
): Promise<Result<void>> {
  const present = await believeLegacy(step, subject, signing);
  if (!present.ok) return present;
  const layers = attestations(attachments);
  const annotations = layers.map(({ descriptor }) => descriptor.annotations);
  const outdated = outdatedBy(annotations, present.value, step.engine.now());
  const leaving = signing.format === 'both' ? await layersOf(step, subject, replaced) : ok(replaced);
  if (!leaving.ok) return leaving;
  const attested = await writeLegacy(step, subject, 'att', layers, new Set([...outdated, ...leaving.value]));
  if (!attested.ok) return attested;
  if (present.value.some(({ content }) => content.kind === 'signature')) return ok(undefined);
  const signed = await sign(step, subject, signing);
  const written = signed.ok ? await writeLegacy(step, subject, 'sig', [signed.value], new Set()) : signed;
  return written.ok ? ok(undefined) : written;
}

async function layersOf(
  { engine }: StepContext,
  subject: Pinned,
  bundles: ReadonlySet<Digest>,
): Promise<Result<ReadonlySet<Digest>>> {
  const layers = new Set<Digest>();
  for (const referrer of bundles) {
    const bundle = await readBundle(engine, subject, referrer);
    if (!bundle.ok) return bundle;
    const layer = bundle.value && attestationLayer(bundle.value.text, {});
    if (layer !== undefined) layers.add(layer.descriptor.digest);
  }
  return ok(layers);
}

/** One layer for each statement, however often it was listed. */
function attestations(attachments: readonly Attachment[]): readonly Layer[] {
  const layers = attachments.flatMap(({ bytes, annotations }) => {
    if (annotations[annotation.predicateType] === predicateType.signature) return [];
    return attestationLayer(Buffer.from(bytes).toString('utf8') as Bundle, annotations) ?? [];
  });
  return [...new Map(layers.map((layer) => [layer.descriptor.digest, layer])).values()];
}

async function sign(step: StepContext, subject: Pinned, signing: Signing): Promise<Result<Layer>> {
  const { engine, task, signal } = step;
  const payload = simpleSigning(subject, subject.digest);
  await using context = await engine.context(task, 'payload.sign@1', signal);
  const made = await engine.host.call(
    'payload.sign@1',
    { payload: Buffer.from(payload).toString('base64'), signing: signingInput(signing) },
    context,
  );
  if (!made.ok) return made;
  const layer = signatureLayer(payload, made.value, candidateAnnotations(signing.signer, predicateType.signature));
  const proved = await proveSignature(step, payload, layer.descriptor.annotations, signing.signer, signing);
  if (proved.ok) return ok(layer);
  return proved.failure.reason === 'trust' ? fail(byAnother(signing.signer, proved.failure)) : proved;
}

/** Adds layers to the tag; false when it held them all, and none of `drop`. */
export function writeLegacy(
  step: Pick<StepContext, 'engine'>,
  subject: Pinned,
  kind: LegacyKind,
  layers: readonly Layer[],
  drop: ReadonlySet<Digest>,
): Promise<Result<boolean>> {
  if (layers.length === 0) return Promise.resolve(ok(false));
  return writers(`${formatPinned(subject)}.${kind}`, () => mergeUntilThere(step, subject, kind, layers, drop));
}

/** Two writers who read the same manifest lose one of the two layers, so what was written is read again. */
async function mergeUntilThere(
  { engine }: Pick<StepContext, 'engine'>,
  subject: Pinned,
  kind: LegacyKind,
  layers: readonly Layer[],
  drop: ReadonlySet<Digest>,
): Promise<Result<boolean>> {
  const content = engine.registry.content(subject, 'destination');
  const put = async (descriptor: Descriptor, bytes: Uint8Array): Promise<Result<void>> => {
    const there = await content.hasBlob(descriptor);
    if (!there.ok) return there;
    return there.value ? ok(undefined) : content.putBlob(descriptor, async () => ok(oneChunk(bytes)));
  };
  for (let round = 0; round <= MERGES; round += 1) {
    const present = await readLegacy(engine, subject, kind);
    if (!present.ok) return present;
    const merged = mergeLayers(
      present.value,
      layers.map(({ descriptor }) => descriptor),
      drop,
    );
    if (merged === undefined) return ok(round > 0);
    if (merged === 'foreign') return fail(notWritable(subject, kind, 'permanent', 'is not a list of signatures'));
    if (round > 0) await sleep(Math.random() * APART);
    for (const { descriptor, bytes } of [...layers, merged.config]) {
      const stored = await put(descriptor, bytes);
      if (!stored.ok) return stored;
    }
    const stored = await content.putManifest(merged.manifest);
    if (!stored.ok) return stored;
    const { digest } = merged.manifest.descriptor;
    const tagged = await engine.registry.tag(pin(subject, digest), legacyTag(subject.digest, kind), merged.manifest);
    if (!tagged.ok) return tagged;
  }
  return fail(notWritable(subject, kind, 'transient', 'is overwritten by other writers again and again'));
}

interface Merged {
  readonly manifest: ManifestContent;
  readonly config: { readonly descriptor: Descriptor; readonly bytes: Uint8Array };
}

/**
 * The manifest with our layers and without those to drop; `undefined`: it is so already. Layers of others are kept as they
 * were read. One payload may be signed by several, so that a layer is known by its digest and its signature together.
 */
export function mergeLayers(
  present: ManifestContent | undefined,
  ours: readonly Descriptor[],
  drop: ReadonlySet<Digest>,
): Merged | 'foreign' | undefined {
  if (present?.kind === 'index') return 'foreign';
  const json = present === undefined ? undefined : parseJson(present.bytes);
  const raw = json?.ok === true ? json.value['layers'] : undefined;
  const known = present?.value.layers ?? [];
  const wanted = new Set(ours.map(layerName));
  const kept = known.flatMap((layer, at) =>
    wanted.has(layerName(layer)) || !drop.has(layer.digest)
      ? [{ layer, raw: Array.isArray(raw) ? (raw as readonly unknown[])[at] : layer }]
      : [],
  );
  const there = new Set(kept.map(({ layer }) => layerName(layer)));
  const missing = ours.filter((layer) => !there.has(layerName(layer)));
  if (missing.length === 0 && kept.length === known.length) return undefined;
  const config = configOf([...kept.map(({ layer }) => layer.digest), ...missing.map(({ digest }) => digest)]);
  const bytes = encode({
    ...(json?.ok === true ? json.value : {}),
    schemaVersion: 2,
    mediaType: mediaType.ociManifest,
    config: config.descriptor,
    layers: [...kept.map((one) => one.raw), ...missing],
  });
  const manifest = parseManifest(bytes, sha256(bytes), mediaType.ociManifest);
  if (!manifest.ok) throw new Error(`a manifest of ours ${manifest.problem}`);
  return { manifest: manifest.value, config };
}

function layerName({ digest, annotations }: Descriptor): string {
  return `${digest} ${annotations?.[legacyAnnotation.signature] ?? ''}`;
}

/** Readers take the manifest for an image, and images have a config that lists their layers. */
function configOf(layers: readonly Digest[]): Merged['config'] {
  const bytes = encode({
    architecture: '',
    os: '',
    created: '0001-01-01T00:00:00Z',
    config: {},
    rootfs: { type: 'layers', diff_ids: layers },
  });
  return { bytes, descriptor: { mediaType: mediaType.ociConfig, digest: sha256(bytes), size: bytes.byteLength } };
}

function notWritable(subject: Pinned, kind: LegacyKind, how: 'permanent' | 'transient', why: string): Failure {
  return {
    reason: 'registry',
    class: how,
    side: 'destination',
    host: placeName(subject),
    message: `the tag ${legacyTag(subject.digest, kind)} of ${formatPinned(subject)} ${why}`,
    hint:
      how === 'transient' ? 'let one job at a time sign an image, then run again' : 'remove that tag, then run again',
  };
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
