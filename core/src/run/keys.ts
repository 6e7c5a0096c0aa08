/**
 * The two keys of a build. The input key needs no tool: the entry, its files, the state of the package indexes, the base
 * digests, the options, the accepted versions of the tools. The resolved key has the exact packages in place of the indexes.
 */
import { createHash } from 'node:crypto';
import type { BuildEntry } from '../config/model.ts';
import { configFailure, fail, ok, type ConfigFailure, type Result } from '../failure.ts';
import type { Change } from '../journal/events.ts';
import { apkArchitectureOf } from '../oci/apk-architecture.ts';
import { fileState, touchedAt, type FileState } from '../plan/files.ts';
import type { Task } from '../plan/model.ts';
import { packageSources } from '../plan/package-sources.ts';
import { taskId } from '../plan/task-id.ts';
import type { ModeInputs } from '../plugin/api.ts';
import type { Digest } from '../reference.ts';
import { canonicalJson } from '../trust/statement.ts';
import type { BuildKeys } from '../trust/model.ts';
import type { Engine } from './engine.ts';
import { oncePer } from './once-per.ts';

/** What the names of parts begin with that are files. */
const FILE = 'file ';

/** Milliseconds that a file system's clock may be behind ours. */
const CLOCK = 2000;

/** Hex digits of a part that are kept: enough to see that it changed. */
const SHORT = 12;

export interface KeyParts {
  /** Everything but the package indexes. */
  readonly fixed: ReadonlyMap<string, string>;
  readonly indexes: ReadonlyMap<string, string>;
}

/** Hashes what decides the result of `entry`; `bases` are the digests of the images it builds on. */
export async function keyParts(
  engine: Engine,
  entry: BuildEntry,
  mode: string,
  inputs: ModeInputs,
  bases: Readonly<Record<string, Digest>>,
): Promise<Result<KeyParts>> {
  const fixed = new Map<string, string>();
  const { source, platforms, melangeConfigs, dockerOptions, options } = entry;
  fixed.set(
    'entry',
    hash(
      canonicalJson({ source, platforms: platforms ?? inputs.platforms, melangeConfigs, dockerOptions, options, mode }),
    ),
  );
  fixed.set('options', hash(canonicalJson(inputs.options)));
  fixed.set('tools', hash(canonicalJson(engine.host.toolNeeds(mode))));
  const named = new Set(inputs.files);
  for (const path of [...new Set([...named, ...melangeConfigs])].sort()) {
    const state = await fileState(engine.config.folder, path);
    if (!state.ok) return fail(unreadable(entry, named.has(path) ? mode : undefined, state.failure));
    fixed.set(`${FILE}${path}`, stateHash(state.value));
  }
  const packages = await packageParts(engine, entry);
  if (!packages.ok) return fail({ at: entry.at, ...packages.failure });
  for (const [name, value] of packages.value.fixed) fixed.set(name, value);
  for (const [text, digest] of Object.entries(bases)) fixed.set(`base ${text}`, digest.slice(digest.indexOf(':') + 1));
  const indexes = new Map<string, string>();
  for (const [url, digest] of await Promise.all(
    [...new Set([...inputs.packageIndexes, ...packages.value.indexes])].map(
      async (url) => [url, await engine.indexes.digest(url)] as const,
    ),
  )) {
    if (!digest.ok) return digest;
    indexes.set(`index ${url}`, digest.value);
  }
  return ok({ fixed, indexes });
}

/** `mode`: the build mode whose word it is that the file decides, where no config shows it. */
function unreadable(entry: BuildEntry, mode: string | undefined, { message, hint }: ConfigFailure): ConfigFailure {
  const said = mode === undefined ? '' : `build mode "${mode}" names a file that cannot be taken: `;
  return configFailure(`${said}${message}`, hint, entry.at);
}

/** Bytes, mode, and where a link leads: builds are sent all of it. */
function stateHash({ sha256, executable, link }: FileState): string {
  const more = [...(executable ? ['executable'] : []), ...(link === undefined ? [] : [`link ${link}`])];
  return more.length === 0 ? sha256 : hash([sha256, ...more].join(' '));
}

interface PackageParts {
  readonly fixed: ReadonlyMap<string, string>;
  /** URLs. */
  readonly indexes: readonly string[];
}

/**
 * What decides the packages that an image takes: every melange config, also those that only others need, the files of its
 * folder, how it is built, and the state of the repositories that its build environment is made from, with their keys.
 */
async function packageParts(engine: Engine, entry: BuildEntry): Promise<Result<PackageParts>> {
  const fixed = new Map<string, string>();
  const indexes = new Set<string>();
  const tasks = packageTasksOf(engine, taskId(entry.id, 'build'));
  for (const task of tasks) {
    const config = engine.planned.packages.get(task.id);
    if (config === undefined) continue;
    const sources = await packageSources(engine.files, config.config);
    if (!sources.ok) return sources;
    for (const path of [config.config, ...sources.value, ...config.keys, ...config.pipelines]) {
      const state = await fileState(engine.config.folder, path);
      if (!state.ok) return state;
      fixed.set(`${FILE}${path}`, stateHash(state.value));
    }
    const { architectures } = task.input as { readonly architectures: readonly string[] };
    for (const architecture of architectures.map(apkArchitectureOf)) {
      for (const repository of config.repositories) indexes.add(`${repository}/${architecture}/APKINDEX.tar.gz`);
    }
  }
  if (tasks.length > 0) {
    const { host } = engine;
    const contract = 'package.build@1';
    const builder = { options: host.owner(contract)?.options ?? {}, tools: host.toolNeeds(contract) };
    fixed.set('packages', hash(canonicalJson(builder)));
  }
  return ok({ fixed, indexes: [...indexes] });
}

/** The package tasks that a task needs, directly or through others. */
function packageTasksOf({ planned }: Engine, id: string): readonly Task[] {
  const tasks = tasksById(planned.plan.tasks);
  const found = new Set<Task>();
  const open = [...(tasks.get(id)?.needs ?? [])];
  for (let need = open.pop(); need !== undefined; need = open.pop()) {
    const task = tasks.get(need);
    if (task === undefined || task.entry !== null || found.has(task)) continue;
    found.add(task);
    for (const other of task.needs) open.push(other);
  }
  return [...found];
}

/** Once a plan, so that the cost of an entry does not grow with the plan. */
const tasksById = oncePer((tasks: readonly Task[]) => new Map(tasks.map((task) => [task.id, task])));

export function inputKeys({ fixed, indexes }: KeyParts): BuildKeys {
  const parts = [...fixed, ...indexes];
  return { input: hash(canonicalJson(Object.fromEntries(parts))), parts: short(parts) };
}

/** `packages`: package → version and checksum, as the mode resolved them. */
export function resolvedKeys(keys: KeyParts, packages: Readonly<Record<string, string>>): BuildKeys {
  const { input, parts } = inputKeys(keys);
  const resolved = Object.fromEntries([...keys.fixed, ['resolved', hash(canonicalJson(packages))]]);
  return { input, parts, resolved: hash(canonicalJson(resolved)) };
}

/**
 * Of a key that was made in this process, the files that are not what they were then, by the names of their parts. Only those are read
 * again that anything has happened to since the process began.
 */
export async function editedFiles(engine: Engine, { parts }: BuildKeys): Promise<readonly string[]> {
  const edited: string[] = [];
  for (const [part, digest] of Object.entries(parts)) {
    if (!part.startsWith(FILE)) continue;
    const path = part.slice(FILE.length);
    if (touchedAt(engine.config.folder, path) < performance.timeOrigin - CLOCK) continue;
    const state = await fileState(engine.config.folder, path);
    if (!state.ok || stateHash(state.value).slice(0, SHORT) !== digest) edited.push(part);
  }
  return edited;
}

/** Of an image of which nobody can say what it was made from: no inputs have this key. */
export function unsettledKeys({ input, parts }: BuildKeys, edited: readonly string[]): BuildKeys {
  const unknown = hash(canonicalJson([input, 'changed while it was built']));
  const of = Object.fromEntries(edited.map((part) => [part, unknown.slice(0, SHORT)]));
  return { input: unknown, parts: { ...parts, ...of } };
}

/** The parts that differ, by name. */
export function changesOf(before: BuildKeys, now: BuildKeys): readonly Change[] {
  const names = new Set([...Object.keys(before.parts), ...Object.keys(now.parts)]);
  return [...names]
    .filter((name) => before.parts[name] !== now.parts[name])
    .toSorted()
    .map((part) => ({ part, from: before.parts[part] ?? null, to: now.parts[part] ?? null }));
}

function short(parts: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(parts.map(([name, digest]) => [name, digest.slice(0, SHORT)]));
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
