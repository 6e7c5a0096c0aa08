/**
 * A private copy of what a build reads. apko writes paths it is given into the image (repository lines into
 * /etc/apk/repositories, keyring names into /etc/apko.json), so it runs in a folder of its own with relative paths only:
 * two checkouts at two paths make one digest.
 */
import { configFailure, fail, folderFiles, ok, type BuildContext, type Result } from '@slipway/core';
import { copyFile, mkdir, readdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, posix, sep } from 'node:path';
import { isSeq } from 'yaml';
import { parseRepositoryLine, REPOSITORY_KEYS } from './config.ts';
import { locateAll, readSources, type Source } from './sources.ts';

/** Copies the inputs into `folder` and rewrites the configurations there. */
export async function makeWorkspace(context: BuildContext, folder: string): Promise<Result<void>> {
  const { root } = context.files;
  await mkdir(folder, { recursive: true });
  for (const file of context.inputs.files) {
    const from = await inside(root, file);
    if (from === undefined)
      return fail(
        configFailure(`"${file}" is missing, or outside of the config's folder`, undefined, context.entry.at),
      );
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await copyFile(from, join(folder, file));
  }
  const copied = folderFiles(folder);
  const sources = await readSources(context.entry.source, copied);
  if (!sources.ok) return sources;
  const withPackages = context.packageRepositories.length > 0 || context.entry.melangeConfigs.length > 0;
  const located = await locateAll(sources.value, copied, withPackages);
  if (!located.ok) return located;
  const packages: string[] = [];
  for (const [index, repository] of context.packageRepositories.entries()) {
    const name = packagesFolder(index);
    await symlink(repository, join(folder, name));
    packages.push(`./${name}`);
  }
  for (const source of sources.value) {
    if (rewrite(source, located.value.get(source.file) ?? new Map(), packages))
      await writeFile(join(folder, source.file), source.config.document.toString({ lineWidth: 0 }));
  }
  return ok(undefined);
}

/**
 * The public keys that lie beside melange's packages, relative to the workspace. One key signs many of them, and each
 * that is named gets into the image, so there is one of a name. apko writes keys of one name over each other in no order:
 * where the configuration has one of this name, it is that one.
 */
export async function packageKeys({
  packageRepositories,
  entry,
  files,
}: BuildContext): Promise<Result<readonly string[]>> {
  if (packageRepositories.length === 0) return ok([]);
  const sources = await readSources(entry.source, folderFiles(files.root));
  if (!sources.ok) return sources;
  const named = new Set(sources.value.flatMap(({ config }) => config.keyring.map((key) => posix.basename(key))));
  const keys = new Map<string, string>();
  for (const [index, repository] of packageRepositories.entries()) {
    for (const item of await readdir(repository, { withFileTypes: true })) {
      if (item.isFile() && item.name.endsWith('.pub') && !named.has(item.name) && !keys.has(item.name))
        keys.set(item.name, `${packagesFolder(index)}/${item.name}`);
    }
  }
  return ok([...keys.values()].sort());
}

function packagesFolder(index: number): string {
  return index === 0 ? 'packages' : `packages-${index + 1}`;
}

/**
 * Makes every local path of a configuration relative to the workspace, and puts melange's packages in the place of local
 * repositories, one line for each. True when something had to change.
 */
function rewrite({ config }: Source, located: ReadonlyMap<string, string>, packages: readonly string[]): boolean {
  const { document } = config;
  let changed = false;
  const set = (path: readonly (string | number)[], written: string): void => {
    const file = located.get(written);
    if (file === undefined || file === written) return;
    document.setIn(path, file);
    changed = true;
  };
  if (config.include !== undefined) set(['include'], config.include);
  for (const [index, key] of config.keyring.entries()) set(['contents', 'keyring', index], key);
  if (config.baseImage?.image !== undefined) set(['contents', 'baseimage', 'image'], config.baseImage.image);
  if (config.baseImage?.apkIndex !== undefined) set(['contents', 'baseimage', 'apkindex'], config.baseImage.apkIndex);
  for (const key of REPOSITORY_KEYS) {
    const node: unknown = document.getIn(['contents', key], true);
    if (!isSeq(node)) continue;
    const lines = node.items.map(String).flatMap((line) => repositoryLines(line, located, packages));
    if (lines.join('\n') === node.items.map(String).join('\n')) continue;
    document.setIn(['contents', key], lines);
    changed = true;
  }
  return changed;
}

function repositoryLines(
  line: string,
  located: ReadonlyMap<string, string>,
  packages: readonly string[],
): readonly string[] {
  const repository = parseRepositoryLine(line);
  if (repository === undefined || repository.remote) return [line];
  const tag = repository.tag === undefined ? '' : `@${repository.tag} `;
  if (packages.length > 0) return packages.map((path) => `${tag}${path}`);
  const path = located.get(repository.location);
  return path === undefined ? [line] : [`${tag}./${path}`];
}

/** The real path of a file, if it lies inside of `root` once symbolic links are followed. */
async function inside(root: string, file: string): Promise<string | undefined> {
  try {
    const [base, real] = await Promise.all([realpath(root), realpath(join(root, file))]);
    return real.startsWith(base + sep) ? real : undefined;
  } catch {
    return undefined;
  }
}
