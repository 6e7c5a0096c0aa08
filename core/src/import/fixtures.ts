/** Shared by this folder's tests: a file as it is imported, held to what every import keeps. */
import { expect } from 'vitest';
import { options, valueOf } from '../config/fixtures.ts';
import { parseConfig } from '../config/load.ts';
import type { Config } from '../config/model.ts';
import { ok } from '../failure.ts';
import { entryCycles } from '../plan/cycles.ts';
import { linkEntries, retagFailures } from '../plan/links.ts';
import type { Tag } from '../reference.ts';
import { expandSelections } from '../selection/expand.ts';
import { importConfig } from './import.ts';
import type { ImportKind, ImportRequest, Remark } from './model.ts';

/** `text`: of a file, or of several. */
export function imported(kind: ImportKind, text: string | readonly string[], request: ImportRequest = {}) {
  const sources = [text].flat().map((each, index) => ({ file: `/somewhere/${index}.yml`, text: each }));
  const { config: made, unsupported, notes, ...rest } = valueOf(importConfig(kind, sources, request));
  const config = valueOf(parseConfig(made, '/config.yaml', options));
  expect(refusals(config)).toEqual([]);
  return {
    ...rest,
    text: made,
    config,
    unsupported: unsupported.map(line),
    notes: notes.map(line),
  };
}

function line({ at, what, why }: Remark): string {
  return `${at.line}:${at.column} ${what}: ${why}`;
}

/** The ids of what a run would do, where every repository has these tags; or what is wrong. */
export async function expanded(config: Config, tags: readonly string[]): Promise<readonly string[]> {
  const made = await expandSelections(config, () => Promise.resolve(ok(tags as readonly Tag[])));
  return made.ok
    ? [...made.value.config.entries.map(({ id }) => id), ...refusals(made.value.config)]
    : made.failures.map(({ message }) => message);
}

/** Why it would not plan. */
export function refusals(config: Config): readonly string[] {
  const links = linkEntries(config, new Map());
  return [...retagFailures(config, links), ...entryCycles(config, links)].map(({ message }) => message);
}
