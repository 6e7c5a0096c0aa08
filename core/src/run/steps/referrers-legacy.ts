/**
 * The tags that cosign and others keep beside an image, as far as an entry's `referrers` asks for them: copied as tags, and merged
 * with what Slipway itself keeps there. https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
 */
import type { ReferrerFilter } from '../../config/model.ts';
import { fail, ok, type Result } from '../../failure.ts';
import { placeName } from '../../location.ts';
import type { Descriptor, ManifestContent } from '../../oci/model.ts';
import {
  formatPinned,
  pin,
  type Digest,
  type Pinned,
  type Repository,
  type Tag,
  type Tagged,
} from '../../reference.ts';
import { copy } from '../../registry/copy.ts';
import { trustedMirrors } from '../../registry/mirrors.ts';
import type { Head } from '../../registry/model.ts';
import { legacyTag, legacyType, type Layer, type LegacyKind } from '../../trust/legacy.ts';
import type { Engine, StepContext } from '../engine.ts';
import { writeLegacy } from './legacy.ts';
import { passes, type Ends } from './referrers-filter.ts';

type Kind = LegacyKind | 'sbom';

const KINDS: readonly Kind[] = ['sig', 'att', 'sbom'];
/** What the layers of such a tag are; of an SBOM any of several. */
const TYPES: Readonly<Record<Kind, readonly string[]>> = {
  sig: [legacyType.sig],
  att: [legacyType.att],
  sbom: [
    'text/spdx',
    'text/spdx+xml',
    'text/spdx+json',
    'application/spdx+json',
    'application/vnd.cyclonedx',
    'application/vnd.cyclonedx+xml',
    'application/vnd.cyclonedx+json',
    'application/vnd.syft+json',
  ],
};
/** Bytes that are read of one such tag: a signature's payload has some hundred, an attestation of an SBOM some millions. */
const MAX_BYTES: Readonly<Record<LegacyKind, number>> = { sig: 4 * 1024 * 1024, att: 64 * 1024 * 1024 };
/** Signatures, or attestations, of one image that are added to those that are here. */
const MAX_LAYERS = 500;
/** Of one image; more is a flood. */
const MAX_OTHERS = 100;

function asks(filter: ReferrerFilter, kind: Kind): boolean {
  return TYPES[kind].some(passes(filter));
}

function tagged(repository: Repository, digest: Digest, kind: Kind): Tagged {
  return named(repository, `${digest.replace(':', '-')}.${kind}` as Tag);
}

function named({ registry, path }: Repository, tag: Tag): Tagged {
  return { kind: 'tagged', registry, path, tag };
}

/**
 * What the `.sig` tag of an image names at its source. Only registries without the referrers API are asked: elsewhere one list is
 * enough, as whoever signs there today signs with a referrer.
 */
export async function upstreamSignature(
  { registry, settings }: Engine,
  filter: ReferrerFilter,
  source: Pinned,
): Promise<Result<Digest | undefined>> {
  const places = [...trustedMirrors(settings.mirrors, source), source];
  if (!asks(filter, 'sig') || !places.some((place) => registry.referrersApi(place) === false)) return ok(undefined);
  const head = await registry.head(tagged(source, source.digest, 'sig'), 'source');
  return head.ok ? ok(head.value?.digest) : head;
}

/** Whether the destination has other signatures under that tag than these, or none. */
export async function lacksSignature(
  { registry }: Engine,
  subject: Pinned,
  signature: Digest,
): Promise<Result<boolean>> {
  const here = await registry.head(tagged(subject, subject.digest, 'sig'), 'destination');
  return here.ok ? ok(here.value?.digest !== signature) : here;
}

/** How many tags were copied or added to. */
export async function carryLegacyTags(step: StepContext, filter: ReferrerFilter, ends: Ends): Promise<Result<number>> {
  const { registry } = step.engine;
  const kinds = KINDS.filter((kind) => asks(filter, kind));
  const heads = await Promise.all(
    kinds.map((kind) => registry.head(tagged(ends.source, ends.source.digest, kind), 'source')),
  );
  let carried = 0;
  for (const [at, kind] of kinds.entries()) {
    const head = heads[at];
    if (head === undefined || (head.ok && head.value === undefined)) continue;
    if (!head.ok) return head;
    const done = head.value === undefined ? ok(false) : await carryTag(step, ends, kind, head.value);
    if (!done.ok) return done;
    if (done.value) carried += 1;
  }
  const others = filter.types === undefined ? await carryOtherTags(step, ends) : ok(0);
  return others.ok ? ok(carried + others.value) : others;
}

/** What nobody has given a meaning to: tags that begin with the image's digest, as `sha256-<hex>.<more>`. Their number. */
async function carryOtherTags(step: StepContext, { source, subject }: Ends): Promise<Result<number>> {
  const { registry, tagLists } = step.engine;
  const all = await tagLists.allOf(source);
  if (!all.ok) {
    step.log(
      `only ${KINDS.map((kind) => `.${kind}`).join(', ')} are looked for beside the image: ${all.failure.message}`,
    );
    return ok(0);
  }
  const prefix = `${source.digest.replace(':', '-')}.`;
  const known = new Set<string>(KINDS.map((kind) => prefix + kind));
  const others = [...all.value].filter((tag) => tag.startsWith(prefix) && !known.has(tag));
  if (others.length > MAX_OTHERS) {
    const message = `${others.length} tags begin with ${prefix}, which is more than can be copied (${MAX_OTHERS})`;
    return fail({ reason: 'registry', class: 'permanent', side: 'source', host: placeName(source), message });
  }
  let carried = 0;
  for (const tag of others) {
    const upstream = await registry.head(named(source, tag), 'source');
    if (!upstream.ok) return upstream;
    if (upstream.value === undefined) continue;
    const here = await registry.head(named(subject, tag), 'destination');
    if (!here.ok) return here;
    if (here.value?.digest === upstream.value.digest) continue;
    const copied = await copyTag(step, { source, subject }, upstream.value.digest, tag);
    if (!copied.ok) return copied;
    carried += 1;
  }
  return ok(carried);
}

async function copyTag(step: StepContext, { source, subject }: Ends, digest: Digest, tag: Tag): Promise<Result<void>> {
  const { registry } = step.engine;
  const from = registry.content(source, 'source');
  const to = registry.content(subject, 'destination');
  const copied = await copy(from, to, digest, { source: placeName(source), signal: step.signal });
  return copied.ok ? registry.tag(pin(subject, digest), tag, copied.value.root) : copied;
}

async function carryTag(
  step: StepContext,
  { source, subject }: Ends,
  kind: Kind,
  upstream: Head,
): Promise<Result<boolean>> {
  const { registry } = step.engine;
  const target = tagged(subject, subject.digest, kind);
  const here = await registry.head(target, 'destination');
  if (!here.ok) return here;
  if (here.value?.digest === upstream.digest) return ok(false);
  const content = await registry.manifest(pin(source, upstream.digest), 'source');
  if (!content.ok || content.value === undefined) return content.ok ? ok(false) : content;
  if (here.value !== undefined && kind !== 'sbom') return addLayers(step, { source, subject }, kind, content.value);
  const copied = await copyTag(step, { source, subject }, upstream.digest, target.tag);
  return copied.ok ? ok(true) : copied;
}

/** Both ends have signatures: upstream's are added to those that are here. */
async function addLayers(
  step: StepContext,
  { source, subject }: Ends,
  kind: LegacyKind,
  content: ManifestContent,
): Promise<Result<boolean>> {
  if (content.kind === 'index') return ok(false);
  // One payload may be signed by many, and is read for all of them at once.
  const nameOf = ({ digest, size }: Descriptor): string => `${digest} ${size}`;
  const distinct = new Map(content.value.layers.map((layer) => [nameOf(layer), layer]));
  const size = [...distinct.values()].reduce((sum, layer) => sum + layer.size, 0);
  if (content.value.layers.length > MAX_LAYERS || size > MAX_BYTES[kind]) {
    const message = `the tag ${legacyTag(source.digest, kind)} of ${formatPinned(source)} has ${content.value.layers.length} layers of ${size} bytes, which is more than can be added to those that are here (${MAX_LAYERS}, ${MAX_BYTES[kind]})`;
    return fail({ reason: 'registry', class: 'permanent', side: 'source', host: placeName(source), message });
  }
  const read = new Map<string, Uint8Array>();
  for (const [name, descriptor] of distinct) {
    const bytes = await step.engine.registry.readBlob(source, descriptor, 'source', MAX_BYTES[kind]);
    if (!bytes.ok) return bytes;
    read.set(name, bytes.value);
  }
  const layers = content.value.layers.map((descriptor): Layer => {
    const bytes = read.get(nameOf(descriptor)) ?? new Uint8Array();
    return { descriptor: { ...descriptor, annotations: descriptor.annotations ?? {} }, bytes };
  });
  return writeLegacy(step, subject, kind, layers, new Set());
}
