/**
 * The folder for state lies beside the config, so that it may have come with a checkout, and Git keeps links: through one, what is
 * swept there would be somebody's own files.
 */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';

/** The folder itself, and those in it whose files a run removes. */
const PARTS = ['.', 'runs', 'tmp', 'uploads', 'work'];

/** Throws what the file system says of a link that is not to be followed, before anything is made or removed. */
export function refuseLinks(folder: string): void {
  for (const part of PARTS) {
    const path = join(folder, part);
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) continue;
    throw Object.assign(new Error(`${path} is a symbolic link`), { code: 'ELOOP', syscall: 'lstat', path });
  }
}
