/**
 * A layout in a TAR archive. What is new goes to a layout in a working folder beside it, and the archive is written whole and put in place
 * once the run has ended. A killed run leaves that folder, and the next one goes on from it: from all of it if the archive is still the one
 * that it was begun on, otherwise from its blobs alone.
 */
import { createWriteStream } from 'node:fs';
import { readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { cancelled, fail, ok, type Result } from '../failure.ts';
import { makeFolder } from '../make-folder.ts';
import { removeTree } from '../exec/tmp.ts';
import type { Digest } from '../reference.ts';
import { StreamFailure } from './digest.ts';
import { filesInArchive } from './archive-files.ts';
import { codeOf } from './error-code.ts';
import { filesInFolder, layered, type Broken, type LayoutFiles } from './layout-files.ts';
import { blobPath, INDEX, layoutContent, MARKER, readIndexFile, readMarker } from './layout.ts';
import { lock, type Lock } from './lock.ts';
import { confine, markerBytes, type Medium } from './medium.ts';
import { partsOf, type Descriptor } from './model.ts';
import { isManifestType } from './parse.ts';
import { layerMembers, tarBytes, type LayerMember } from './tar.ts';
import { replaceFile } from './write-files.ts';

interface Work {
  /** Real path of the working folder. */
  readonly folder: string;
  readonly lock: Lock;
}

const UNFINISHED = '.archive';
const NO_LAYOUT =
  'it is no OCI image layout: of what docker save wrote, skopeo copy docker-archive:FILE oci-archive:NEW:TAG makes one';
const LOST = 'was left alone for so long, as by a machine that slept, that another run may have gone on with it';
/** Which archive the working folder was begun on. */
const BASE = '.base';

export function archiveMedium(root: string, path: string, signal?: AbortSignal): Medium {
  const file = resolve(root, path);
  let listed: { readonly stamp: string; readonly files: Promise<Result<LayoutFiles | undefined>> } | undefined;
  let working: Promise<Result<Work>> | undefined;
  /** Once there is something in the working folder. */
  let work: Work | undefined;

  /** The headers are read again only when the archive was replaced. */
  async function archive(broken: Broken): Promise<Result<LayoutFiles | undefined>> {
    const confined = await confine(root, path, broken);
    if (!confined.ok) return confined;
    const stamp = await stampOf(file);
    if (listed?.stamp !== stamp) listed = { stamp, files: filesInArchive(file, broken) };
    const files = await listed.files;
    if (!files.ok) listed = undefined;
    if (!files.ok || files.value === undefined) return files;
    const marker = await readMarker(files.value, broken);
    if (!marker.ok) return marker;
    return marker.value ? files : broken(`has no file "${MARKER}"`, NO_LAYOUT);
  }

  async function files(broken: Broken): Promise<Result<LayoutFiles | undefined>> {
    const there = await archive(broken);
    if (!there.ok || work === undefined) return there;
    const fresh = filesInFolder(work.folder, broken);
    return ok(there.value === undefined ? fresh : layered(fresh, there.value));
  }

  async function prepare(broken: Broken): Promise<Result<Work>> {
    const there = await archive(broken);
    if (!there.ok) return there;
    try {
      makeFolder(dirname(file));
      const confined = await confine(root, path, broken);
      if (!confined.ok) return confined;
      const folder = await workFolder(file);
      makeFolder(folder);
      const taken = await lock(folder);
      if (taken === undefined) return broken('is being written by another run');
      await rebase(folder, await stampOf(file));
      await replaceFile(folder, MARKER, markerBytes);
      return ok({ folder, lock: taken });
    } catch (error) {
      return broken(`cannot be written (${codeOf(error)})`);
    }
  }

  return {
    files,
    async writable(broken) {
      working ??= prepare(broken);
      const answer = await working;
      if (!answer.ok) {
        working = undefined;
        return answer;
      }
      work = answer.value;
      return work.lock.isHeld() ? ok(work.folder) : broken(LOST);
    },
    async finish(broken) {
      if (work === undefined) return tidy(file);
      if (!work.lock.isHeld()) return broken(LOST);
      const whole = await files(broken);
      if (!whole.ok) return whole;
      const members = whole.value === undefined ? ok([]) : await reachable(whole.value, broken);
      if (!members.ok) return members;
      // Nothing has a name yet: what is there is left for the next run.
      if (members.value.length === 0) return ok(undefined);
      try {
        const unfinished = join(work.folder, UNFINISHED);
        const stop = signal === undefined ? {} : { signal };
        await pipeline(Readable.from(tarBytes(members.value)), createWriteStream(unfinished, { flush: true }), stop);
        await rename(unfinished, file);
        await removeTree(work.folder);
      } catch (error) {
        if (error instanceof StreamFailure) return fail(error.failure);
        // Gigabytes take longer than an interrupted run has. The working folder stays, and is gone on from.
        if (signal?.aborted === true) return fail(cancelled);
        return broken(`cannot be written (${codeOf(error)})`);
      }
      await work.lock.release();
      [work, working, listed] = [undefined, undefined, undefined];
      return ok(undefined);
    },
    async close() {
      await work?.lock.release();
    },
  };
}

function workFolder(file: string): Promise<string> {
  return realpath(dirname(file)).then((parent) => join(parent, `.${basename(file)}.slipway`));
}

/** If the archive was replaced since the working folder was begun, names in the folder would override those of the new archive. */
async function rebase(folder: string, stamp: string): Promise<void> {
  if ((await baseOf(folder)) === stamp) return;
  await rm(join(folder, INDEX), { force: true });
  await replaceFile(folder, BASE, new TextEncoder().encode(stamp));
}

/** `undefined`: nothing was begun in it. */
async function baseOf(folder: string): Promise<string | undefined> {
  return readFile(join(folder, BASE), 'utf8').catch(() => undefined);
}

/** A run that was killed once the archive was in place has left its working folder or its lock: both are of no use any more. */
async function tidy(file: string): Promise<Result<void>> {
  try {
    const folder = await workFolder(file);
    if ((await baseOf(folder)) === (await stampOf(file))) return ok(undefined);
    const isLeft = await Promise.all([folder, `${folder}.lock`].map(stampOf));
    if (isLeft.every((stamp) => stamp === '')) return ok(undefined);
    makeFolder(folder);
    const taken = await lock(folder);
    if (taken === undefined) return ok(undefined);
    await removeTree(folder);
    await taken.release();
  } catch {
    // What may not be tidied up here costs space.
  }
  return ok(undefined);
}

async function stampOf(file: string): Promise<string> {
  const status = await stat(file).catch(() => undefined);
  return status === undefined ? '' : `${status.ino} ${status.size} ${status.mtimeMs}`;
}

/** Members for all that can be reached from `index.json`; none when it lists nothing. */
async function reachable(files: LayoutFiles, broken: Broken): Promise<Result<readonly LayerMember[]>> {
  const index = await readIndexFile(files, broken);
  if (!index.ok) return index;
  const entries = index.value?.value.manifests ?? [];
  if (index.value === undefined || entries.length === 0) return ok([]);
  const content = layoutContent(files, undefined, broken);
  const open: Descriptor[] = [...entries];
  const sizes = new Map<Digest, number>();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { digest } = next;
    if (sizes.has(digest)) continue;
    const blob = await files.open(blobPath(digest));
    if (!blob.ok) return blob;
    // Foreign layers, and platforms that were left out when the layout was made: those need not be there.
    if (blob.value === undefined) continue;
    await blob.value.close();
    sizes.set(digest, blob.value.size);
    if (!isManifestType(next.mediaType)) continue;
    const manifest = await content.manifest(digest);
    if (!manifest.ok) return manifest;
    for (const part of manifest.value === undefined ? [] : partsOf(manifest.value)) open.push(part);
  }
  const blobs = [...sizes].map(([digest, size]): LayerMember => {
    const read = (): AsyncIterable<Uint8Array> => blobBytes(files, digest);
    return { type: 'file', path: blobPath(digest), content: { size, read } };
  });
  return layerMembers([
    ...blobs,
    { type: 'file', path: INDEX, content: index.value.bytes },
    { type: 'file', path: MARKER, content: markerBytes },
  ]);
}

async function* blobBytes(files: LayoutFiles, digest: Digest): AsyncGenerator<Uint8Array> {
  const blob = await files.open(blobPath(digest));
  if (!blob.ok) throw new StreamFailure(blob.failure);
  if (blob.value !== undefined) yield* blob.value.stream();
}
