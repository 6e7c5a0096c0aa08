/** `emit`: the files that run the plan elsewhere, as workflows of GitHub Actions, written, or compared with those that are there. */
import { readdirSync, rmSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import {
  configFailure,
  errorCode,
  emitContext,
  emitPlan,
  planJson,
  type Checked,
  type EmitOutput,
} from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import type { Io } from '../io.ts';
import { readSettings } from '../load.ts';
import type { Options } from '../options.ts';
import { prepare, whyNobodyCounts } from '../prepare.ts';
import { leadsOut, readHere, writeHere } from '../write-file.ts';

export interface EmitOptions extends Options {
  readonly check: boolean;
  readonly dir: string;
  readonly split: boolean;
}

/** What becomes, or would become, of a file. */
interface FileChange {
  /** From the folder that the command runs in. */
  readonly path: string;
  readonly state: 'new' | 'changed' | 'same' | 'gone';
  /** Lines that are there and not in what is emitted, and the other way round. */
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** Lines of a difference that are shown of one file. */
const MAX_SHOWN = 12;

export async function emitCommand(io: Io, options: EmitOptions, format: string): Promise<number> {
  const command = format === 'github' ? 'emit github' : 'emit';
  const emitted = await emit(io, options, format);
  if (!emitted.ok) return refuse(io, options.json, command, emitted.failures);
  const folder = resolve(io.cwd, options.dir);
  const changes = compare(io.cwd, folder, emitted.value, format);
  const drifted = changes.filter(({ state }) => state !== 'same');
  if (!options.check) {
    const failure = write(folder, emitted.value, drifted, io.cwd);
    if (failure !== undefined) return refuse(io, options.json, command, [failure]);
  }
  const files = changes.map(({ path, state }) => ({ path, state }));
  const exitCode = options.check && drifted.length > 0 ? EXIT.failed : EXIT.done;
  return answer(io, options.json, command, exitCode, { files }, () =>
    options.check ? formatDrift(drifted) : changes.map(({ path, state }) => `${state} ${path}\n`).join(''),
  );
}

/** Of the plan on the main branch, whatever branch this is, and without a commit's name in it. */
export async function emit(
  io: Io,
  options: Pick<EmitOptions, 'config' | 'settings' | 'split'>,
  format: string,
): Promise<Checked<EmitOutput['files']>> {
  const config = resolve(io.cwd, options.config);
  const settings = await readSettings(io, options, dirname(config));
  if (!settings.ok) return settings;
  const onMain = { ...io.env, GITHUB_REF: `refs/heads/${settings.value.main}`, GITHUB_SHA: '0'.repeat(40) };
  const whole = { ...defaults, ...options, only: [], exclude: [] };
  const prepared = await prepare({ ...io, env: onMain }, whole, 'plan');
  if (!prepared.ok) return prepared;
  for (const warning of prepared.value.warnings) io.stderr(`warning: ${warning}\n`);
  const paths = [config, ...(options.settings === undefined ? [] : [resolve(io.cwd, options.settings)])].map((file) =>
    fromRoot(io, file),
  );
  const outside = paths.findIndex((path) => path === undefined);
  if (outside >= 0) {
    const message = `${outside === 0 ? options.config : options.settings} is outside of the folder that this runs in`;
    return { ok: false, failures: [configFailure(message, 'run it in the root of the checkout, as a workflow does')] };
  }
  const [configPath = '', settingsPath] = paths;
  const { planned, host, config: loaded } = prepared.value;
  const emitted = await emitPlan(
    host,
    format,
    {
      plan: planJson(planned.plan, loaded.selections, loaded.folder),
      context: emitContext(prepared.value.settings, {
        config: configPath,
        ...(settingsPath === undefined ? {} : { settings: settingsPath }),
      }),
      split: options.split,
    },
    { root: loaded.folder, log: (line) => io.stderr(`${line}\n`), signal: io.interrupt },
  );
  if (!emitted.ok) return { ok: false, failures: [emitted.failure] };
  const unsigned = whyNobodyCounts(prepared.value);
  if (unsigned !== undefined) {
    const what = `${unsigned.message}, so that these workflows would end with exit code 2`;
    io.stderr(`warning: ${what}: ${unsigned.hint}\n`);
  }
  const { files, warnings = [] } = emitted.value;
  for (const warning of warnings) io.stderr(`warning: ${warning}\n`);
  return { ok: true, value: files };
}

const defaults = { json: false, progress: 'quiet', frozen: false, fail: 'subgraph' } as const;

/** With `/`, as a workflow has it; undefined outside of the folder. */
function fromRoot({ cwd }: Io, file: string): string | undefined {
  const path = relative(cwd, file);
  return isAbsolute(path) || path.split(sep)[0] === '..' ? undefined : path.split(sep).join('/');
}

/** Files that are emitted, and those of an earlier time that are not any more. */
function compare(cwd: string, folder: string, files: EmitOutput['files'], format: string): readonly FileChange[] {
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
 * What has our first line was written by us, and by nobody who would miss it. A line that does not say so, as `#!/bin/sh`, is anybody's.
 */
function leftovers(folder: string, files: EmitOutput['files'], format: string): readonly string[] {
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

function formatDrift(changes: readonly FileChange[]): string {
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

function write(folder: string, files: EmitOutput['files'], drifted: readonly FileChange[], cwd: string) {
  for (const below of new Set(files.map(({ path }) => dirname(join(folder, path))))) {
    const out = leadsOut(below, cwd);
    if (out !== undefined) return out;
  }
  try {
    for (const { path, content } of files) {
      const file = join(folder, path);
      if (readHere(file) !== content) writeHere(file, content);
    }
    for (const { path, state } of drifted) if (state === 'gone') rmSync(resolve(cwd, path));
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
