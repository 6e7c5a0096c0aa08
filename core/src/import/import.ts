/** The config of another tool, in one file or several, as one of ours. */
import type { Document } from '../config/document.ts';
import { failed, loaded, type Loaded } from '../config/loaded.ts';
import { readText } from '../config/read-text.ts';
import { configFailure, type Position } from '../failure.ts';
import { parseReference } from '../reference.ts';
import { joinWishes } from './join-wishes.ts';
import { keepLoadable } from './loadable.ts';
import type { Draft, Imported, ImportKind, ImportRequest, Remark, Wish, Wishes } from './model.ts';
import { readRegsync } from './regsync.ts';
import { settleRelations } from './relations.ts';
import { readSkopeo } from './skopeo.ts';
import { parseSourceFile } from './source-file.ts';
import { configText } from './write-config.ts';

const MAX_BYTES = 4 * 1024 * 1024;

interface SourceFile {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
}

/**
 * `files`: absolute; several files of skopeo are one config. Fails when one is not a file of this tool; keys that are merely unknown are
 * named in the result.
 */
export async function importFiles(
  kind: ImportKind,
  files: readonly string[],
  request: ImportRequest,
): Promise<Loaded<Imported>> {
  const sources: SourceFile[] = [];
  for (const file of files) {
    const text = await readText(file, MAX_BYTES);
    if (!text.ok) return failed([text.failure]);
    sources.push({ file, text: text.value });
  }
  return importConfig(kind, sources, request);
}

/** The same without the file system. */
export function importConfig(
  kind: ImportKind,
  sources: readonly SourceFile[],
  request: ImportRequest,
): Loaded<Imported> {
  if (kind === 'regsync' && sources.length > 1) {
    return failed([configFailure('regsync reads one file, and several were given', 'import each for itself')]);
  }
  const all: Wishes[] = [];
  for (const source of sources) {
    const read = readSource(kind, source, request);
    if (!read.ok) return read;
    all.push(read.value);
  }
  const wishes = all.flatMap((each) => each.wishes);
  const loadable = keepLoadable(joinWishes(wishes));
  if (!loadable.ok) return loadable;
  const settled = settleRelations(loadable.value.drafts, elsewhereOf(kind, request));
  const order = new Map(sources.map(({ file }, index) => [file, index]));
  const place = ({ file }: Position): number => order.get(file) ?? 0;
  const inOrder = (remarks: readonly Remark[]): readonly Remark[] =>
    remarks.toSorted((a, b) => place(a.at) - place(b.at) || a.at.line - b.at.line || a.at.column - b.at.column);
  return loaded({
    config: configText(settled.drafts, headerOf(kind, request, settled.drafts, wishes)),
    // Several files are skopeo's, which say nothing that belongs there.
    settings: all[0]?.settings ?? '',
    entries: settled.drafts.length,
    unsupported: inOrder([
      ...all.flatMap(({ unsupported }) => unsupported),
      ...loadable.value.unsupported,
      ...settled.unsupported,
    ]),
    notes: inOrder(all.flatMap(({ notes }) => notes)),
  });
}

function readSource(kind: ImportKind, { file, text }: SourceFile, request: ImportRequest): Loaded<Wishes> {
  const repeated: Remark[] = [];
  const document = parseSourceFile(kind, text, file, repeated);
  if (!document.ok) return document;
  const read = kind === 'regsync' ? readRegsync(document.value, request) : skopeo(document.value, request);
  if (!read.ok) return read;
  return loaded({ ...read.value, notes: [...repeated, ...read.value.notes] });
}

function skopeo(document: Document, request: ImportRequest): Loaded<Wishes> {
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
  return loaded(readSkopeo(document, { ...request, destination }));
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
  const versions = selects.some(({ semver }) => semver !== undefined);
  const names = wishes.some(({ sets = [] }) => sets.some(({ tags }) => tags !== undefined));
  return [
    `Imported from ${kind === 'skopeo' ? 'the YAML of skopeo sync' : "regsync's config"} by slipway import.`,
    ...(kind === 'skopeo' && platforms.length === 0
      ? ['Images are copied with all of their platforms, as skopeo sync --all does.']
      : []),
    ...(searches
      ? [`That no tag is selected is a failure; allowEmpty: true makes it a warning, as ${kind} has it.`]
      : []),
    ...(versions ? [`Versions with a _, as 17.0.1_12, are excluded from ranges: ${kind} passes over them.`] : []),
    ...(versions && kind === 'skopeo'
      ? ['Versions with a fourth number, as 3.8.1.1, are in ranges too; skopeo passes over them.']
      : []),
    ...(selects.some(({ regex }) => regex === '.*')
      ? ['Of all tags those as sha256-… are left out: they are copied with referrers: true.']
      : []),
    ...(kind === 'regsync' && names
      ? ['A tag by name that is not there is a failure; regsync passes over it in a repository.']
      : []),
    ...(wishes.some(({ item: { backup } }) => backup?.includes('{date}') === false)
      ? ['A backup without {date} is kept for each move, up to 100; then the tag moves no more. Regsync overwrites it.']
      : []),
  ];
}
