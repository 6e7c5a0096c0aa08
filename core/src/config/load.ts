/** config.yaml, from text to a {@link Config}. */
import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { configFailure, type ConfigFailure } from '../failure.ts';
import { checkCollisions } from './collisions.ts';
import { configSchema, type ModeProperties } from './config-schema.ts';
import type { Document } from './document.ts';
import { readEntries, type Read } from './entries.ts';
import { relativePosition } from './format.ts';
import { failed, loaded, type Loaded } from './loaded.ts';
import type { Config, Context } from './model.ts';
import { checkPaths } from './paths.ts';
import { quote } from './quote.ts';
import type { Keys } from './reading.ts';
import { readKeys } from './source-keys.ts';
import { readText } from './read-text.ts';
import { compileSchema, validate, type Validator } from './validate.ts';
import { parseYaml } from './yaml.ts';

/** Some hundred thousand entries. */
const MAX_BYTES = 32 * 1024 * 1024;

export interface ConfigOptions {
  readonly context: Context;
  /** Every mode that may be named, with the keys it adds. */
  readonly modeProperties: ModeProperties;
}

/** Reads and checks the file, and that every file it names is there, inside its folder. All that is wrong comes at once. */
export async function loadConfig(file: string, options: ConfigOptions): Promise<Loaded<Config>> {
  const absolute = resolve(file);
  const text = await readText(absolute, MAX_BYTES);
  if (!text.ok) return failed([{ hint: hintFor(absolute), ...text.failure }]);
  const document = parseYaml(text.value, absolute);
  if (!document.ok) return document;
  const folder = dirname(absolute);
  const read = interpret(document.value, { ...options, keys: await readKeys(document.value.data, folder) });
  const problems = [...read.problems, ...(await checkPaths(folder, read.paths))];
  return conclude(absolute, read, problems);
}

/** `config.yml` is as usual a name elsewhere, and easily overlooked. */
function hintFor(file: string): string {
  const other = file.replace(/\.ya?ml$/, (extension) => (extension === '.yml' ? '.yaml' : '.yml'));
  if (other !== file && existsSync(other)) return `${basename(other)} is there: rename it, or name it with --config`;
  return 'name the config with --config, or write a repository to start from with slipway init';
}

/** The same without the file system: `file` (absolute) is only for positions and the folder; a public key is not read, and refused. */
export function parseConfig(text: string, file: string, options: ConfigOptions): Loaded<Config> {
  const document = parseYaml(text, file);
  if (!document.ok) return document;
  const read = interpret(document.value, { ...options, keys: new Map() });
  return conclude(file, read, read.problems);
}

function interpret(document: Document, options: ConfigOptions & { readonly keys: Keys }): Read {
  const validator = validatorFor(options.modeProperties);
  if (!validator.ok) {
    const problem = configFailure(validator.message, 'correct the plugin that brings the mode', document.locate([]));
    return { entries: [], selections: [], literal: [], untagged: [], paths: [], problems: [problem] };
  }
  const read = readEntries(document, options);
  const problems = [
    ...validate(document, validator.value),
    ...read.problems,
    ...checkCollisions([...read.entries.flatMap((entry) => entry.located), ...read.literal]),
  ];
  return { ...read, problems };
}

function conclude(file: string, read: Read, problems: readonly ConfigFailure[]): Loaded<Config> {
  if (problems.length > 0) return failed(problems);
  const entries = read.entries.map(({ entry }) => entry);
  const folder = dirname(file);
  const none = entries.length + read.selections.length === 0;
  const empty = none ? [`${basename(file)} names no image, so that nothing is done`] : [];
  return loaded({ file, folder, entries, selections: read.selections }, [...empty, ...warningsOf(read, folder)]);
}

/** That a destination without a tag is `latest` is easily forgotten, and moves what others take for the newest. */
function warningsOf({ untagged: [first, ...others] }: Read, folder: string): readonly string[] {
  if (first === undefined) return [];
  const { destination, source, at } = first;
  const more = others.length === 0 ? '' : `, and ${others.length} more are like it`;
  const what = `the destination ${quote(destination)} of ${source} has no tag, which means latest${more}`;
  return [`${relativePosition(at, folder)}: ${what}; write the tag, as :{tag} for that of the source, or :latest`];
}

type Compiled = { readonly ok: true; readonly value: Validator } | { readonly ok: false; readonly message: string };

/** Compiling takes longer than checking a usual config; callers pass the same modes every time. */
const validators = new WeakMap<ModeProperties, Compiled>();

function validatorFor(modeProperties: ModeProperties): Compiled {
  const known = validators.get(modeProperties);
  if (known !== undefined) return known;
  const compiled = compileFor(modeProperties);
  validators.set(modeProperties, compiled);
  return compiled;
}

function compileFor(modeProperties: ModeProperties): Compiled {
  try {
    return { ok: true, value: compileSchema(configSchema(modeProperties)) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const all = Object.entries(modeProperties);
    // Of several those are to blame that cannot be compiled by themselves either; where there are none, they do not go together.
    const broken = all.length < 2 ? all : all.filter(([mode, added]) => !compileFor({ [mode]: added }).ok);
    const modes = (broken.length === 0 ? all : broken).map(([mode]) => mode).join(', ');
    return { ok: false, message: `the keys that the modes (${modes}) add have no valid JSON Schema: ${why}` };
  }
}
