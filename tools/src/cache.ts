/** Where built tools are kept: outside any checkout, one folder for each combination of sources, flags and Go version. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { userHome } from '@slipway/core';
import semver from 'semver';
import { buildArguments, buildEnvironment, modulesFolder } from './pins.ts';
import type { Pin } from './pins.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `SLIPWAY_TOOLS`, else `$XDG_CACHE_HOME/slipway/tools`, else `~/.cache/slipway/tools`. Relative values are ignored. Undefined: nothing
 * of it is set, and the user has no home.
 */
export function cacheFolder(env: Environment): string | undefined {
  const own = env['SLIPWAY_TOOLS'];
  if (own !== undefined && isAbsolute(own)) return own;
  const cache = env['XDG_CACHE_HOME'];
  if (cache !== undefined && isAbsolute(cache)) return join(cache, 'slipway', 'tools');
  const home = userHome(env);
  return home && join(home, '.cache', 'slipway', 'tools');
}

/** Why there is none, and what to do then. */
export const noCache = 'there is no home, and so no folder for tools that are built';
export const nameCache = 'Set SLIPWAY_TOOLS, or XDG_CACHE_HOME, to an absolute path';

export interface Place {
  /** The pinned modules; `modulesFolder` unless a test says otherwise. */
  readonly modules?: string;
  /** As `linux/x64`. */
  readonly system?: string;
}

/**
 * What a tool is built from, as 32 hex digits: `go.mod`, `go.sum`, our own `.go` files, the flags and the system.
 * The version of Go is not in it: {@link cachedTool} must know the folder without starting Go.
 */
export async function sourceKey(pin: Pin, place: Place = {}): Promise<string> {
  const folder = join(place.modules ?? modulesFolder, pin.name);
  const names = (await readdir(folder)).filter((name) => isSource(name, pin)).toSorted();
  const contents = await Promise.all(names.map((name) => readFile(join(folder, name))));
  const hash = createHash('sha256');
  hash.update(JSON.stringify([buildArguments(pin, ''), buildEnvironment(pin), place.system ?? thisSystem]));
  // Lengths keep two different sets of files from running together into the same bytes.
  for (const [index, content] of contents.entries())
    hash.update(`\n${names[index]} ${content.length}\n`).update(content);
  return hash.digest('hex').slice(0, 32);
}

const thisSystem = `${process.platform}/${process.arch}`;

function isSource(name: string, pin: Pin): boolean {
  return name === 'go.mod' || name === 'go.sum' || (pin.package === '.' && name.endsWith('.go'));
}

/** Where a build of `pin` by a version of Go (as `1.26.8`) is kept. */
export async function builtPath(cache: string, pin: Pin, goVersion: string, place: Place = {}): Promise<string> {
  return join(cache, pin.name, `${await sourceKey(pin, place)}-go${goVersion}`, pin.name);
}

/**
 * The build of a pin that is in the cache, by the newest Go if there are several; undefined when there is none.
 * Only complete builds are there: they are renamed into place.
 */
export async function cachedTool(cache: string, pin: Pin, place: Place = {}): Promise<string | undefined> {
  const prefix = `${await sourceKey(pin, place)}-go`;
  const folders = await readdir(join(cache, pin.name)).catch((): readonly string[] => []);
  const versions = folders.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  for (const version of semver.rsort(versions.filter((each) => semver.valid(each) !== null))) {
    const built = await readdir(join(cache, pin.name, prefix + version)).catch((): readonly string[] => []);
    if (built.includes(pin.name)) return join(cache, pin.name, prefix + version, pin.name);
  }
  return undefined;
}
