/** The items of `sync:` and `build:` as entries. What the schema already refuses is passed over in silence here. */
import type { ConfigFailure, Result } from '../failure.ts';
import { parseReference } from '../reference.ts';
import type { Located } from './collisions.ts';
import type { ModeProperties } from './config-schema.ts';
import type { Document, Path } from './document.ts';
import { fields, flag, items, text, type Fields } from './fields.ts';
import type { Context, Entry, SyncEntry, Target } from './model.ts';
import { checkModeKeys } from './mode-keys.ts';
import { normalisePath, type NamedPath } from './paths.ts';
import { distinctPlatforms, parsePlatform } from './platforms.ts';
import { parseDestination, parseFurtherTag } from './targets.ts';

/** The entries that could be made, every path they name, and what is wrong. */
export interface Read {
  readonly entries: readonly { readonly entry: Entry; readonly located: readonly Located[] }[];
  readonly paths: readonly NamedPath[];
  readonly problems: readonly ConfigFailure[];
}

interface Options {
  readonly context: Context;
  readonly modeProperties: ModeProperties;
}

export function readEntries(document: Document, { context, modeProperties }: Options): Read {
  const problems: ConfigFailure[] = [];
  const paths: NamedPath[] = [];
  const entries: { entry: Entry; located: readonly Located[] }[] = [];
  const root = fields(document.data);

  for (const [index, value] of items(root['sync']).entries()) readSync(fields(value), ['sync', index]);
  for (const [index, value] of items(root['build']).entries()) readBuild(fields(value), ['build', index]);
  return { entries, paths, problems };

  /** The value, or `undefined` once the failure is noted at its place. */
  function accept<T>(result: Result<T, ConfigFailure>, path: Path): T | undefined {
    if (result.ok) return result.value;
    problems.push({ ...result.failure, at: document.locate(path) });
    return undefined;
  }

  function readSync(item: Fields, path: Path): void {
    const targets = readTargets(item, path);
    const source = text(item['source']);
    const reference = source ? accept(parseReference(source), [...path, 'source']) : undefined;
    if (targets === undefined || reference === undefined) return;
    const entry: SyncEntry = {
      kind: 'sync',
      id: `sync:${targets.name}`,
      ...common(item, path, targets.all),
      source: reference,
    };
    entries.push({ entry, located: targets.located });
  }

  function readBuild(item: Fields, path: Path): void {
    const targets = readTargets(item, path);
    // A mode may build a folder; what it claims is for the mode to say.
    const source = readPath(text(item['source']), [...path, 'source'], 'file or folder');
    const details = readDetails(item, path);
    if (targets === undefined || source === undefined) return;
    const shared = common(item, path, targets.all);
    entries.push({
      entry: { kind: 'build', id: `build:${targets.name}`, ...shared, source, ...details },
      located: targets.located,
    });
  }

  function common(item: Fields, path: Path, targets: Entry['targets']) {
    return { at: document.locate(path), targets, always: flag(item['always']) ?? false };
  }

  function readTargets(item: Fields, path: Path) {
    const destination = text(item['destination']);
    if (!destination) return undefined;
    const at = [...path, 'destination'];
    const own = accept(parseDestination(destination, context), at);
    if (own === undefined) return undefined;
    const all: [Target, ...Target[]] = [own.target];
    const located: Located[] = [{ destination: own.target.destination, at: document.locate(at) }];
    for (const [index, value] of items(item['tags']).entries()) {
      const template = text(value);
      if (!template) continue;
      const atTag = [...path, 'tags', index];
      const target = accept(parseFurtherTag(template, own.target.destination, context), atTag);
      if (target === undefined) continue;
      all.push(target);
      located.push({ destination: target.destination, at: document.locate(atTag) });
    }
    return { name: own.name, all, located };
  }

  function readPath(value: string | undefined, path: Path, kind: NamedPath['kind']): string | undefined {
    if (!value) return undefined;
    const normal = accept(normalisePath(value), path);
    if (normal !== undefined) paths.push({ path: normal, kind, at: document.locate(path) });
    return normal;
  }

  function readDetails(item: Fields, path: Path) {
    const mode = text(item['mode']);
    const context = readPath(
      text(fields(item['dockerOptions'])['context']),
      [...path, 'dockerOptions', 'context'],
      'folder',
    );
    const melangeConfigs = items(item['melangeConfigs']).map((value, index) =>
      readPath(text(value), [...path, 'melangeConfigs', index], 'file'),
    );
    const platforms = items(item['platforms']).map((value, index) => {
      const platform = text(value);
      return platform ? accept(parsePlatform(platform), [...path, 'platforms', index]) : undefined;
    });
    const options = checkModeKeys(item, mode, modeProperties);
    problems.push(
      ...options.problems.map(({ key, failure }) => ({ ...failure, at: document.locate([...path, key], 'key') })),
    );
    return {
      ...(mode === undefined ? {} : { mode }),
      ...(platforms.length === 0
        ? {}
        : { platforms: distinctPlatforms(platforms.filter((each) => each !== undefined)) }),
      melangeConfigs: melangeConfigs.filter((each) => each !== undefined),
      dockerOptions: context === undefined ? {} : { context },
      buildOnMainOnly: flag(item['buildOnMainOnly']) ?? false,
      options: options.values,
    };
  }
}
