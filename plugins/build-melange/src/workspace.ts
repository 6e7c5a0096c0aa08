/**
 * A private copy of what a package is built from. Melange runs in it with relative paths only, and its workspace is filled
 * from regular files alone: copying a socket or a pipe would hang for ever.
 */
import {
  configFailure,
  fail,
  fileState,
  folderFiles,
  ok,
  packagePipelines,
  packageSources,
  pipelineFolders,
  type Result,
  type TaskContext,
} from '@slipway/core';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { withLocalPaths } from './config.ts';

/** What of the inputs decides a package, in a fixed order: written down to be hashed. */
export type Inputs = readonly (readonly [what: string, value: string])[];

export interface Workspace {
  /** Where melange runs; the config has the same path in it as in the root. */
  readonly folder: string;
  /** Path of the config in it. */
  readonly config: string;
  /** Relative to `folder`; absent when there is nothing beside the config. */
  readonly source?: string;
  /** Folders with needed packages, relative to `folder`, and their public keys. */
  readonly repositories: readonly string[];
  readonly keyring: readonly string[];
  /** Folders with pipelines of one's own, relative to `folder`; some may not be there. */
  readonly pipelines: readonly string[];
  readonly inputs: Inputs;
}

const CHECKOUT = 'checkout';
const SOURCE = 'source';

/** `needed`: absolute paths of folders that earlier package tasks made. */
export async function makeWorkspace(
  { files }: TaskContext,
  config: string,
  needed: readonly string[],
): Promise<Result<Workspace>> {
  const { root, work } = files;
  const inside = folderFiles(root);
  const text = await inside.read(config);
  if (!text.ok) return text;
  const folder = join(work, CHECKOUT);
  const path = posix.normalize(config);
  const inputs: (readonly [string, string])[] = [['config', path]];
  const repositories = needed.map((_, index) => `../needs-${index + 1}`);
  const local = withLocalPaths(config, text.value, repositories);
  if (!local.ok) return local;
  inputs.push(['text', local.value.text]);
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), local.value.text);
  for (const file of local.value.files) {
    const copied = await copy(root, file, join(folder, posix.normalize(file)));
    if (!copied.ok) return copied;
    inputs.push([`key ${file}`, copied.value]);
  }

  const pipelines = await packagePipelines(inside, config, text.value);
  for (const { path: file } of pipelines) {
    const copied = await copy(root, file, join(folder, file));
    if (!copied.ok) return copied;
    inputs.push([`pipeline ${file}`, copied.value]);
  }

  const sources = await packageSources(inside, config);
  if (!sources.ok) return sources;
  const top = posix.dirname(path);
  for (const file of sources.value) {
    const relative = posix.relative(top, file);
    const copied = await copy(root, file, join(work, SOURCE, relative));
    if (!copied.ok) return copied;
    inputs.push([`source ${relative}`, copied.value]);
  }

  const keyring: string[] = [];
  for (const [index, repository] of needed.entries()) {
    const name = repositories[index] ?? '';
    await symlink(repository, join(folder, name));
    const found = await repositoryFiles(repository);
    if (!found.ok) return found;
    for (const file of found.value) {
      const state = await fileState(repository, file);
      if (!state.ok) return state;
      inputs.push([`need ${index + 1} ${file}`, state.value.sha256]);
      // Keys of one name would be written over each other in no order.
      if (isPublicKey(file) && !local.value.keys.has(file)) keyring.push(`${name}/${file}`);
    }
  }
  const source = sources.value.length === 0 ? {} : { source: `../${SOURCE}` };
  return ok({
    ...{ folder, config: path, ...source, repositories, keyring, inputs },
    pipelines: pipelines.length === 0 ? [] : pipelineFolders(path),
  });
}

/** Copies a regular file of the root; the hash of the copy, with a mark when it can be executed. */
async function copy(root: string, file: string, to: string): Promise<Result<string>> {
  // Before anything is written: the file's path may lead out of the root, and then `to` would lead out of the workspace.
  const found = await fileState(root, file);
  if (!found.ok) return found;
  await mkdir(dirname(to), { recursive: true });
  await copyFile(join(root, file), to, constants.COPYFILE_FICLONE);
  const { executable } = found.value;
  // Other bits of the mode differ between checkouts, by the umask of who made them.
  await chmod(to, executable ? 0o755 : 0o644);
  const copied = await fileState(dirname(to), posix.basename(to));
  return copied.ok ? ok(`${copied.value.sha256}${executable ? ' executable' : ''}`) : copied;
}

/** The packages and public keys of a folder that a package task made, sorted; indexes follow from them. */
async function repositoryFiles(repository: string): Promise<Result<readonly string[]>> {
  try {
    const items = await readdir(repository, { withFileTypes: true, recursive: true });
    const names = items
      .filter((item) => item.isFile())
      .map((item) => posix.relative(repository, posix.join(item.parentPath, item.name)));
    return ok(names.filter((name) => name.endsWith('.apk') || isPublicKey(name)).sort());
  } catch {
    return fail(configFailure(`the folder of packages ${repository} cannot be read`));
  }
}

function isPublicKey(name: string): boolean {
  return /^[^/]+\.pub$/.test(name);
}

/** One text for all that decides a package. */
export function hashInputs(inputs: Inputs): string {
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex');
}
