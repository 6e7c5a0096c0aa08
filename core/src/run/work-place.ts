/**
 * Where plugins keep what saves time: databases of vulnerabilities, packages, downloads. What is found there decides what an image is
 * made of and what is found in it, and `.slipway` may have come with a checkout. So the place has a name that only this user's runs
 * know, and permissions that Git keeps of no folder.
 */
import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from '../exec/tmp.ts';

/** `mark`: see `own-mark.ts`; undefined: there is none, and what is kept goes with the run, in `tmp`. */
export async function workPlace(stateFolder: string, tmp: string, mark: string | undefined): Promise<string> {
  if (mark === undefined) return join(tmp, 'work');
  const place = join(stateFolder, 'work', createHash('sha256').update(`work\n${mark}`).digest('hex').slice(0, 32));
  const status = lstatSync(place, { throwIfNoEntry: false });
  if (status === undefined) return place;
  const isOurs =
    status.isDirectory() && (status.mode & 0o077) === 0 && status.uid === (process.getuid?.() ?? status.uid);
  if (!isOurs) await removeTree(place);
  return place;
}
