/** Selections become entries, once their tags are known. Who knows them is a parameter: the registry, or a lock. */
import { failed, loaded, type Loaded } from '../config/loaded.ts';
import type { Config, Entry, Select, Selection } from '../config/model.ts';
import { fail, ok, type ConfigFailure, type Failure, type Result } from '../failure.ts';
import { formatRepository, type Tag } from '../reference.ts';
import { registryFailure } from '../registry/refusal.ts';
import { findClashes, type EntryAt } from './clashes.ts';
import { entriesOf, MAX_ENTRIES, tooMany } from './entries.ts';
import { selectTags, type Selected } from './select-tags.ts';

/** Every tag that the selection's source has, in any order; those of one repository are asked for once a selection. */
export type FindTags = (selection: Selection) => Promise<Result<readonly Tag[]>>;

/** What became of a selection. */
export interface Expansion {
  readonly selection: Selection;
  /** Absent where its tags could not be found. */
  readonly selected?: Selected;
  readonly failure?: Failure;
}

export interface Expanded {
  /** Its `selections` are those that gave no entry. */
  readonly config: Config;
  /** In the config's order. */
  readonly expansions: readonly Expansion[];
}

/** {@link selectEach}, and then {@link expandWith}. */
export async function expandSelections(config: Config, findTags: FindTags): Promise<Loaded<Expanded>> {
  return expandWith(config, await selectEach(config, findTags));
}

/** Which tags each selection means. */
export function selectEach({ selections }: Config, findTags: FindTags): Promise<readonly Expansion[]> {
  return Promise.all(
    selections.map(async (selection): Promise<Expansion> => {
      const tags = await findTags(selection);
      if (!tags.ok) return { selection, failure: { at: selection.at, ...tags.failure } };
      const selected = selectTags(selection.select, tags.value);
      const enough = checkCount(selection, selected);
      return { selection, selected, ...(enough.ok ? {} : { failure: enough.failure }) };
    }),
  );
}

/**
 * Replaces selections by entries. A selection that cannot be expanded, or whose tags clash with another item, does not hinder the others;
 * the run tells its failure. A tag that makes no valid destination is a fault of the config. `expansions`: of all selections, in their
 * order. `settle`: puts in what is known of the sources, as a lock knows it.
 */
export function expandWith(
  config: Config,
  expansions: readonly Expansion[],
  settle: (entries: readonly Entry[]) => readonly Entry[] = (entries) => entries,
): Loaded<Expanded> {
  const problems: ConfigFailure[] = [];
  const made: EntryAt[] = [];
  let next = 0;
  const takeUntil = (position: number): void => {
    for (const entry of config.entries.slice(next, position)) {
      made.push({ entry, located: entry.targets.map(({ destination }) => ({ destination, at: entry.at })) });
    }
    next = Math.max(next, position);
  };
  for (const { selection, selected, failure } of expansions) {
    takeUntil(selection.position);
    const of = entriesOf(selection, failure === undefined ? (selected?.tags ?? []) : []);
    // A list of strangers may be longer than the arguments that a call can have.
    for (const problem of of.problems) problems.push(problem);
    for (const one of of.made) made.push({ ...one, from: selection });
  }
  takeUntil(config.entries.length);
  if (problems.length > 0) return failed(problems);
  const settled = settle(made.map(({ entry }) => entry));
  const all = made.map((one, index) => ({ ...one, entry: settled[index] ?? one.entry }));
  const clashes = findClashes(all);
  const ended = expansions.map((expansion) => {
    const clash = clashes.get(expansion.selection.id);
    return clash === undefined ? expansion : { ...expansion, failure: clash };
  });
  const entries = withoutRepeats(all.filter(({ from }) => from === undefined || !clashes.has(from.id)));
  const selections = ended
    .filter(({ selected, failure }) => failure !== undefined || selected?.tags.length === 0)
    .map(({ selection }) => selection);
  return loaded({ config: { ...config, entries, selections }, expansions: ended });
}

/** A tag that two items choose is one entry if both do the same with it; if not, it was a clash. */
function withoutRepeats(all: readonly EntryAt[]): readonly Entry[] {
  const first = new Map<string, Entry>();
  for (const { entry } of all) if (!first.has(entry.id)) first.set(entry.id, entry);
  return [...first.values()];
}

function checkCount({ source, select, at }: Selection, selected: Selected): Result<void> {
  const found = selected.tags.length;
  const { minimum = 1, allowEmpty } = select;
  if (found > MAX_ENTRIES) return fail({ ...tooMany(source, found), at });
  if (found >= minimum || (found === 0 && allowEmpty)) return ok(undefined);
  const repository = formatRepository(source);
  const message =
    selected.seen === 0
      ? `${repository} has no tags`
      : `${found === 0 ? 'no tag' : `${found} of the ${minimum} tags that "minimum" asks for`} of ${repository} ${found <= 1 ? 'is' : 'are'} selected: ${attrition(selected)}`;
  const hint =
    selected.seen === 0
      ? 'check the name; a private repository also answers so to whoever may not read it'
      : `${suffixHint(select, selected)}${found === 0 ? 'correct "select"; allowEmpty: true makes it no failure' : 'correct "select", or lower its "minimum"'}`;
  const asked = { side: 'source', registry: source.registry } as const;
  return fail({ ...registryFailure(asked, 'permanent', message, { hint }), at });
}

/** To pick `1.2.3-alpine` by a pattern is not to mean a prerelease, but a version with something behind it reads as one. */
function suffixHint({ regex, extract }: Select, { dropped }: Selected): string {
  if (regex === undefined || extract !== undefined || dropped.prerelease === undefined) return '';
  return `what follows a version makes it a prerelease: compare the version alone, with extract: '([0-9.]+)-alpine' for tags as 1.2.3-alpine, or take them as prerelease: true; `;
}

/** `812 tags, 790 dropped by regex, 22 by latest`. */
export function attrition({ seen, dropped }: Selected): string {
  const parts = Object.entries(dropped).map(
    ([stage, count], index) => `${count} ${index === 0 ? 'dropped by' : 'by'} ${stage}`,
  );
  return [`${seen} ${seen === 1 ? 'tag' : 'tags'}`, ...parts].join(', ');
}
