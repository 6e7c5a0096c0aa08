/** What is in the destination repository after a copy or a push, read back from there. */
import { fail, ok, type Failure, type Result } from '../../failure.ts';
import {
  isUnknownPlatform,
  mediaType,
  type Descriptor,
  type Manifest,
  type ManifestContent,
  type Platform,
} from '../../oci/model.ts';
import { formatPinned, type Pinned } from '../../reference.ts';
import type { Registry, Side } from '../../registry/model.ts';
import type { Image } from '../engine.ts';

/** Nested indexes are opened this deep; deeper ones are not images anybody runs. */
const MAX_DEPTH = 3;

/** Reads `subject` and its children. */
export async function readImage(registry: Registry, subject: Pinned): Promise<Result<Image>> {
  const content = await registry.manifest(subject, 'destination');
  if (!content.ok) return content;
  if (content.value === undefined) return fail(gone(subject));
  const parts = await collect(registry, subject, content.value, MAX_DEPTH);
  if (!parts.ok) return parts;
  return ok({
    digest: subject.digest,
    subject,
    shape: content.value.kind,
    mediaType: content.value.descriptor.mediaType,
    manifestSize: content.value.descriptor.size,
    children: parts.value.children,
    size: parts.value.size,
  });
}

type Parts = Pick<Image, 'children' | 'size'>;

async function collect(
  registry: Registry,
  at: Pinned,
  content: ManifestContent,
  depth: number,
  known?: Platform,
): Promise<Result<Parts>> {
  if (content.kind === 'manifest') return collectManifest(registry, at, content.descriptor, content.value, known);
  if (depth === 0) return ok({ children: [], size: 0 });
  const parts: { children: Image['children'][number][]; size: number } = { children: [], size: 0 };
  for (const descriptor of content.value.manifests) {
    if (isUnknownPlatform(descriptor.platform)) continue;
    const child = await registry.manifest({ ...at, digest: descriptor.digest }, 'destination');
    if (!child.ok) return child;
    if (child.value === undefined) return fail(gone({ ...at, digest: descriptor.digest }));
    const inner = await collect(
      registry,
      { ...at, digest: descriptor.digest },
      child.value,
      depth - 1,
      descriptor.platform,
    );
    if (!inner.ok) return inner;
    parts.children.push(...inner.value.children);
    parts.size += inner.value.size;
  }
  return ok(parts);
}

async function collectManifest(
  registry: Registry,
  at: Pinned,
  descriptor: Descriptor,
  manifest: Manifest,
  known: Platform | undefined,
): Promise<Result<Parts>> {
  const size = manifest.config.size + manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
  if (manifest.config.mediaType !== mediaType.ociConfig && manifest.config.mediaType !== mediaType.dockerConfig) {
    return ok({ children: [], size });
  }
  const platform = known === undefined ? await configPlatform(registry, at, manifest.config) : ok(known);
  if (!platform.ok) return platform;
  return ok({
    children: [
      { digest: descriptor.digest, platform: platform.value, mediaType: descriptor.mediaType, size: descriptor.size },
    ],
    size,
  });
}

/** The platform that an image's config names. */
export async function configPlatform(
  registry: Registry,
  at: Pinned,
  config: Descriptor,
  side: Side = 'destination',
): Promise<Result<Platform>> {
  const bytes = await registry.readBlob(at, config, side);
  // What could not be read must not be taken for another platform.
  return bytes.ok ? ok(platformOf(bytes.value)) : bytes;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties */
export function platformOf(config: Uint8Array): Platform {
  const fallback = { os: 'linux', architecture: 'amd64' };
  try {
    const value: unknown = JSON.parse(Buffer.from(config).toString('utf8'));
    if (typeof value !== 'object' || value === null) return fallback;
    const os = 'os' in value && typeof value.os === 'string' ? value.os : 'linux';
    const architecture =
      'architecture' in value && typeof value.architecture === 'string' ? value.architecture : 'amd64';
    const variant =
      'variant' in value && typeof value.variant === 'string' && value.variant !== '' ? value.variant : undefined;
    return { os, architecture, ...(variant === undefined ? {} : { variant }) };
  } catch {
    return fallback;
  }
}

function gone(subject: Pinned): Failure {
  return {
    reason: 'registry',
    class: 'transient',
    side: 'destination',
    host: subject.registry,
    message: `${formatPinned(subject)} was sent, but the registry does not have it`,
    hint: 'some registries show a new manifest only after a moment; the next run continues here',
  };
}
