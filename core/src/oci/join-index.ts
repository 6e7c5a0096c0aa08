/** One index from images that were made one platform at a time: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md */
import { sha256 } from './digest.ts';
import { formatPlatform, mediaType, type Descriptor, type ManifestContent, type Platform } from './model.ts';

export interface PlatformImage {
  readonly platform: Platform;
  /** Of the image's manifest. */
  readonly manifest: Descriptor;
}

export type IndexContent = Extract<ManifestContent, { readonly kind: 'index' }>;

/** The same images give the same bytes, in whatever order they come. Throws when a platform comes twice. */
export function joinIndex(images: readonly PlatformImage[]): IndexContent {
  const byPlatform = new Map(images.map((image) => [platformKey(image.platform), image]));
  if (byPlatform.size !== images.length) throw new Error('an index was asked for with one platform twice');
  const manifests = [...byPlatform].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, image]) => child(image));
  const value = { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests } as const;
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const descriptor = { mediaType: mediaType.ociIndex, digest: sha256(bytes), size: bytes.length };
  return { kind: 'index', descriptor, bytes, value };
}

/** Without the annotations that a builder sets on descriptors in `index.json`: the time of the build is among them. */
function child({ platform, manifest }: PlatformImage): Descriptor {
  const { os, architecture, variant, 'os.version': version } = platform;
  return {
    mediaType: manifest.mediaType,
    digest: manifest.digest,
    size: manifest.size,
    platform: {
      architecture,
      os,
      ...(version === undefined ? {} : { 'os.version': version }),
      ...(variant === undefined ? {} : { variant }),
    },
  };
}

/** Two versions of Windows are two platforms. */
function platformKey(platform: Platform): string {
  return `${formatPlatform(platform)} ${platform['os.version'] ?? ''}`;
}
