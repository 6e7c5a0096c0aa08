/** The items of `sync:` and `build:` as entries. What the schema already refuses is passed over in silence here. */
import type { ConfigFailure, Position } from '../failure.ts';
import { parseLocation } from '../location.ts';
import { formatReference } from '../reference.ts';
import { entriesOf } from '../selection/entries.ts';
import { isLiteral } from '../selection/select-tags.ts';
import type { Located } from './collisions.ts';
import type { ModeProperties } from './config-schema.ts';
import type { Document, Path } from './document.ts';
import { fields, flag, items, text, type Fields } from './fields.ts';
import type { Context, Entry, Selection, SyncEntry, Target } from './model.ts';
import { checkModeKeys } from './mode-keys.ts';
import type { NamedPath } from './paths.ts';
import { distinctPlatforms, parsePlatform } from './platforms.ts';
import { startReading, type Keys } from './reading.ts';
import { readSelection } from './select.ts';
import { readSyncOptions } from './sync-options.ts';
import { parseDestination, parseFurtherTag, runValues, sourceValues, splitTag, type Values } from './targets.ts';

/** The entries that could be made, every path they name, and what is wrong. */
export interface Read {
  readonly entries: readonly { readonly entry: Entry; readonly located: readonly Located[] }[];
  /** Those whose tags have to be looked up; the destinations of the tags that they name are in `literal`. */
  readonly selections: readonly Selection[];
  readonly literal: readonly Located[];
  /** Destinations without a tag, whose source has one that is not `latest`. */
  readonly untagged: readonly Untagged[];
  readonly paths: readonly NamedPath[];
  readonly problems: readonly ConfigFailure[];
}

export interface Untagged {
  /** As it is written. */
  readonly destination: string;
  readonly source: string;
  readonly at: Position;
}

interface Options {
  readonly context: Context;
  readonly modeProperties: ModeProperties;
  readonly keys: Keys;
}

export function readEntries(document: Document, { context, modeProperties, keys }: Options): Read {
  const reading = startReading(document, context, keys);
  const { problems, paths, accept } = reading;
  const entries: { entry: Entry; located: readonly Located[] }[] = [];
  const selections: Selection[] = [];
  const literal: Located[] = [];
  const untagged: Untagged[] = [];
  const selectionIds = new Map<string, number>();
  const root = fields(document.data);

  for (const [index, value] of items(root['sync']).entries()) {
    const item = fields(value);
    if (item['select'] === undefined) readSync(item, ['sync', index]);
    else readSelected(item, ['sync', index]);
  }
  for (const [index, value] of items(root['build']).entries()) readBuild(fields(value), ['build', index]);
  return { entries, selections, literal, untagged, paths, problems };

  function readSync(item: Fields, path: Path): void {
    const source = text(item['source']);
    const reference = source ? accept(parseLocation(source), [...path, 'source']) : undefined;
    // Read all the same, so that everything that is wrong comes at once.
    const values =
      reference === undefined ? { registry: 'r', path: 'p', name: 'p', tag: 't' } : sourceValues(reference);
    const targets = readTargets(item, path, values);
    const options = readSyncOptions(item, path, (targets?.all.length ?? 1) > 1, reading);
    if (targets === undefined || reference === undefined) return;
    const entry: SyncEntry = {
      kind: 'sync',
      id: `sync:${targets.name}`,
      ...common(item, path, targets.all),
      source: reference,
      ...options,
    };
    entries.push({ entry, located: targets.located });
    const destination = text(item['destination']) ?? '';
    if (reference.tag === undefined || reference.tag === 'latest' || splitTag(destination).length > 1) return;
    untagged.push({ destination, source: formatReference(reference), at: document.locate([...path, 'destination']) });
  }

  /** What names its tags becomes entries at once; nobody is asked. */
  function readSelected(item: Fields, path: Path): void {
    const read = readSelection(item, path, entries.length, reading);
    if (read === undefined) return;
    const times = (selectionIds.get(read.id) ?? 0) + 1;
    selectionIds.set(read.id, times);
    const selection = times === 1 ? read : { ...read, id: `${read.id}~${times}` };
    const { made, problems: wrong } = entriesOf(selection, selection.select.tags);
    problems.push(...wrong);
    if (isLiteral(selection.select)) {
      entries.push(...made);
    } else {
      selections.push(selection);
      literal.push(...made.flatMap((one) => one.located));
    }
  }

  function readBuild(item: Fields, path: Path): void {
    const targets = readTargets(item, path, {});
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

  function readTargets(item: Fields, path: Path, ofSource: Values) {
    const values = { ...ofSource, ...runValues(context) };
    const destination = text(item['destination']);
    if (!destination) return undefined;
    const at = [...path, 'destination'];
    const own = accept(parseDestination(destination, values), at);
    if (own === undefined) return undefined;
    const all: [Target, ...Target[]] = [own.target];
    const located: Located[] = [{ destination: own.target.destination, at: document.locate(at) }];
    for (const [index, value] of items(item['tags']).entries()) {
      const template = text(value);
      if (!template) continue;
      const atTag = [...path, 'tags', index];
      const target = accept(parseFurtherTag(template, own.target.destination, values), atTag);
      if (target === undefined) continue;
      all.push(target);
      located.push({ destination: target.destination, at: document.locate(atTag) });
    }
    return { name: own.name, all, located };
  }

  function readPath(value: string | undefined, path: Path, kind: NamedPath['kind']): string | undefined {
    return value ? reading.path(value, path, kind) : undefined;
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
