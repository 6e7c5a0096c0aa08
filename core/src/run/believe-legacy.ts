/** What the `.sig` and `.att` tags of an image prove: the same facts as referrers, by the same rules. */
import type { Accept, Signing } from '../config/settings-model.ts';
import { fail, ok, type Result } from '../failure.ts';
import type { Descriptor, ManifestContent } from '../oci/model.ts';
import type { Digest, Pinned } from '../reference.ts';
import { annotation, isCandidate } from '../trust/accept.ts';
import { MAX_BUNDLE, verifyKeySignature } from '../trust/bundle.ts';
import type { Fact } from '../trust/facts.ts';
import {
  bundleOfAttestation,
  bundleOfSignature,
  isAbout,
  legacyAnnotation,
  legacyTag,
  legacyType,
  MAX_PAYLOAD,
  type LegacyKind,
} from '../trust/legacy.ts';
import { predicateType, type Bundle } from '../trust/model.ts';
import { missing, missingOnChild, type Subject } from '../trust/required.ts';
import { trustFingerprint } from './trust-fingerprint.ts';
import type { Engine, Looking } from './engine.ts';
import { provenFact } from './prove.ts';

/** Layers of one tag that are looked at. */
const MAX_LAYERS = 256;

/** A believed attestation with the bundle it came from, to be attached elsewhere. */
export interface Attested {
  readonly fact: Fact;
  readonly bundle: Bundle;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Every fact of the `.sig` and `.att` tags; a fact's `referrer` is the digest of its layer. */
export async function believeLegacy(
  step: Looking,
  subject: Pinned,
  signing: Signing,
): Promise<Result<readonly Fact[]>> {
  const attested = await legacyAttestations(step, subject, signing);
  if (!attested.ok) return attested;
  const signed = await legacySignatures(step, subject, signing);
  if (!signed.ok) return signed;
  return ok([...attested.value.map(({ fact }) => fact), ...signed.value]);
}

/**
 * What consumers of the legacy format would miss at an image, as `legacy sbom`. Nothing where only bundles are attached, nor where these
 * tags are all there is: then what `believe` read came from them already.
 */
export async function legacyLacks(
  step: Looking,
  subject: Pinned,
  signing: Signing,
  wanted: Omit<Subject, 'facts'>,
): Promise<Result<readonly string[]>> {
  if (signing.format !== 'both') return ok([]);
  const believed = await believeLegacy(step, subject, signing);
  return believed.ok ? ok(asLegacy(missing({ ...wanted, facts: believed.value }))) : believed;
}

/** The same for a child of an index, which is signed too: consumers that pull one platform check that manifest alone. */
export async function legacyLacksOnChild(
  step: Looking,
  child: Pinned,
  signing: Signing,
): Promise<Result<readonly string[]>> {
  const { format = 'bundle' } = signing;
  if (format === 'bundle') return ok([]);
  const believed = await believeLegacy(step, child, signing);
  if (!believed.ok) return believed;
  const facts = believed.value;
  const unsigned = facts.some(({ content }) => content.kind === 'signature') ? [] : ['signature'];
  return ok(asLegacy([...unsigned, ...(format === 'both' ? missingOnChild(facts) : [])]));
}

function asLegacy(lacks: readonly string[]): readonly string[] {
  return lacks.map((what) => `legacy ${what}`);
}

export async function legacyAttestations(
  step: Looking,
  subject: Pinned,
  signing: Signing,
): Promise<Result<readonly Attested[]>> {
  const layers = await layersOf(step.engine, subject, 'att');
  if (!layers.ok) return layers;
  const found: Attested[] = [];
  for (const layer of layers.value) {
    const annotations = namedType(layer.annotations ?? {});
    if (layer.size > MAX_BUNDLE || !isCandidate(annotations, signing.accept)) continue;
    const bytes = await step.engine.registry.readBlob(subject, layer, 'destination', MAX_BUNDLE);
    if (!bytes.ok) return bytes;
    const bundle = bundleOfAttestation(annotations, bytes.value);
    const fact =
      bundle === undefined ? ok(undefined) : await factOf(step, subject, signing, layer.digest, bundle, annotations);
    if (!fact.ok) return fact;
    if (bundle !== undefined && fact.value !== undefined) found.push({ fact: fact.value, bundle, annotations });
  }
  return ok(found);
}

/** Cosign names the type in an annotation of its own. */
function namedType(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const type = annotations[annotation.predicateType] ?? annotations[legacyAnnotation.predicateType];
  return type === undefined ? annotations : { ...annotations, [annotation.predicateType]: type };
}

/**
 * Only what was proved is remembered: a layer's digest does not cover the annotations that prove it, so that one which
 * fails today may hold tomorrow.
 */
async function factOf(
  step: Looking,
  subject: Pinned,
  signing: Signing,
  layer: Digest,
  bundle: Bundle,
  annotations: Readonly<Record<string, string>>,
): Promise<Result<Fact | undefined>> {
  const fingerprint = trustFingerprint(signing.accept, signing.trustedRoot);
  const remembered = step.engine.memory.get(layer, fingerprint);
  if (remembered?.subject === subject.digest) return ok(remembered);
  const fact = await provenFact(step, bundle, signing, { referrer: layer, subject: subject.digest, annotations });
  if (fact.ok && fact.value !== undefined) await step.engine.memory.put(layer, fingerprint, fact.value);
  return fact;
}

async function legacySignatures(step: Looking, subject: Pinned, signing: Signing): Promise<Result<readonly Fact[]>> {
  const layers = await layersOf(step.engine, subject, 'sig');
  if (!layers.ok) return layers;
  const facts: Fact[] = [];
  for (const layer of layers.value) {
    if (layer.size > MAX_PAYLOAD) continue;
    const payload = await step.engine.registry.readBlob(subject, layer, 'destination', MAX_PAYLOAD);
    if (!payload.ok) return payload;
    if (!isAbout(payload.value, subject, subject.digest)) continue;
    const signer = await signerOf(step, payload.value, layer.annotations ?? {}, signing);
    if (!signer.ok) return signer;
    if (signer.value === undefined) continue;
    facts.push({
      referrer: layer.digest,
      subject: subject.digest,
      predicateType: predicateType.signature,
      signer: signer.value,
      content: { kind: 'signature' },
    });
  }
  return ok(facts);
}

async function signerOf(
  step: Looking,
  payload: Uint8Array,
  annotations: Readonly<Record<string, string>>,
  signing: Signing,
): Promise<Result<string | undefined>> {
  for (const accept of signing.accept) {
    const proved = await proveSignature(step, payload, annotations, accept, signing);
    if (proved.ok) return proved;
    if (proved.failure.reason !== 'trust') return proved;
  }
  return ok(undefined);
}

/** Who signed the payload, if it is `accept`; a `trust` failure otherwise. `annotations` are the layer's. */
export async function proveSignature(
  { engine, task, signal }: Looking,
  payload: Uint8Array,
  annotations: Readonly<Record<string, string>>,
  accept: Accept,
  { trustedRoot }: Signing,
): Promise<Result<string>> {
  if (accept.kind === 'key') {
    const verified = verifyKeySignature(payload, annotations[legacyAnnotation.signature] ?? '', accept.publicKey);
    return verified.ok ? ok(accept.fingerprint) : verified;
  }
  const bundle = bundleOfSignature(annotations, payload);
  if (bundle === undefined || annotations[legacyAnnotation.certificate] === undefined) {
    return fail({ reason: 'trust', class: 'permanent', message: 'the signature was not made for an identity' });
  }
  await using context = await engine.context(task, 'payload.verify@1', signal);
  const input = {
    payload: Buffer.from(payload).toString('base64'),
    bundle,
    accept,
    ...(trustedRoot === undefined ? {} : { trustedRoot }),
  };
  const proved = await engine.host.call('payload.verify@1', input, context);
  return proved.ok ? ok(proved.value.signer) : proved;
}

/** What the tag names now; `undefined`: there is no such tag. */
export function readLegacy(
  { registry }: Engine,
  subject: Pinned,
  kind: LegacyKind,
): Promise<Result<ManifestContent | undefined>> {
  const { registry: host, path } = subject;
  return registry.manifest(
    { kind: 'tagged', registry: host, path, tag: legacyTag(subject.digest, kind) },
    'destination',
  );
}

async function layersOf(engine: Engine, subject: Pinned, kind: LegacyKind): Promise<Result<readonly Descriptor[]>> {
  const manifest = await readLegacy(engine, subject, kind);
  if (!manifest.ok) return manifest;
  if (manifest.value?.kind !== 'manifest') return ok([]);
  return ok(manifest.value.value.layers.filter((layer) => layer.mediaType === legacyType[kind]).slice(0, MAX_LAYERS));
}
