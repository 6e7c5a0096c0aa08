/** Where a layout's files are and where new ones go: a folder here, an archive in `archive-medium.ts`. */
import { lstat, readdir, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { fail, ok, type Result } from '../failure.ts';
import { makeFolder } from '../make-folder.ts';
import { codeOf } from './error-code.ts';
import { filesInFolder, type Broken, type LayoutFiles } from './layout-files.ts';
import { MARKER, readMarker } from './layout.ts';
import { removeLeftLock } from './lock.ts';
import { isUnfinished, removeAbandoned, replaceFile } from './write-files.ts';

export interface Medium {
  /** `undefined`: nothing is there. */
  files(broken: Broken): Promise<Result<LayoutFiles | undefined>>;
  /** The real path of the folder of a layout that new files go to; it is made when it is first asked for. */
  writable(broken: Broken): Promise<Result<string>>;
  /** Puts what was written where it belongs, once a run has ended, and takes away what killed runs have left there. */
  finish(broken: Broken): Promise<Result<void>>;
  close(): Promise<void>;
}

/** `path` as a location has it; relative ones may not lead out of `root`, be it by a link. */
export function folderMedium(root: string, path: string): Medium {
  const base = resolve(root, path);
  let ready: Promise<Result<string>> | undefined;

  async function files(broken: Broken): Promise<Result<LayoutFiles | undefined>> {
    const confined = await confine(root, path, broken);
    if (!confined.ok) return confined;
    const real = await realFolder(base, broken);
    if (!real.ok || real.value === undefined) return real as Result<undefined>;
    const inside = filesInFolder(real.value, broken);
    const marker = await readMarker(inside, broken);
    if (!marker.ok) return marker;
    if (marker.value) return ok(inside);
    // Empty, or left by a run that was killed while it wrote the marker.
    const isEmpty = (await readdir(real.value)).every(isUnfinished);
    return isEmpty ? ok(undefined) : broken(`has no file "${MARKER}"`);
  }

  async function prepare(broken: Broken): Promise<Result<string>> {
    const there = await files(broken);
    if (!there.ok) return there;
    try {
      makeFolder(base);
      const real = await realpath(base);
      const confined = await confine(root, path, broken);
      if (!confined.ok) return confined;
      await removeAbandoned(real);
      if (there.value === undefined) await replaceFile(real, MARKER, markerBytes);
      return ok(real);
    } catch (error) {
      return broken(`cannot be written (${codeOf(error)})`);
    }
  }

  return {
    files,
    async writable(broken) {
      ready ??= prepare(broken);
      const answer = await ready;
      if (!answer.ok) ready = undefined;
      return answer;
    },
    async finish(broken) {
      const there = await files(broken);
      // A failure was told already, when something was read or written.
      if (!there.ok || there.value === undefined) return ok(undefined);
      try {
        const real = await realpath(base);
        await removeAbandoned(real);
        await removeLeftLock(join(real, MARKER));
      } catch {
        // What may not be tidied up here costs space.
      }
      return ok(undefined);
    },
    close: () => Promise.resolve(),
  };
}

export const markerBytes: Uint8Array = new TextEncoder().encode('{"imageLayoutVersion":"1.0.0"}');

/** An absolute path is taken as it is; a relative one must lie in `root` once every link on the way is followed. */
export async function confine(root: string, path: string, broken: Broken): Promise<Result<void>> {
  if (isAbsolute(path)) return ok(undefined);
  try {
    const [top, real] = await Promise.all([realpath(root), nearestReal(resolve(root, path))]);
    if (real === top || real.startsWith(top === sep ? sep : top + sep)) return ok(undefined);
  } catch (error) {
    return broken(`cannot be looked at (${codeOf(error)})`);
  }
  const refused = broken("is reached through a link that leaves the config's folder");
  return fail({ ...refused.failure, hint: 'write the path that the link leads to, from the root of the file system' });
}

/** The real path of what exists of `path`. Empty, and so nowhere in a folder, for a link to nothing: no file may be made through it. */
async function nearestReal(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    try {
      return await realpath(at);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || at === dirname(at)) throw error;
      if (await isLink(at)) return '';
    }
  }
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (status) => status.isSymbolicLink(),
    () => false,
  );
}

async function realFolder(path: string, broken: Broken): Promise<Result<string | undefined>> {
  try {
    const real = await realpath(path);
    return (await lstat(real)).isDirectory() ? ok(real) : broken('is not a folder');
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? ok(undefined) : broken(`cannot be read (${codeOf(error)})`);
  }
}
