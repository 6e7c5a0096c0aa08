/** New files of a layout: each appears whole or not at all, and links in the layout are never followed. */
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isAbandoned, ownName } from '../exec/owner.ts';
import { errorCode } from '../failure.ts';

const UNFINISHED = '.slipway-';

/** Puts `path` (relative to the layout) in place, or replaces it. Throws what the file system or the bytes' stream throws. */
export async function replaceFile(
  base: string,
  path: string,
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<void> {
  const temporary = join(base, `${UNFINISHED}${await ownName()}.${randomBytes(6).toString('hex')}`);
  try {
    {
      await using file = await open(temporary, 'wx', 0o644);
      if (bytes instanceof Uint8Array) await file.writeFile(bytes);
      else for await (const chunk of bytes) await file.writeFile(chunk);
      // The medium may be pulled out as soon as the run has ended.
      await file.datasync();
    }
    await makeFolders(base, dirname(path));
    await rename(temporary, join(base, path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** One at a time: `recursive` would follow a link. */
async function makeFolders(base: string, path: string): Promise<void> {
  if (path === '.') return;
  await makeFolders(base, dirname(path));
  const folder = join(base, path);
  try {
    await mkdir(folder);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    if ((await lstat(folder)).isDirectory()) return;
    throw Object.assign(new Error(`${path} is not a folder`), { code: 'ENOTDIR' });
  }
}

/** A name in the folder of a layout that is no part of the layout yet. */
export function isUnfinished(name: string): boolean {
  return name.startsWith(UNFINISHED);
}

/** What killed runs left unfinished; nothing of a run that is at work. */
export async function removeAbandoned(base: string): Promise<void> {
  for (const name of await readdir(base)) {
    if (!isUnfinished(name)) continue;
    const file = join(base, name);
    const status = await lstat(file).catch(() => undefined);
    if (status?.isFile() !== true) continue;
    const [owner = ''] = name.slice(UNFINISHED.length).split('.', 1);
    if (await isAbandoned(owner, status.mtimeMs)) await rm(file, { force: true });
  }
}
