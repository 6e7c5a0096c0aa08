/** Paths in the config: relative to its folder, and never out of it. */
import { realpath, stat } from 'node:fs/promises';
import { posix, resolve, sep } from 'node:path';
import { configFailure, fail, ok, type ConfigFailure, type Position, type Result } from '../failure.ts';
import { quote } from './quote.ts';
import { whyUnreadable } from './read-text.ts';

/** A path that the config names, for the check that it is there. */
export interface NamedPath {
  /** Relative to the config's folder, normalised. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'file or folder';
  readonly at: Position;
}

/** `./images/a/../b/` → `images/b`; the folder itself is `.`. Says nothing about what is on disk. */
export function normalisePath(text: string): Result<string, ConfigFailure> {
  if (/\p{Cc}/u.test(text)) return fail(configFailure(`the path ${quote(text)} has a control character`));
  if (text.startsWith('/')) {
    return fail(configFailure(`the path ${quote(text)} is absolute`, "paths are relative to the config's folder"));
  }
  const path = posix.normalize(text).replace(/\/+$/, '');
  if (path === '..' || path.startsWith('../')) {
    return fail(configFailure(`the path ${quote(text)} leaves the config's folder`, 'move the file into it'));
  }
  return ok(path);
}

/** Which of the paths are missing, of the wrong kind, or reached through a link that leaves the folder. */
export async function checkPaths(folder: string, paths: readonly NamedPath[]): Promise<ConfigFailure[]> {
  if (paths.length === 0) return [];
  const root = await realpath(folder);
  const checked = await Promise.all(paths.map((named) => checkPath(folder, root, named)));
  return checked.filter((failure) => failure !== undefined);
}

async function checkPath(
  folder: string,
  root: string,
  { path, kind, at }: NamedPath,
): Promise<ConfigFailure | undefined> {
  const absolute = resolve(folder, path);
  try {
    const real = await realpath(absolute);
    if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) {
      return configFailure(
        `${quote(path)} is a link that leaves the config's folder`,
        'put the file itself into it',
        at,
      );
    }
    const status = await stat(real);
    const right = (status.isFile() && kind !== 'folder') || (status.isDirectory() && kind !== 'file');
    return right ? undefined : configFailure(`${quote(path)} is not a ${kind}`, undefined, at);
  } catch (error) {
    return configFailure(`${quote(path)} ${whyUnreadable(error)}`, "paths are relative to the config's folder", at);
  }
}
