/**
 * One image of each kind that the OCI's conformance suite for registries makes, and of those that only registries in the
 * wild have. The layers of images are real archives, so that tools which look into them find what the config says.
 */
import { createHash } from 'node:crypto';
import { mediaType, type Descriptor } from '../../core/src/oci/model.ts';
import type { Digest } from '../../core/src/reference.ts';
import { gzipStored, tar, text } from '../../demo/world/archive.ts';

/** Where a kind is put: a repository of a scripted registry, or a list. */
export interface Shelf {
  blob(bytes: Uint8Array, digest: Digest): void;
  manifest(bytes: Uint8Array, type: string, digest: Digest): void;
}

/** Puts the image on the shelf, everything it names first; the descriptor of its root. */
export type Kind = (shelf: Shelf) => Descriptor;

type Fields = Readonly<Record<string, unknown>>;

const AMD64 = { os: 'linux', architecture: 'amd64' };
const ARM64 = { os: 'linux', architecture: 'arm64' };
const BOTH = [AMD64, ARM64];

const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
const EXAMPLE = 'application/vnd.example.notes.v1';

function hash(bytes: Uint8Array, algorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

function blob(shelf: Shelf, type: string, bytes: Uint8Array, algorithm?: string): Descriptor {
  const digest = hash(bytes, algorithm);
  shelf.blob(bytes, digest);
  return { mediaType: type, digest, size: bytes.byteLength };
}

function manifest(shelf: Shelf, type: string, fields: Fields, algorithm?: string): Descriptor {
  const bytes = text(JSON.stringify({ schemaVersion: 2, mediaType: type, ...fields }));
  const digest = hash(bytes, algorithm);
  shelf.manifest(bytes, type, digest);
  return { mediaType: type, digest, size: bytes.byteLength };
}

interface ImageOptions {
  readonly platform?: typeof AMD64;
  /** How many layers there are. */
  readonly layers?: number;
  readonly gzip?: boolean;
  readonly docker?: boolean;
  readonly algorithm?: string;
  /** Added to the manifest, and to the config. */
  readonly fields?: Fields;
  readonly configFields?: Fields;
  /** Layers that are published elsewhere, below the others; `diffIds` are theirs. */
  readonly foreign?: { readonly layers: readonly object[]; readonly diffIds: readonly string[] };
  /** Adds what a descriptor names to the descriptor itself. */
  readonly data?: boolean;
}

/** `name` keeps images of different kinds apart. */
function image(shelf: Shelf, name: string, options: ImageOptions = {}): Descriptor {
  const { platform = AMD64, layers = 2, gzip = true, docker = false, algorithm, foreign, data = false } = options;
  const archives = Array.from({ length: layers }, (_, at) => {
    const content = text(`${name} ${platform.architecture} ${at}\n`);
    return tar([{ type: 'file', path: `layer-${at}.txt`, content }], { mtime: 0 });
  });
  const layerType = docker ? DOCKER_LAYER : `${OCI_LAYER}${gzip ? '+gzip' : ''}`;
  const withData = (bytes: Uint8Array, descriptor: Descriptor) =>
    data ? { ...descriptor, data: Buffer.from(bytes).toString('base64') } : descriptor;
  const sent = archives.map((archive) => {
    const bytes = gzip ? gzipStored(archive) : archive;
    return withData(bytes, blob(shelf, layerType, bytes, algorithm));
  });
  const diffIds = [...(foreign?.diffIds ?? []), ...archives.map((archive) => hash(archive))];
  const config = text(
    JSON.stringify({
      created: '2026-01-01T00:00:00Z',
      ...platform,
      config: { Env: [`NAME=${name}`] },
      rootfs: { type: 'layers', diff_ids: diffIds },
      history: diffIds.map(() => ({ created: '2026-01-01T00:00:00Z', created_by: name })),
      ...options.configFields,
    }),
  );
  const configType = docker ? mediaType.dockerConfig : mediaType.ociConfig;
  return manifest(
    shelf,
    docker ? mediaType.dockerManifest : mediaType.ociManifest,
    {
      config: withData(config, blob(shelf, configType, config, algorithm)),
      layers: [...(foreign?.layers ?? []), ...sent],
      ...options.fields,
    },
    algorithm,
  );
}

function index(shelf: Shelf, name: string, options: ImageOptions = {}, fields: Fields = {}): Descriptor {
  const manifests = BOTH.map((platform) => ({ ...image(shelf, name, { ...options, platform }), platform }));
  const type = options.docker === true ? mediaType.dockerList : mediaType.ociIndex;
  return manifest(shelf, type, { manifests, ...fields }, options.algorithm);
}

function artifact(shelf: Shelf, name: string, fields: Fields = {}): Descriptor {
  return manifest(shelf, mediaType.ociManifest, {
    artifactType: EXAMPLE,
    config: blob(shelf, mediaType.empty, text('{}')),
    layers: [blob(shelf, EXAMPLE, text(`notes of ${name}`))],
    ...fields,
  });
}

/** Layers that no registry has: what is under their addresses does not exist either. */
function foreignLayers(name: string, types: readonly string[]): NonNullable<ImageOptions['foreign']> {
  const digests = types.map((type) => hash(text(`${name} ${type}`)));
  return {
    layers: types.map((type, at) => ({
      mediaType: type,
      digest: digests[at],
      size: 123_456,
      urls: [`https://store.slipway.example/blobs/${digests[at] ?? ''}`],
    })),
    diffIds: digests,
  };
}

/** Annotations that make a manifest of this size; `type` is its media type. */
function padded(shelf: Shelf, name: string, size: number): Descriptor {
  const fill = (length: number): Fields => ({ annotations: { fill: 'A'.repeat(length) } });
  const probe = image({ blob: () => {}, manifest: () => {} }, name, { fields: fill(0) });
  return image(shelf, name, { fields: fill(size - probe.size) });
}

const MISSING: Descriptor = { mediaType: mediaType.ociManifest, digest: hash(text('missing')), size: 123 };

export const kinds = {
  image: (shelf) => image(shelf, 'image'),
  'image uncompressed': (shelf) => image(shelf, 'uncompressed', { gzip: false }),
  index: (shelf) => index(shelf, 'index'),
  'nested index': (shelf) =>
    manifest(shelf, mediaType.ociIndex, { manifests: [index(shelf, 'nested one'), index(shelf, 'nested two')] }),
  'empty index': (shelf) => manifest(shelf, mediaType.ociIndex, { manifests: [] }),
  artifact: (shelf) => artifact(shelf, 'artifact'),
  'artifact index': (shelf) =>
    manifest(shelf, mediaType.ociIndex, {
      artifactType: EXAMPLE,
      manifests: BOTH.map((platform) => ({
        ...artifact(shelf, `artifact ${platform.architecture}`),
        artifactType: EXAMPLE,
        platform,
      })),
    }),
  'artifact without layers': (shelf) => {
    const empty = blob(shelf, mediaType.empty, text('{}'));
    return artifact(shelf, 'empty', { layers: [empty] });
  },
  'artifact with subject': (shelf) => artifact(shelf, 'subject', { subject: image(shelf, 'its subject') }),
  'index with subject': (shelf) => index(shelf, 'referring', {}, { subject: index(shelf, 'referred to') }),
  'missing subject': (shelf) => artifact(shelf, 'lonely', { subject: MISSING }),
  'data field': (shelf) => image(shelf, 'data', { data: true }),
  'non-distributable layers': (shelf) => {
    const base = 'application/vnd.oci.image.layer.nondistributable.v1.tar';
    return image(shelf, 'far', { foreign: foreignLayers('far', [`${base}+gzip`, base]) });
  },
  'custom fields': (shelf) => {
    const fields = { 'org.example.custom': 'kept' };
    return index(shelf, 'custom', { fields, configFields: fields }, fields);
  },
  'no layers': (shelf) => image(shelf, 'bare', { layers: 0 }),
  'empty blob': (shelf) => artifact(shelf, 'zero', { layers: [blob(shelf, 'text/plain', text(''))] }),
  sha512: (shelf) => index(shelf, 'sha512', { algorithm: 'sha512' }),
  'large manifest': (shelf) => padded(shelf, 'large', 3_900_000),
  'manifest of 4 MiB': (shelf) => padded(shelf, 'largest', 4 * 1024 * 1024),
  'Docker image': (shelf) => image(shelf, 'docker', { docker: true }),
  'Docker list': (shelf) => index(shelf, 'docker list', { docker: true }),
  'Docker foreign layer': (shelf) =>
    image(shelf, 'windows', {
      docker: true,
      foreign: foreignLayers('windows', ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip']),
    }),
  '127 layers': (shelf) => image(shelf, 'deep', { layers: 127 }),
} satisfies Readonly<Record<string, Kind>>;

/** An index of two images, of which only the first is anywhere: pull-through caches and broken pushes leave such. */
export const sparseIndex: Kind = (shelf) =>
  manifest(shelf, mediaType.ociIndex, {
    manifests: [
      { ...image(shelf, 'sparse'), platform: AMD64 },
      { ...MISSING, platform: ARM64 },
    ],
  });
