/** The config of another tool as one of ours. */
import type { Document } from '../config/document.ts';
import { failed, loaded, type Loaded } from '../config/loaded.ts';
import { readText } from '../config/read-text.ts';
import { configFailure, type Position } from '../failure.ts';
import { parseReference } from '../reference.ts';
import { joinWishes } from './join-wishes.ts';
import { keepLoadable } from './loadable.ts';
import type { Draft, Imported, ImportKind, ImportRequest, Unsupported, Wish, Wishes } from './model.ts';
import { readRegsync } from './regsync.ts';
import { settleRelations } from './relations.ts';
import { readSkopeo } from './skopeo.ts';
import { parseSourceFile } from './source-file.ts';
import { configText } from './write-config.ts';

const MAX_BYTES = 4 * 1024 * 1024;

/** `file`: absolute. Fails when the file is none of this tool; what is merely unknown is named in the result. */
export async function importFile(kind: ImportKind, file: string, request: ImportRequest): Promise<Loaded<Imported>> {
  const text = await readText(file, MAX_BYTES);
  return text.ok ? importConfig(kind, text.value, file, request) : failed([text.failure]);
}

/** The same without the file system. */
export function importConfig(kind: ImportKind, text: string, file: string, request: ImportRequest): Loaded<Imported> {
  const repeated: Unsupported[] = [];
  const document = parseSourceFile(kind, text, file, repeated);
  if (!document.ok) return document;
  const read = kind === 'regsync' ? readRegsync(document.value, request) : skopeo(document.value);
  if (!read.ok) return read;
  const { wishes, settings, unsupported } = read.value;
  const loadable = keepLoadable(joinWishes(wishes));
  if (!loadable.ok) return loadable;
  const settled = settleRelations(loadable.value.drafts, elsewhereOf(kind, request));
  const all = [...repeated, ...unsupported, ...loadable.value.unsupported, ...settled.unsupported];
  return loaded({
    config: configText(settled.drafts, headerOf(kind, request, settled.drafts, wishes)),
    settings,
    entries: settled.drafts.length,
    unsupported: all.sort((a, b) => compare(a.at, b.at)),
  });

  function skopeo(source: Document): Loaded<Wishes> {
    const { destination } = request;
    if (destination === undefined) {
      const hint = 'give the last argument of "skopeo sync", as --destination ghcr.io/example/mirror';
      return failed([configFailure('a file of skopeo does not say where its images go', hint)]);
    }
    const place = parseReference(`${destination.replace(/^docker:\/\//, '').replace(/\/+$/, '')}/x`);
    if (!place.ok) {
      const hint = place.failure.hint ?? 'it is a registry, perhaps with a path, as ghcr.io/example/mirror';
      return failed([configFailure(`--destination ${JSON.stringify(destination)} is no place for images`, hint)]);
    }
    return loaded(readSkopeo(source, { ...request, destination }));
  }
}

/** How two images that would have one name get one each. */
function elsewhereOf(kind: ImportKind, { scoped = false }: ImportRequest): string {
  return kind === 'skopeo' && !scoped
    ? 'import with --scoped, which keeps whole names, give one of them another destination'
    : 'give one of them another destination';
}

function headerOf(
  kind: ImportKind,
  { platforms = [] }: ImportRequest,
  drafts: readonly Draft[],
  wishes: readonly Wish[],
): readonly string[] {
  const selects = drafts.flatMap(({ item }) => item.select ?? []);
  const searches = selects.some(({ semver, regex }) => semver !== undefined || regex !== undefined);
  const names = wishes.some(({ sets = [] }) => sets.some(({ tags }) => tags !== undefined));
  return [
    `Imported from ${kind === 'skopeo' ? 'the YAML of skopeo sync' : "regsync's config"} by slipway import.`,
    ...(kind === 'skopeo' && platforms.length === 0
      ? ['Images are copied with all of their platforms, as skopeo sync --all does.']
      : []),
    ...(searches
      ? [`That no tag is selected is a failure; allowEmpty: true makes it a warning, as ${kind} has it.`]
      : []),
    ...(selects.some(({ semver }) => semver !== undefined)
      ? [`Versions with a fourth number, as 3.8.1.1, are in ranges too; ${kind} passes over them.`]
      : []),
    ...(selects.some(({ regex }) => regex === '.*')
      ? ['Of all tags those as sha256-… are left out: they are copied with referrers: true.']
      : []),
    ...(kind === 'regsync' && names
      ? ['A tag by name that is not there is a failure; regsync passes over it in a repository.']
      : []),
  ];
}

function compare(a: Position, b: Position): number {
  return a.line - b.line || a.column - b.column;
}
