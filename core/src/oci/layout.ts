/**
 * An OCI image layout on disk, as a build mode leaves it: read only, and read as if a stranger wrote it.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
import { constants } from 'node:fs';
import { lstat, open, realpath, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result, type ToolFailure } from '../failure.ts';
import type { Digest } from '../reference.ts';
import type { Content } from '../registry/model.ts';
import { digestLike, sha256, verified } from './digest.ts';
import { mediaType, type Descriptor, type ManifestContent } from './model.ts';
import { MAX_MANIFEST, parseJson, parseManifest } from './parse.ts';

export interface Layout {
  readonly content: Content;
  /** What the layout holds: one image, or an index of several. */
  readonly root: Descriptor;
}

/** `bytes` is undefined when there is no such file. */
type Read = Result<Uint8Array | undefined, ToolFailure>;

/** On a descriptor in `index.json`: https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md */
const REF_NAME = 'org.opencontainers.image.ref.name';

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
  const files = layoutFiles(base, broken);
  const marker = await files.read('oci-layout', 64 * 1024);
  if (!marker.ok) return marker;
  const version = marker.value === undefined ? undefined : parseJson(marker.value);
  if (version?.ok !== true || version.value['imageLayoutVersion'] !== '1.0.0') {
    return broken('has no valid file "oci-layout"');
  }
  const bytes = await files.read('index.json', MAX_MANIFEST);
  if (!bytes.ok) return bytes;
  if (bytes.value === undefined) return broken('has no file "index.json"');
  const index = parseManifest(bytes.value, sha256(bytes.value), mediaType.ociIndex);
  if (!index.ok) return broken(`has an "index.json" that ${index.problem}`);
  if (index.value.kind !== 'index') return broken('has an "index.json" that is no index');
  const [first, ...others] = index.value.value.manifests;
  if (first === undefined) return broken('holds no image');
  const named = first.annotations?.[REF_NAME] !== undefined;
  const single = others.length === 0 && (named || first.platform === undefined);
  const root = single ? first : index.value.descriptor;
  return ok({ root, content: layoutContent(files, single ? undefined : index.value, broken) });
}

type Files = ReturnType<typeof layoutFiles>;

function layoutContent(
  files: Files,
  indexFile: ManifestContent | undefined,
  broken: (problem: string) => { readonly ok: false; readonly failure: ToolFailure },
): Content {
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
      const { size } = await file.value.stat();
      if (size !== descriptor.size) {
        await file.value.close();
        return broken(`holds ${size} bytes as ${descriptor.digest}, which should have ${descriptor.size}`);
      }
      const chunks = file.value.createReadStream({ highWaterMark: 256 * 1024 });
      const wrong = broken(`holds other bytes than ${descriptor.digest} says`);
      return ok(verified(chunks, descriptor, () => wrong.failure));
    },
  };
}

/** A digest is checked when it is parsed: its parts hold letters and digits only. */
function blobPath(digest: Digest): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function layoutFiles(base: string, broken: (problem: string) => { readonly ok: false; readonly failure: ToolFailure }) {
  /** Undefined: no such file. A link could lead out of the folder, so none is followed, neither file nor folder. */
  async function openFile(path: string): Promise<Result<FileHandle | undefined, ToolFailure>> {
    const parts = path.split('/');
    let handle: FileHandle | undefined;
    try {
      for (let depth = 1; depth < parts.length; depth += 1) {
        const folder = await lstat(join(base, ...parts.slice(0, depth)));
        if (!folder.isDirectory()) return broken(`has no real folder at ${parts.slice(0, depth).join('/')}`);
      }
      // Without O_NONBLOCK, opening a named pipe would wait for ever.
      handle = await open(join(base, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      if ((await handle.stat()).isFile()) return ok(handle);
      await handle.close();
      return broken(`has no regular file at ${path}`);
    } catch (error) {
      await handle?.close();
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'ENOENT') return ok(undefined);
      if (code === 'ELOOP') return broken(`has a symbolic link at ${path}`);
      return broken(`cannot be read at ${path} (${String(code)})`);
    }
  }

  async function read(path: string, limit: number): Promise<Read> {
    const file = await openFile(path);
    if (!file.ok || file.value === undefined) return file as Read;
    await using handle = file.value;
    const { size } = await handle.stat();
    if (size > limit) return broken(`has a file ${path} of more than ${limit} bytes`);
    const bytes = new Uint8Array(size);
    const { bytesRead } = await handle.read(bytes, 0, size, 0);
    return bytesRead === size ? ok(bytes) : broken(`changed while ${path} was read`);
  }

  return { open: openFile, read };
}
