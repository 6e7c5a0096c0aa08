/**
 * Wire types of the OCI image and distribution specifications, as far as Slipway reads them.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md, manifest.md, image-index.md
 */
import type { Digest } from '../reference.ts';

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#image-index-property-descriptions */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
}

/** `size` is in bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly artifactType?: string;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly urls?: readonly string[];
}

export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A manifest or index with the exact bytes it was read as: they are never serialised again, so the digest stays. */
export type ManifestContent =
  | { readonly kind: 'manifest'; readonly descriptor: Descriptor; readonly bytes: Uint8Array; readonly value: Manifest }
  | { readonly kind: 'index'; readonly descriptor: Descriptor; readonly bytes: Uint8Array; readonly value: Index };

export const mediaType = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  empty: 'application/vnd.oci.empty.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  /** https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md */
  bundle: 'application/vnd.dev.sigstore.bundle.v0.3+json',
} as const;

/** All that it names: an index its children, a manifest its config and then its layers. */
export function partsOf({ kind, value }: ManifestContent): readonly Descriptor[] {
  return kind === 'index' ? value.manifests : [value.config, ...value.layers];
}

/** Of an image that can be run; what has another config is an artifact, of whatever kind. */
export function isImageConfig({ mediaType: type }: Pick<Descriptor, 'mediaType'>): boolean {
  return type === mediaType.ociConfig || type === mediaType.dockerConfig;
}

/** `linux/amd64`, `linux/arm/v7`. */
export function formatPlatform(platform: Platform): string {
  const variant = platform.variant === undefined ? '' : `/${platform.variant}`;
  return `${platform.os}/${platform.architecture}${variant}`;
}

/** An entry of an index that holds no image of its own, as buildx's attestations: copied, never scanned. */
export function isUnknownPlatform(platform: Platform | undefined): boolean {
  return platform?.os === 'unknown' && platform.architecture === 'unknown';
}

/**
 * Layers that registries need not hold, only point to: they are fetched from where they are published.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#non-distributable-layers
 */
export function isForeign({ mediaType: type, urls }: Descriptor): boolean {
  return urls !== undefined && urls.length > 0 && /\.foreign\.|\.nondistributable\./.test(type);
}
