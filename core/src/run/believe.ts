/**
 * Which of an image's referrers are ours. Annotations only select candidates; one counts after its bundle verified against
 * `accept`, and what it proved is remembered by its digest, so that an unchanged image costs no second look.
 */
import { ok, type Result } from '../failure.ts';
import { mediaType } from '../oci/model.ts';
import type { Digest, Pinned } from '../reference.ts';
import type { Referrer } from '../registry/model.ts';
import { isCandidate } from '../trust/accept.ts';
import { factFrom, type Fact } from '../trust/facts.ts';
import type { Accept, Signing } from '../config/model.ts';
import type { Bundle } from '../trust/model.ts';
import { trustFingerprint } from './trust-fingerprint.ts';
import { believeLegacy } from './believe-legacy.ts';
import type { Engine, StepContext } from './engine.ts';
import { prove } from './prove.ts';

/** Referrers of one image that are looked at; more than this many of ours is a flood, not a history. */
const MAX_CANDIDATES = 256;
/** Bytes of one bundle: an SBOM of a large image is some MiB. */
const MAX_BUNDLE = 64 * 1024 * 1024;

export interface Believed {
  readonly facts: readonly Fact[];
}

export async function believe(
  step: Pick<StepContext, 'engine' | 'task' | 'signal'>,
  subject: Pinned,
  signing: Signing,
): Promise<Result<Believed>> {
  if (signing.format === 'legacy') {
    const facts = await believeLegacy(step, subject, signing);
    return facts.ok ? ok({ facts: facts.value }) : facts;
  }
  const listed = await step.engine.registry.referrers(subject, 'destination');
  if (!listed.ok) return listed;
  const candidates = listed.value
    .filter(({ descriptor }) => isOurs(descriptor.artifactType, descriptor.annotations, signing.accept))
    .slice(0, MAX_CANDIDATES);
  const facts: Fact[] = [];
  for (const looked of await Promise.all(
    candidates.map((candidate) => believeOne(step, subject, candidate, signing)),
  )) {
    if (!looked.ok) return looked;
    if (looked.value !== undefined) facts.push(looked.value);
  }
  return ok({ facts });
}

/** Some registries list what a bundle's manifest says of its config, in place of what it says of itself. */
const LISTED_TYPES: ReadonlySet<string | undefined> = new Set([undefined, mediaType.bundle, mediaType.empty]);

function isOurs(
  artifactType: string | undefined,
  annotations: Readonly<Record<string, string>> | undefined,
  accept: readonly Accept[],
): boolean {
  // Tools that keep the fallback list without annotations, as cosign does, leave only the type of the artifact to go by.
  if (artifactType === mediaType.bundle && annotations === undefined) return true;
  return LISTED_TYPES.has(artifactType) && isCandidate(annotations, accept);
}

/** `undefined`: not believed. A registry that cannot be read is a failure, never "not signed". */
async function believeOne(
  { engine, task, signal }: Pick<StepContext, 'engine' | 'task' | 'signal'>,
  subject: Pinned,
  { descriptor }: Referrer,
  signing: Signing,
): Promise<Result<Fact | undefined>> {
  const fingerprint = trustFingerprint(signing.accept, signing.trustedRoot);
  const remembered = engine.memory.get(descriptor.digest, fingerprint);
  if (remembered === null) return ok(undefined);
  if (remembered?.subject === subject.digest) return ok(remembered);
  const bundle = await readBundle(engine, subject, descriptor.digest);
  if (!bundle.ok) return bundle;
  if (bundle.value === undefined) return ok(undefined);
  const { text, annotations } = bundle.value;
  for (const accept of signing.accept) {
    const proved = await prove(engine, task, text, accept, signing, signal);
    if (!proved.ok) {
      if (proved.failure.reason === 'trust') continue;
      return proved;
    }
    // Those of the manifest: what a list says of it may be another thing the next time, and this is remembered.
    const fact = factFrom({
      ...proved.value,
      referrer: descriptor.digest,
      subject: subject.digest,
      ...(annotations === undefined ? {} : { annotations }),
    });
    if (fact === undefined) continue;
    await engine.memory.put(descriptor.digest, fingerprint, fact);
    return ok(fact);
  }
  await engine.memory.put(descriptor.digest, fingerprint, null);
  return ok(undefined);
}

export interface AttachedBundle {
  readonly text: Bundle;
  /** Of the manifest that carries it. */
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

export async function readBundle(
  engine: Engine,
  subject: Pinned,
  referrer: Digest,
): Promise<Result<AttachedBundle | undefined>> {
  const pinned: Pinned = { ...subject, digest: referrer };
  const manifest = await engine.registry.manifest(pinned, 'destination');
  if (!manifest.ok) return manifest;
  if (manifest.value?.kind !== 'manifest' || manifest.value.value.subject?.digest !== subject.digest)
    return ok(undefined);
  const { annotations, layers } = manifest.value.value;
  const [layer, ...more] = layers;
  if (layer === undefined || more.length > 0 || layer.mediaType !== mediaType.bundle || layer.size > MAX_BUNDLE)
    return ok(undefined);
  const bytes = await engine.registry.readBlob(subject, layer, 'destination', MAX_BUNDLE);
  if (!bytes.ok) return bytes;
  return ok({ text: Buffer.from(bytes.value).toString('utf8') as Bundle, annotations });
}
