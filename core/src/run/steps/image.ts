/** What is in the destination repository after a copy or a push, read back from there. */
import { fail, ok, type Failure, type Result } from '../../failure.ts';
import { placeName } from '../../location.ts';
import { isTooDeep } from '../../oci/json-text.ts';
import {
  formatPlatform,
  isForeign,
  isImageConfig,
  isUnknownPlatform,
  type Descriptor,
  type Manifest,
  type ManifestContent,
  type Platform,
} from '../../oci/model.ts';
import { isManifestType, isPlatformPart, MAX_INDEX_DEPTH } from '../../oci/parse.ts';
import { formatPinned, type Digest, type Pinned } from '../../reference.ts';
import type { Registry, Side } from '../../registry/model.ts';
import { property } from '../../registry/refusal.ts';
import type { Child } from '../../trust/model.ts';
import type { Image } from '../engine.ts';

/** How deep those who run images read their configs. */
const DEEPEST = 10_000;

/** Reads `subject` and its children. */
export async function readImage(registry: Registry, subject: Pinned): Promise<Result<Image>> {
  const content = await registry.manifest(subject, 'destination');
  if (!content.ok) return content;
  if (content.value === undefined) return fail(gone(subject));
  const parts: Parts = { registry, children: [], manifests: new Set(), size: 0, foreign: false, seen: new Set() };
  const failure = await collect(parts, subject, content.value, MAX_INDEX_DEPTH);
  if (failure !== undefined) return fail(failure);
  return ok({
    digest: subject.digest,
    subject,
    shape: content.value.kind,
    mediaType: content.value.descriptor.mediaType,
    manifestSize: content.value.descriptor.size,
    children: parts.children,
    manifests: [...parts.manifests],
    size: parts.size,
    foreign: parts.foreign,
  });
}

/** The platform images that a scanner can be asked about. */
export function readableChildren({ children }: Pick<Image, 'children'>): readonly Child[] {
  return children.filter((child) => !child.opaque).map(({ digest, platform }) => ({ digest, platform }));
}

interface Parts {
  readonly registry: Registry;
  readonly children: Image['children'][number][];
  readonly manifests: Set<Digest>;
  size: number;
  foreign: boolean;
  /** Indexes that name each other a thousand times would else be opened a billion times. */
  readonly seen: Set<string>;
}

/** Adds what `content` holds; `undefined`: it went well. */
async function collect(
  parts: Parts,
  at: Pinned,
  content: ManifestContent,
  depth: number,
  known?: Platform,
): Promise<Failure | undefined> {
  parts.manifests.add(at.digest);
  if (content.kind === 'manifest') return collectManifest(parts, at, content.descriptor, content.value, known);
  if (parts.seen.has(at.digest)) return undefined;
  if (depth === 0) return tooDeep(at);
  parts.seen.add(at.digest);
  for (const descriptor of content.value.manifests) {
    if (isUnknownPlatform(descriptor.platform) || !isManifestType(descriptor.mediaType)) continue;
    const entry = `${descriptor.digest} ${descriptor.platform === undefined ? '' : formatPlatform(descriptor.platform)}`;
    if (parts.seen.has(entry)) continue;
    parts.seen.add(entry);
    const inner = { ...at, digest: descriptor.digest };
    const child = await parts.registry.manifest(inner, 'destination');
    if (!child.ok) return child.failure;
    if (child.value === undefined) return gone(inner);
    const failure = await collect(parts, inner, child.value, depth - 1, descriptor.platform);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

async function collectManifest(
  parts: Parts,
  at: Pinned,
  descriptor: Descriptor,
  manifest: Manifest,
  known: Platform | undefined,
): Promise<Failure | undefined> {
  parts.size += manifest.config.size + manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
  parts.foreign ||= manifest.layers.some(isForeign);
  const { digest, mediaType: type, size } = descriptor;
  if (!isImageConfig(manifest.config)) {
    // Its index says that it is for a platform, and some run it whatever its config is called.
    if (known !== undefined) parts.children.push({ digest, platform: known, mediaType: type, size, opaque: true });
    return undefined;
  }
  const platform = known === undefined ? await configPlatform(parts.registry, at, manifest.config) : ok(known);
  if (!platform.ok) return platform.failure;
  if (platform.value === undefined) return undefined;
  parts.children.push({ digest, platform: platform.value, mediaType: type, size });
  return undefined;
}

/** The platform that an image's config names; `undefined`: it is no config, so that nobody could run it. */
export async function configPlatform(
  registry: Registry,
  at: Pinned,
  config: Descriptor,
  side: Side = 'destination',
): Promise<Result<Platform | undefined>> {
  const bytes = await registry.readBlob(at, config, side);
  // What could not be read must not be taken for another platform.
  return bytes.ok ? ok(platformOf(bytes.value)) : bytes;
}

/**
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties Read as leniently as those who run it do, who take the
 * later of two keys, great depth and bytes that are no UTF-8: what they run must not be left out of a scan. For the same reason, what
 * cannot be a platform's name is as if it were not there.
 */
export function platformOf(config: Uint8Array): Platform | undefined {
  const json = parsed(config);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
  const [os, architecture, variant] = ['os', 'architecture', 'variant'].map((key) => property(json, key));
  return {
    os: isPlatformPart(os) ? os : 'linux',
    architecture: isPlatformPart(architecture) ? architecture : 'amd64',
    ...(isPlatformPart(variant) && variant !== '' ? { variant } : {}),
  };
}

function parsed(config: Uint8Array): unknown {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(config);
  if (isTooDeep(text, DEEPEST)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function tooDeep(subject: Pinned): Failure {
  return {
    reason: 'registry',
    class: 'permanent',
    side: 'destination',
    host: placeName(subject),
    message: `${formatPinned(subject)} is an index in more than ${MAX_INDEX_DEPTH} others`,
    hint: 'nobody runs such an image, and nobody could say what is in it',
  };
}

const UNKNOWN = 'MANIFEST_UNKNOWN';

/** The image, or something that its index names, is not there. */
export function isGone(failure: Failure): boolean {
  return failure.reason === 'registry' && failure.code === UNKNOWN;
}

function gone(subject: Pinned): Failure {
  return {
    reason: 'registry',
    class: 'transient',
    code: UNKNOWN,
    side: 'destination',
    host: placeName(subject),
    message: `${placeName(subject)} does not have ${formatPinned(subject)}`,
    hint: 'some registries show a new manifest only after a moment; run again',
  };
}
