/** Files that are written as a whole from the config: what of them differs from what is there, and bringing it there. */
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { configFailure, errorCode, type ConfigFailure, type EmitOutput } from '@slipway/core';
import { leadsOut, readHere, writeHere } from './write-file.ts';

type Files = EmitOutput['files'];

/** What becomes, or would become, of a file. */
export interface FileChange {
  /** From the folder that the command runs in. */
  readonly path: string;
  readonly state: 'new' | 'changed' | 'same' | 'gone';
  /** Lines that are there and not in what is emitted, and the other way round. */
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** Lines of a difference that are shown of one file. */
const MAX_SHOWN = 12;

/** Files that are emitted, and those of an earlier time that are not any more. */
export function compareFiles(cwd: string, folder: string, files: Files, format: string): readonly FileChange[] {
  const name = (path: string): string => relative(cwd, join(folder, path)) || path;
  const emitted = files.map(({ path, content }): FileChange => {
    const before = readHere(join(folder, path));
    if (before === undefined) return { path: name(path), state: 'new', removed: [], added: [] };
    if (before === content) return { path: name(path), state: 'same', removed: [], added: [] };
    return { path: name(path), state: 'changed', ...differenceOf(before, content) };
  });
  const gone = leftovers(folder, files, format).map((path): FileChange => ({
    path: name(path),
    state: 'gone',
    removed: [],
    added: [],
  }));
  return [...emitted, ...gone];
}

/**
 * A file that begins with the same comment was written by us, so that nobody will miss it. The comment has to say so: a line such as
 * `#!/bin/sh` may be anybody's.
 */
function leftovers(folder: string, files: Files, format: string): readonly string[] {
  const [mark] = files[0]?.content.split('\n', 1) ?? [];
  if (mark === undefined || !mark.startsWith('#') || !mark.includes(`slipway emit ${format}`)) return [];
  const known = new Set(files.map(({ path }) => path));
  const folders = new Set(files.map(({ path }) => dirname(path)));
  return [...folders].flatMap((below) =>
    namesIn(join(folder, below))
      .map((file) => (below === '.' ? file : `${below}/${file}`))
      .filter((path) => !known.has(path) && readHere(join(folder, path))?.startsWith(`${mark}\n`) === true),
  );
}

/** Lines of one that are not in the other, as often as they are there; lines that only moved are no difference. */
function differenceOf(before: string, after: string): Pick<FileChange, 'removed' | 'added'> {
  const [old, fresh] = [before.split('\n'), after.split('\n')];
  const less = (from: readonly string[], other: readonly string[]): readonly string[] => {
    const left = new Map<string, number>();
    for (const line of other) left.set(line, (left.get(line) ?? 0) + 1);
    return from.filter((line) => {
      const count = left.get(line) ?? 0;
      left.set(line, count - 1);
      return count <= 0;
    });
  };
  return { removed: less(old, fresh), added: less(fresh, old) };
}

export function formatDrift(changes: readonly FileChange[]): string {
  if (changes.length === 0) return 'the workflows are what the config says\n';
  const said: Readonly<Record<FileChange['state'], string>> = {
    new: 'is missing',
    changed: 'is not what the config says',
    gone: 'is not emitted any more',
    same: '',
  };
  const lines = changes.flatMap(({ path, state, removed, added }) => {
    const shown = [...removed.map((line) => `  - ${line}`), ...added.map((line) => `  + ${line}`)].map(printable);
    const more = shown.length > MAX_SHOWN ? [`  and ${shown.length - MAX_SHOWN} more lines`] : [];
    return [`${path} ${said[state]}`, ...shown.slice(0, MAX_SHOWN), ...more];
  });
  return `${lines.join('\n')}\nwrite them with the same command without --check\n`;
}

function printable(line: string): string {
  return line.replaceAll(/[\p{Cc}\p{Cf}]/gu, '�').slice(0, 200);
}

/** Writes the files, and removes those of `changes` that are gone. */
export function writeFiles(
  cwd: string,
  folder: string,
  files: Files,
  changes: readonly FileChange[],
): ConfigFailure | undefined {
  for (const below of new Set(files.map(({ path }) => dirname(join(folder, path))))) {
    const out = leadsOut(below, cwd);
    if (out !== undefined) return out;
  }
  try {
    for (const { path, content } of files) {
      const file = join(folder, path);
      if (readHere(file) !== content) writeHere(file, content);
    }
    for (const { path, state } of changes) if (state === 'gone') rmSync(resolve(cwd, path));
    return undefined;
  } catch (error) {
    return configFailure(
      `the workflows cannot be written to ${folder} (${errorCode(error)})`,
      'name another folder with --dir',
    );
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}
