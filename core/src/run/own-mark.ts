/**
 * How files in `.slipway` are known to be this user's own. That folder is beside the config, so that it may come with a checkout, with
 * any permissions; what only this file outside of it tells cannot.
 */
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Variables } from '../exec/environment.ts';
import { userHome } from '../user-home.ts';

const MARK = /^[0-9a-f]{64}$/;

/** The mark of this user on this machine, made now if there is none. Undefined: there is no place for one. */
export function ownMark(env: Variables): string | undefined {
  const { XDG_CACHE_HOME: cache } = env;
  const home = userHome(env);
  const folder = cache && isAbsolute(cache) ? cache : home && join(home, '.cache');
  if (folder === undefined) return undefined;
  const own = join(folder, 'slipway');
  const file = join(own, 'own-mark');
  return readMark(file) ?? makeMark(file, [folder, own]);
}

function readMark(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return MARK.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

function makeMark(file: string, folders: readonly string[]): string | undefined {
  // One by one: with `recursive`, Node tries for ever in a file system that says of a new folder that it is not there, as /proc does.
  for (const folder of folders) makeFolder(folder);
  // Not by the pid alone: in another container, with the same home, another process has it.
  const draft = `${file}.${randomBytes(8).toString('hex')}`;
  try {
    writeFileSync(draft, `${randomBytes(32).toString('hex')}\n`, { flag: 'wx', mode: 0o600 });
    place(draft, file);
  } catch {
    // Nobody can make one here; a full disk may leave half of one.
  }
  remove(draft);
  return readMark(file);
}

/** Whole from the start: a part of one, as a full disk or a kill would leave it, would keep every later run from having any. */
function place(draft: string, file: string): void {
  try {
    linkSync(draft, file);
  } catch {
    // A run beside this one has just made it; or it is such a part, or a file system without links.
    if (readMark(file) === undefined) renameSync(draft, file);
  }
}

function remove(draft: string): void {
  try {
    rmSync(draft, { force: true });
  } catch {
    // It is in nobody's way.
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch {
    // It is there, or what is to be in it cannot be made, which is seen then.
  }
}
