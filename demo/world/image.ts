/** Images made byte for byte the same everywhere, as OCI image layouts that any tool can push. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipStored, tar, text, type Member } from './archive.ts';

export interface PlatformName {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

export interface BlobDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: PlatformName;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface PlatformImage {
  readonly platform: PlatformName;
  /** The files of each layer, lowest first. */
  readonly layers: readonly (readonly Member[])[];
  /** Who runs in it; root when absent. */
  readonly user?: string;
  /** What a Dockerfile that is built on it does first. */
  readonly onBuild?: readonly string[];
}

/** The content of a layout: its blobs by digest, and what its index.json names. */
export interface Layout {
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  readonly root: BlobDescriptor;
}

/** When every image of the world was made. */
const CREATED = '2026-01-01T00:00:00Z';
const MTIME = Date.parse(CREATED) / 1000;

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A single image, or an index when there are several. */
export function imageLayout(images: readonly [PlatformImage, ...PlatformImage[]]): Layout {
  const blobs = new Map<string, Uint8Array>();
  const manifests = images.map((image) => ({ ...addImage(blobs, image), platform: image.platform }));
  const [first] = manifests;
  if (first !== undefined && manifests.length === 1) return { blobs, root: first };
  return { blobs, root: add(blobs, OCI_INDEX, json({ schemaVersion: 2, mediaType: OCI_INDEX, manifests })) };
}

/** An artifact with one layer, as the vulnerability database is published. */
export function artifactLayout(configType: string, layerType: string, layer: Uint8Array, title: string): Layout {
  const blobs = new Map<string, Uint8Array>();
  const config = add(blobs, configType, text('{}'));
  const annotations = { 'org.opencontainers.image.title': title };
  const layers = [{ ...add(blobs, layerType, layer), annotations }];
  const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType: configType, config, layers };
  return { blobs, root: add(blobs, OCI_MANIFEST, json(manifest)) };
}

/** Writes https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md into `folder`. */
export async function writeLayout(layout: Layout, folder: string): Promise<void> {
  const blobs = join(folder, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  await Promise.all(
    [...layout.blobs].map(([digest, bytes]) => writeFile(join(blobs, digest.slice('sha256:'.length)), bytes)),
  );
  await writeFile(join(folder, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  await writeFile(
    join(folder, 'index.json'),
    json({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [layout.root] }),
  );
}

function addImage(blobs: Map<string, Uint8Array>, image: PlatformImage): BlobDescriptor {
  const archives = image.layers.map((members) => tar(members, { mtime: MTIME }));
  const layers = archives.map((archive) => add(blobs, OCI_LAYER, gzipStored(archive)));
  const config = add(
    blobs,
    OCI_CONFIG,
    json({
      created: CREATED,
      ...image.platform,
      config: {
        Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
        Cmd: ['/bin/sh'],
        ...(image.user === undefined ? {} : { User: image.user }),
        ...(image.onBuild === undefined ? {} : { OnBuild: image.onBuild }),
      },
      rootfs: { type: 'layers', diff_ids: archives.map(sha256) },
      history: archives.map(() => ({ created: CREATED, created_by: 'slipway demo' })),
    }),
  );
  return add(blobs, OCI_MANIFEST, json({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }));
}

function add(blobs: Map<string, Uint8Array>, mediaType: string, bytes: Uint8Array): BlobDescriptor {
  const digest = sha256(bytes);
  blobs.set(digest, bytes);
  return { mediaType, digest, size: bytes.length };
}

function json(value: unknown): Uint8Array {
  return text(JSON.stringify(value));
}
