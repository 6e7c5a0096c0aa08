/**
 * An OCI image layout on disk, as a build mode leaves it: read only, and read as if a stranger wrote it.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
import { realpath } from 'node:fs/promises';
import { fail, ok, type Result, type ToolFailure } from '../failure.ts';
import type { Digest } from '../reference.ts';
import type { Content } from '../registry/model.ts';
import { digestLike, sha256, verified } from './digest.ts';
import { filesInFolder, type Broken, type LayoutFiles } from './layout-files.ts';
import { mediaType, type Descriptor, type ManifestContent } from './model.ts';
import { MAX_MANIFEST, parseJson, parseManifest } from './parse.ts';

export interface Layout {
  readonly content: Content;
  /** What the layout holds: one image, or an index of several. */
  readonly root: Descriptor;
}

/** On a descriptor in `index.json`: https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md */
export const REF_NAME = 'org.opencontainers.image.ref.name';

/** The file that marks a folder as a layout, and the one that lists what the layout holds. */
export const MARKER = 'oci-layout';
export const INDEX = 'index.json';
const MAX_MARKER = 64 * 1024;

/**
 * Opens the layout in `folder`. The only descriptor in `index.json` is the root when it has no platform, or a name by which it is
 * found in the layout, as buildx writes it; otherwise `index.json` is itself the index, as apko writes it, and its bytes are the root.
 * `madeBy` names the tool that wrote it, for failures.
 */
export async function openLayout(folder: string, madeBy = 'image layout'): Promise<Result<Layout>> {
  const broken = (problem: string) =>
    fail<ToolFailure>({
      reason: 'tool',
      class: 'permanent',
      tool: madeBy,
      message: `the image layout in ${folder} ${problem}`,
      hint: 'what made the image must leave a complete OCI image layout',
    });
  let base: string;
  try {
    base = await realpath(folder);
  } catch {
    return broken('is not there');
  }
  const files = filesInFolder(base, broken);
  const marker = await readMarker(files, broken);
  if (!marker.ok) return marker;
  if (!marker.value) return broken(`has no file "${MARKER}"`);
  const index = await readIndexFile(files, broken);
  if (!index.ok) return index;
  if (index.value === undefined) return broken(`has no file "${INDEX}"`);
  const [first, ...others] = index.value.value.manifests;
  if (first === undefined) return broken('holds no image');
  const named = first.annotations?.[REF_NAME] !== undefined;
  const single = others.length === 0 && (named || first.platform === undefined);
  const root = single ? first : index.value.descriptor;
  return ok({ root, content: layoutContent(files, single ? undefined : index.value, broken) });
}

/** Whether the marker is there; one that says anything but version 1.0.0 is a failure. */
export async function readMarker(files: LayoutFiles, broken: Broken): Promise<Result<boolean>> {
  const marker = await files.read(MARKER, MAX_MARKER);
  if (!marker.ok) return marker;
  if (marker.value === undefined) return ok(false);
  const version = parseJson(marker.value);
  if (version.ok && version.value['imageLayoutVersion'] === '1.0.0') return ok(true);
  return broken(`has no valid file "${MARKER}"`);
}

export type IndexFile = Extract<ManifestContent, { readonly kind: 'index' }>;

/** `index.json`; undefined: there is none. */
export async function readIndexFile(files: LayoutFiles, broken: Broken): Promise<Result<IndexFile | undefined>> {
  const bytes = await files.read(INDEX, MAX_MANIFEST);
  if (!bytes.ok) return bytes;
  if (bytes.value === undefined) return ok(undefined);
  const index = parseManifest(bytes.value, sha256(bytes.value), mediaType.ociIndex);
  if (!index.ok) return broken(`has an "${INDEX}" that ${index.problem}`);
  return index.value.kind === 'index' ? ok(index.value) : broken(`has an "${INDEX}" that is no index`);
}

/** `indexFile` is given where `index.json` is itself an image's index. */
export function layoutContent(files: LayoutFiles, indexFile: IndexFile | undefined, broken: Broken): Content {
  return {
    async manifest(digest) {
      if (indexFile?.descriptor.digest === digest) return ok(indexFile);
      const bytes = await files.read(blobPath(digest), MAX_MANIFEST);
      if (!bytes.ok) return bytes;
      if (bytes.value === undefined) return ok(undefined);
      if (digestLike(digest, bytes.value) !== digest) return broken(`holds other bytes than ${digest} says`);
      const parsed = parseManifest(bytes.value, digest);
      return parsed.ok ? ok(parsed.value) : broken(`holds a manifest ${digest} that ${parsed.problem}`);
    },
    async blob(descriptor) {
      const file = await files.open(blobPath(descriptor.digest));
      if (!file.ok) return file;
      if (file.value === undefined) return broken(`has no blob ${descriptor.digest}`);
      const { size } = file.value;
      if (size !== descriptor.size) {
        await file.value.close();
        return broken(`holds ${size} bytes as ${descriptor.digest}, which should have ${descriptor.size}`);
      }
      const wrong = broken(`holds other bytes than ${descriptor.digest} says`);
      return ok(verified(file.value.stream(), descriptor, () => wrong.failure));
    },
  };
}

/** A digest is checked when it is parsed: its parts hold letters and digits only. */
export function blobPath(digest: Digest): string {
  return `blobs/${digest.replace(':', '/')}`;
}
