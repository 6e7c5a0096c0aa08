/**
 * The two keys of a build. The input key needs no tool: the entry, its files, the state of the package indexes, the base
 * digests, the options, the accepted versions of the tools. The resolved key has the exact packages in place of the indexes.
 */
import { createHash } from 'node:crypto';
import type { BuildEntry } from '../config/model.ts';
import { ok, type Result } from '../failure.ts';
import type { ModeInputs } from '../plugin/api.ts';
import type { Digest } from '../reference.ts';
import { canonicalJson } from '../trust/statement.ts';
import type { BuildKeys } from '../trust/model.ts';
import type { Engine } from './engine.ts';

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
  for (const path of [...new Set([...inputs.files, ...melangeConfigs])].sort()) {
    const text = await engine.files.read(path);
    if (!text.ok) return text;
    fixed.set(`file ${path}`, hash(text.value));
  }
  for (const [text, digest] of Object.entries(bases)) fixed.set(`base ${text}`, hash(digest));
  const indexes = new Map<string, string>();
  for (const [url, digest] of await Promise.all(
    inputs.packageIndexes.map(async (url) => [url, await engine.indexes.digest(url)] as const),
  )) {
    if (!digest.ok) return digest;
    indexes.set(`index ${url}`, digest.value);
  }
  return ok({ fixed, indexes });
}

export function inputKeys({ fixed, indexes }: KeyParts): BuildKeys {
  const parts = [...fixed, ...indexes];
  return { input: hash(canonicalJson(Object.fromEntries(parts))), parts: short(parts) };
}

/** `packages`: package → version and checksum, as the mode resolved them. */
export function resolvedKeys(keys: KeyParts, packages: Readonly<Record<string, string>>): BuildKeys {
  const { input, parts } = inputKeys(keys);
  const resolved = Object.fromEntries([...keys.fixed, ['packages', hash(canonicalJson(packages))]]);
  return { input, parts, resolved: hash(canonicalJson(resolved)) };
}

/** The names of the parts that differ, for the reader: `file images/git/image.yaml changed`. */
export function changedParts(before: BuildKeys, now: BuildKeys): readonly string[] {
  const names = new Set([...Object.keys(before.parts), ...Object.keys(now.parts)]);
  return [...names].filter((name) => before.parts[name] !== now.parts[name]).sort();
}

function short(parts: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(parts.map(([name, digest]) => [name, digest.slice(0, SHORT)]));
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
