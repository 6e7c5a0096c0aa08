/**
 * Writes an image layout: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md. What a build mode uses that
 * has no tool of its own for it. Layers are not compressed: what a compressor makes differs from one version of it to the next,
 * and the same content must give the same digest everywhere.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configFailure, fail, ok, type Failure, type Result } from '../failure.ts';
import type { Digest } from '../reference.ts';
import { sha256 } from './digest.ts';
import { mediaType, type Descriptor, type Platform } from './model.ts';
import { oneChunk } from './streams.ts';
import { layerMembers, tarBytes, type LayerMember } from './tar.ts';

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties, `config`: how a container of it starts. */
export interface ImageSettings {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
}

export interface ImageContent {
  readonly platform: Platform;
  /** Lowest first. Members of which a layer is made, or the bytes of a TAR archive that is there already, not compressed. */
  readonly layers: readonly (readonly LayerMember[] | Uint8Array | AsyncIterable<Uint8Array>)[];
  readonly settings?: ImageSettings;
}

const LAYER = 'application/vnd.oci.image.layer.v1.tar';
/** Never the clock: two builds of the same content are one image. */
const CREATED = '1970-01-01T00:00:00Z';

/**
 * Makes `folder` and the layout in it, whose `index.json` is the index of all images. A path that cannot be in an image, and
 * a layer that is compressed, is a `config` failure; a layer that cannot be read throws what its stream throws. Answers with the digests of the images, in their order.
 */
export async function writeImageLayout(
  folder: string,
  images: readonly [ImageContent, ...ImageContent[]],
): Promise<Result<readonly Digest[], Failure>> {
  const blobs = join(folder, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const manifests: Descriptor[] = [];
  for (const image of images) {
    const manifest = await writeImage(blobs, image);
    if (!manifest.ok) return manifest;
    manifests.push({ ...manifest.value, platform: image.platform });
  }
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const index = { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests };
  await writeFile(join(folder, 'index.json'), JSON.stringify(index));
  return ok(manifests.map(({ digest }) => digest));
}

async function writeImage(
  blobs: string,
  { platform, layers, settings = {} }: ImageContent,
): Promise<Result<Descriptor>> {
  const written: Descriptor[] = [];
  for (const layer of layers) {
    const bytes = layerBytes(layer);
    if (!bytes.ok) return bytes;
    const descriptor = await writeLayer(blobs, bytes.value);
    if (!descriptor.ok) return descriptor;
    written.push(descriptor.value);
  }
  const { os, architecture, variant } = platform;
  const config = {
    created: CREATED,
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    config: settings,
    rootfs: { type: 'layers', diff_ids: written.map(({ digest }) => digest) },
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaType.ociManifest,
    config: await writeJson(blobs, mediaType.ociConfig, config),
    layers: written,
  };
  return ok(await writeJson(blobs, mediaType.ociManifest, manifest));
}

function layerBytes(layer: ImageContent['layers'][number]): Result<AsyncIterable<Uint8Array>> {
  if (layer instanceof Uint8Array) return ok(oneChunk(layer));
  if (!isMembers(layer)) return ok(layer);
  const members = layerMembers(layer);
  return members.ok ? ok(tarBytes(members.value)) : members;
}

function isMembers(layer: ImageContent['layers'][number]): layer is readonly LayerMember[] {
  return Array.isArray(layer);
}

/** Its digest is known at its end only, so that is when it gets its name. */
async function writeLayer(blobs: string, bytes: AsyncIterable<Uint8Array>): Promise<Result<Descriptor>> {
  const temporary = join(blobs, '.layer');
  const hash = createHash('sha256');
  let size = 0;
  {
    await using file = await open(temporary, 'w');
    for await (const chunk of bytes) {
      if (size === 0 && isCompressed(chunk)) {
        // The config lists the digests of uncompressed layers, and this would be another one: pulling the image would fail.
        return fail(configFailure('a layer is compressed', 'unpack the archive first: layers are written as they are'));
      }
      hash.update(chunk);
      size += chunk.length;
      await file.writeFile(chunk);
    }
  }
  const hex = hash.digest('hex');
  await rename(temporary, join(blobs, hex));
  return ok({ mediaType: LAYER, digest: `sha256:${hex}` as Digest, size });
}

/** By gzip or zstd, as the first bytes say. */
function isCompressed(start: Uint8Array): boolean {
  return /^(?:1f8b|28b52ffd)/.test(Buffer.from(start.subarray(0, 4)).toString('hex'));
}

async function writeJson(blobs: string, type: string, value: unknown): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(value));
  const digest = sha256(bytes);
  await writeFile(join(blobs, digest.slice('sha256:'.length)), bytes);
  return { mediaType: type, digest, size: bytes.length };
}
