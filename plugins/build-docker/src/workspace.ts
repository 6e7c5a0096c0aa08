/**
 * A private copy of what a build reads. The builder is sent every file of a folder with its mode, so the copy is what makes
 * two checkouts equal: without `.git` and our own folder, without what is ignored, and with modes that no umask changed.
 */
import {
  cancelled,
  configFailure,
  errorCode,
  fail,
  folderFiles,
  ok,
  type BuildContext,
  type Result,
} from '@slipway/core';
import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readlink, realpath, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import type { Ignored } from './ignore.ts';
import { contextFolder, readIgnore } from './inputs.ts';

export interface Workspace {
  /** Relative to the task's folder. */
  readonly dockerfile: string;
  /** What the Dockerfile says. */
  readonly text: string;
  readonly context: string;
}

/** Like the planner's view of the config's folder. */
const LEFT_OUT: ReadonlySet<string> = new Set(['.git', '.slipway']);

export async function makeWorkspace(context: BuildContext): Promise<Result<Workspace>> {
  const { entry, files } = context;
  const sources = folderFiles(files.root);
  const text = await sources.read(entry.source);
  if (!text.ok) return text;
  const read = await readIgnore(entry, sources);
  if (!read.ok) return read;
  const rules = read.value;
  const workspace = { dockerfile: `dockerfile/${basename(entry.source)}`, text: text.value, context: 'context' };
  await mkdir(join(files.work, 'dockerfile'));
  await writeFile(join(files.work, workspace.dockerfile), text.value);
  // Always there: otherwise the builder would apply a `.dockerignore` that the Dockerfile's own one stands in for.
  await writeFile(join(files.work, `${workspace.dockerfile}.dockerignore`), rules.text ?? '');
  const from = await realFolder(files.root, contextFolder(entry));
  if (from === undefined) {
    return fail(
      configFailure(
        `the build context "${contextFolder(entry)}" is not a folder inside of the config's folder`,
        undefined,
        entry.at,
      ),
    );
  }
  const to = join(files.work, workspace.context);
  await mkdir(to);
  await chmod(to, 0o755);
  const copied = await copyFolder({ from, to, ignored: rules.ignored, signal: context.signal });
  return copied ? ok(workspace) : fail(cancelled);
}

interface Copying {
  readonly from: string;
  readonly to: string;
  readonly ignored: Ignored;
  readonly signal: AbortSignal;
}

/**
 * Folders appear with the first thing in them. Symbolic links stay links, and nothing is read through them. What is gone again when its
 * turn comes, as an editor's temporary file, was never there; of what the key has, the core sees that it is gone.
 */
async function copyFolder({ from, to, ignored, signal }: Copying): Promise<boolean> {
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const item of (await unlessGone(readdir(join(from, folder), { withFileTypes: true }))) ?? []) {
      if (signal.aborted) return false;
      if (LEFT_OUT.has(item.name)) continue;
      const path = folder === '' ? item.name : `${folder}/${item.name}`;
      if (item.isDirectory()) {
        if (!ignored.folder(path)) folders.push(path);
      } else if (!ignored.file(path) && (item.isFile() || item.isSymbolicLink())) {
        await makeFolders(to, dirname(path));
        if (item.isFile()) await unlessGone(copyPlain(join(from, path), join(to, path)));
        else {
          const target = await unlessGone(readlink(join(from, path)));
          if (target !== undefined) await symlink(target, join(to, path));
        }
      }
    }
  }
  return true;
}

async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
}

/** The mode that Git would give it. */
async function copyPlain(from: string, to: string): Promise<void> {
  const { mode } = await stat(from);
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await chmod(to, (mode & 0o100) === 0 ? 0o644 : 0o755);
}

async function makeFolders(top: string, path: string): Promise<void> {
  const first = await mkdir(join(top, path), { recursive: true });
  if (first === undefined) return;
  for (let folder = join(top, path); folder.length >= first.length; folder = dirname(folder))
    await chmod(folder, 0o755);
}

/** The real path of a folder, if it lies inside of `root` once symbolic links are followed. */
async function realFolder(root: string, folder: string): Promise<string | undefined> {
  try {
    const [base, real] = await Promise.all([realpath(root), realpath(join(root, folder))]);
    const inside = real === base || real.startsWith(base + sep);
    return inside && (await stat(real)).isDirectory() ? real : undefined;
  } catch {
    return undefined;
  }
}
