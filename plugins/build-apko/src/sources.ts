/** The files that an apko build reads, and what else decides its result. */
import { apkArchitecture, CHECKOUT, configFailure, fail, inCheckout, isRemote, ok } from '@slipway/core';
import type { BuildEntry, ConfigFailure, Files, ModeInputs, Platform, Result } from '@slipway/core';
import { posix } from 'node:path';
import { parseConfig, type ApkoConfig } from './config.ts';

/** apko follows `include` without a limit of its own. */
const MAX_INCLUDES = 20;

/** Where melange puts packages there. */
const PACKAGES = `${CHECKOUT}packages`;
const NO_CONFIGS = 'it stands for packages that melange makes: name their files under melangeConfigs of the entry';

export interface Source {
  /** Relative to the root. */
  readonly file: string;
  readonly config: ApkoConfig;
}

/** The source and what it includes, the source first. */
export async function readSources(source: string, files: Files): Promise<Result<readonly Source[]>> {
  const found: Source[] = [];
  let next: string | undefined = source;
  while (next !== undefined) {
    const file: string = next;
    if (found.some((earlier) => earlier.file === file)) {
      return fail(
        configFailure(`${file} includes itself: ${[...found.map((earlier) => earlier.file), file].join(' → ')}`),
      );
    }
    if (found.length > MAX_INCLUDES) return fail(configFailure(`${source} includes more than ${MAX_INCLUDES} files`));
    const text = await files.read(file);
    if (!text.ok) return text;
    const config = parseConfig(text.value, file);
    if (!config.ok) return config;
    found.push({ file, config: config.value });
    next = undefined;
    if (config.value.include !== undefined) {
      const located = await locate(config.value.include, { file, config: config.value }, ['include'], (path) =>
        readable(path, files),
      );
      if (!located.ok) return located;
      next = located.value;
    }
  }
  return ok(found);
}

/**
 * The file of the root that a path in the configuration means. apko takes paths from its working directory, which is the
 * root; one that exists only beside the configuration itself is taken from there.
 */
export async function locate(
  written: string,
  source: Source,
  path: readonly (string | number)[],
  exists: (path: string) => Promise<boolean>,
): Promise<Result<string, ConfigFailure>> {
  const relative = inCheckout(written);
  const candidates = posix.isAbsolute(relative)
    ? []
    : [posix.normalize(relative), posix.join(posix.dirname(source.file), relative)];
  const inside = candidates.filter((candidate) => candidate !== '..' && !candidate.startsWith('../'));
  const at = source.config.at(path);
  if (inside.length === 0) {
    return fail(
      configFailure(`"${written}" in ${source.file} is outside of the config's folder`, 'name a file inside of it', at),
    );
  }
  for (const candidate of inside) if (await exists(candidate)) return ok(candidate.replace(/\/$/, ''));
  return fail(
    configFailure(
      `"${written}", named in ${source.file}, does not exist`,
      'paths are relative to the folder of config.yaml',
      at,
    ),
  );
}

async function readable(path: string, files: Files): Promise<boolean> {
  return (await files.read(path)).ok;
}

/** A folder with something in it, or a file that need not be text. */
async function present(path: string, files: Files): Promise<boolean> {
  const below = await files.list(path);
  return (below.ok && below.value.length > 0) || readable(path, files);
}

/** Configuration → paths in it as they are written → the same in the root: beside another configuration they mean other files. */
type Located = ReadonlyMap<Source['file'], ReadonlyMap<string, string>>;

/** Every local path that the sources name. Local repositories stand in for melange's packages when the entry has any. */
export async function locateAll(
  sources: readonly Source[],
  files: Files,
  withPackages: boolean,
): Promise<Result<Located>> {
  const located = new Map<string, ReadonlyMap<string, string>>();
  for (const source of sources) {
    const { config, file } = source;
    const own = new Map<string, string>();
    located.set(file, own);
    const wanted: [string, readonly (string | number)[]][] = [];
    if (config.include !== undefined) wanted.push([config.include, ['include']]);
    for (const [index, key] of config.keyring.entries())
      if (!isRemote(key)) wanted.push([key, ['contents', 'keyring', index]]);
    if (config.baseImage?.image !== undefined)
      wanted.push([config.baseImage.image, ['contents', 'baseimage', 'image']]);
    if (config.baseImage?.apkIndex !== undefined)
      wanted.push([config.baseImage.apkIndex, ['contents', 'baseimage', 'apkindex']]);
    for (const repository of config.repositories) {
      if (!repository.remote && !withPackages) wanted.push([repository.location, ['contents', 'repositories']]);
    }
    for (const [written, path] of wanted) {
      const found = await locate(written, source, path, (candidate) => present(candidate, files));
      if (!found.ok && written === PACKAGES) return fail({ ...found.failure, hint: NO_CONFIGS });
      if (!found.ok) return found;
      own.set(written, found.value);
    }
  }
  return ok(located);
}

/** What decides the result, for {@link ModeInputs}. */
export async function findInputs(entry: BuildEntry, files: Files): Promise<Result<ModeInputs>> {
  const sources = await readSources(entry.source, files);
  if (!sources.ok) return sources;
  const located = await locateAll(sources.value, files, entry.melangeConfigs.length > 0);
  if (!located.ok) return located;
  const platforms = choosePlatforms(entry, sources.value);
  const architectures: string[] = [];
  for (const platform of platforms) {
    const architecture = apkArchitecture(platform);
    if (architecture === undefined) {
      return fail(
        configFailure(
          `apko cannot build ${entry.source} for ${platform.os}/${platform.architecture}`,
          undefined,
          entry.at,
        ),
      );
    }
    architectures.push(architecture);
  }
  const names = new Set(sources.value.map((source) => source.file));
  for (const path of [...located.value.values()].flatMap((own) => [...own.values()])) {
    const below = await files.list(path);
    if (below.ok && below.value.length > 0) for (const file of below.value) names.add(file);
    else names.add(path);
  }
  const indexes = new Set<string>();
  for (const { config } of sources.value) {
    for (const { location, remote } of config.repositories) {
      if (remote) for (const architecture of architectures) indexes.add(`${location}/${architecture}/APKINDEX.tar.gz`);
    }
  }
  return ok({
    files: [...names].sort(),
    packageIndexes: [...indexes].sort(),
    bases: [],
    platforms,
    packages: [...new Set(sources.value.flatMap((source) => source.config.packages))].sort(),
    options: {},
  });
}

/**
 * The entry's platforms, else `archs:` of the configuration, the includer's before the included's as apko merges them,
 * else linux/amd64. apko's own default is every architecture it knows; the machine's own would make the result depend
 * on where it is built.
 */
function choosePlatforms(entry: BuildEntry, sources: readonly Source[]): readonly Platform[] {
  if (entry.platforms !== undefined && entry.platforms.length > 0) return entry.platforms;
  const named = sources.find((source) => source.config.platforms.length > 0);
  return named?.config.platforms ?? [{ os: 'linux', architecture: 'amd64' }];
}
