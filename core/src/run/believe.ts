/**
 * Which of an image's referrers are ours. Annotations only select candidates; one counts after its bundle verified against
 * `accept`, and what it proved is remembered by its digest, so that an unchanged image costs no second look.
 */
import { ok, type Result } from '../failure.ts';
import { mediaType, type Descriptor } from '../oci/model.ts';
import type { Digest, Pinned } from '../reference.ts';
import type { Referrer } from '../registry/model.ts';
import { createRoom } from '../registry/room.ts';
import { annotation, isCandidate } from '../trust/accept.ts';
import type { Task } from '../plan/model.ts';
import { MAX_BUNDLE } from '../trust/bundle.ts';
import type { Fact } from '../trust/facts.ts';
import type { Accept, Signing } from '../config/settings-model.ts';
import { predicateType as types, type Bundle } from '../trust/model.ts';
import { withoutAhead } from '../trust/required.ts';
import { trustFingerprint } from './trust-fingerprint.ts';
import { believeLegacy } from './believe-legacy.ts';
import type { Engine, Looking } from './engine.ts';
import { provenFact } from './prove.ts';

/** Referrers of one image that are looked at; more than this many of ours is a flood, not a history. */
const MAX_CANDIDATES = 256;
/**
 * Bytes of all bundles of one image: an SBOM and a scan of tens of MiB each, and a hundred of a few hundred KiB, as signatures and
 * provenance are at most, and beside them the latest scan and provenance. The smallest are looked at first, so that large ones of others
 * keep none of ours out.
 */
const MAX_BYTES = 128 * 1024 * 1024;
/** Of all images together, what is read at once: as text, parsed and decoded a bundle takes some times its bytes. */
const room = createRoom(MAX_BUNDLE);

/** Commands that only look, as `prune`, run no task of a plan, but what plugins say while they help goes by the name of one. */
export function lookTask(id: string, entry: string | null = null): Task {
  return { id, contract: 'core.verify@1', entry, input: null, needs: [] };
}

/** Nothing where `signing` names nobody whose word would count. */
export async function believe(
  step: Looking,
  subject: Pinned,
  signing: Signing | undefined,
): Promise<Result<readonly Fact[]>> {
  if (signing === undefined) return ok([]);
  const now = step.engine.now();
  if (signing.format === 'legacy') {
    const believed = await believeLegacy(step, subject, signing);
    return believed.ok ? ok(withoutAhead(believed.value, now)) : believed;
  }
  const listed = await step.engine.registry.referrers(subject, 'destination');
  if (!listed.ok) return listed;
  const ours = listed.value.filter(({ descriptor }) =>
    isOurs(descriptor.artifactType, descriptor.annotations, signing.accept),
  );
  const candidates = inTurn(ours).slice(0, MAX_CANDIDATES);
  const fingerprint = trustFingerprint(signing.accept, signing.trustedRoot);
  const facts = new Map<Digest, Fact>();
  const unknown: Found[] = [];
  for (const looked of await Promise.all(candidates.map((candidate) => look(step, subject, candidate, fingerprint)))) {
    if (!looked.ok) return looked;
    if (looked.value === undefined) continue;
    if ('layer' in looked.value) unknown.push(looked.value);
    else facts.set(looked.value.referrer, looked.value);
  }
  const latest = latestOf(candidates);
  const isLatest = ({ referrer }: Found): boolean => latest.includes(referrer);
  const [first, others] = [unknown.filter(isLatest), unknown.filter((one) => !isLatest(one))];
  const read = [...first, ...atMost(others, MAX_BYTES)].map((found) =>
    room.within(found.layer.size, () => proveOne(step, subject, found, signing, fingerprint)),
  );
  for (const proved of await Promise.all(read)) {
    if (!proved.ok) return proved;
    if (proved.value !== undefined) facts.set(proved.value.referrer, proved.value);
  }
  return ok(
    withoutAhead(
      ours.flatMap(({ descriptor }) => facts.get(descriptor.digest) ?? []),
      now,
    ),
  );
}

/**
 * Types in turn, and of each the latest first, as far as the list says: where registries list all that was ever attached, years of
 * scans keep neither the newest of them out nor the signature.
 */
function inTurn(referrers: readonly Referrer[]): readonly Referrer[] {
  const groups = [...Map.groupBy(referrers, ({ descriptor }) => descriptor.annotations?.[annotation.predicateType])];
  return groups
    .flatMap(([, group]) => group.toSorted((a, b) => createdOn(b) - createdOn(a)).map((one, place) => ({ one, place })))
    .toSorted((a, b) => a.place - b.place)
    .map(({ one }) => one);
}

/** Of those that newer ones replace, the latest, which is read whatever its size: the one that counts may be the largest. */
function latestOf(inTheirTurn: readonly Referrer[]): readonly Digest[] {
  return [types.scan, types.provenance].flatMap((type) => {
    const first = inTheirTurn.find(({ descriptor }) => descriptor.annotations?.[annotation.predicateType] === type);
    return first === undefined ? [] : [first.descriptor.digest];
  });
}

function createdOn({ descriptor }: Referrer): number {
  return Date.parse(descriptor.annotations?.[annotation.created] ?? '') || 0;
}

/** A bundle that has not been read. */
interface Found {
  readonly referrer: Digest;
  readonly layer: Descriptor;
  /** Of the manifest that carries it. */
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

/** The smallest of them, as many as come to `limit` bytes. */
function atMost(found: readonly Found[], limit: number): readonly Found[] {
  let left = limit;
  return found.toSorted((a, b) => a.layer.size - b.layer.size).filter(({ layer }) => (left -= layer.size) >= 0);
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

/** What is remembered of it, or where its bundle is. `undefined`: not believed. */
async function look(
  { engine }: Looking,
  subject: Pinned,
  { descriptor }: Referrer,
  fingerprint: string,
): Promise<Result<Fact | Found | undefined>> {
  const remembered = engine.memory.get(descriptor.digest, fingerprint);
  if (remembered === null) return ok(undefined);
  if (remembered?.subject === subject.digest) return ok(remembered);
  return findBundle(engine, subject, descriptor.digest);
}

/** `undefined`: not believed. A registry that cannot be read is a failure, never "not signed". */
async function proveOne(
  step: Looking,
  subject: Pinned,
  found: Found,
  signing: Signing,
  fingerprint: string,
): Promise<Result<Fact | undefined>> {
  const { referrer, annotations } = found;
  const read = await readFound(step.engine, subject, found);
  if (!read.ok) return read;
  // Those of the manifest: what a list says of it may be another thing the next time, and this is remembered.
  const attached = { referrer, subject: subject.digest, ...(annotations === undefined ? {} : { annotations }) };
  const fact = await provenFact(step, read.value, signing, attached);
  if (fact.ok) await step.engine.memory.put(referrer, fingerprint, fact.value ?? null);
  return fact;
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
  const found = await findBundle(engine, subject, referrer);
  if (!found.ok || found.value === undefined) return found.ok ? ok(undefined) : found;
  const text = await readFound(engine, subject, found.value);
  return text.ok ? ok({ text: text.value, annotations: found.value.annotations }) : text;
}

/** `undefined`: it is no bundle, or one of another image. */
async function findBundle(engine: Engine, subject: Pinned, referrer: Digest): Promise<Result<Found | undefined>> {
  const pinned: Pinned = { ...subject, digest: referrer };
  const manifest = await engine.registry.manifest(pinned, 'destination');
  if (!manifest.ok) return manifest;
  if (manifest.value?.kind !== 'manifest' || manifest.value.value.subject?.digest !== subject.digest)
    return ok(undefined);
  const { annotations, layers } = manifest.value.value;
  const [layer, ...more] = layers;
  if (layer === undefined || more.length > 0 || layer.mediaType !== mediaType.bundle || layer.size > MAX_BUNDLE)
    return ok(undefined);
  return ok({ referrer, layer, annotations });
}

async function readFound(engine: Engine, subject: Pinned, { layer }: Found): Promise<Result<Bundle>> {
  const bytes = await engine.registry.readBlob(subject, layer, 'destination', MAX_BUNDLE);
  return bytes.ok ? ok(Buffer.from(bytes.value).toString('utf8') as Bundle) : bytes;
}
