/** Files that commands leave where they are told, or by default in the checkout. */
import { lstatSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, relative, sep } from 'node:path';
import { configFailure, makeFolder, readRegular, type ConfigFailure } from '@slipway/core';

/**
 * Whether links below `cwd` lead a folder out of it: they may have come with the checkout, and files of the user's would be written over.
 * A path that names a place outside is the user's own word, links included.
 */
export function leadsOut(folder: string, cwd: string): ConfigFailure | undefined {
  if (!isWithin(folder, cwd)) return undefined;
  const real = realPath(folder);
  if (isWithin(real, realPath(cwd))) return undefined;
  return configFailure(
    `${relative(cwd, folder)} leads by a symbolic link to ${real}, which is not followed out of ${cwd}: it may have come with the checkout`,
    'name that folder itself, or remove the link',
  );
}

/** Of what is there of a path. */
function realPath(path: string): string {
  for (let there = path; ; there = dirname(there)) {
    try {
      return realpathSync(there);
    } catch {
      if (dirname(there) === there) return there;
    }
  }
}

export function isWithin(path: string, folder: string): boolean {
  const below = relative(folder, path);
  return !isAbsolute(below) && below.split(sep)[0] !== '..';
}

/** Bytes of what is compared with what is to be written. */
const MAX_OWN = 16 * 1024 * 1024;

/** What {@link writeHere} would write over; nothing of what a link leads to, which may be a secret of the user's. Undefined: there is no such file. */
export function readHere(file: string): string | undefined {
  return isLink(file) ? '' : readRegular(file, MAX_OWN);
}

/** Makes its folder too. A link in its place is replaced, never followed: it may have come with the checkout, and lead to a file of the user's. */
export function writeHere(file: string, content: string): void {
  makeFolder(dirname(file));
  if (isLink(file)) rmSync(file);
  writeFileSync(file, content);
}

function isLink(file: string): boolean {
  try {
    return lstatSync(file).isSymbolicLink();
  } catch {
    return false;
  }
}
