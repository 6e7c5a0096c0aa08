/** Which sources `--only` and `--exclude` are about, before anybody knows what selections choose. */
import { failed, loaded, type Loaded } from '../config/loaded.ts';
import type { Config, Entry, Selection } from '../config/model.ts';
import { nearest } from '../config/suggest.ts';
import { configFailure } from '../failure.ts';
import { entryNames, glob } from '../plan/pattern.ts';
import { mayConcern } from '../selection/names.ts';

export interface Concerned {
  readonly entry: (entry: Entry) => boolean;
  readonly selection: (selection: Selection) => boolean;
}

/** A selection is locked as a whole, so a pattern that may be about one of its tags is about all of them. */
export function concernedBy(
  config: Config,
  { only, exclude }: { readonly only: readonly string[]; readonly exclude: readonly string[] },
): Loaded<Concerned> {
  const entries = config.entries.filter(({ kind }) => kind === 'sync');
  const names = [
    ...entries.flatMap(entryNames),
    ...config.selections.flatMap(({ id, destination }) => [id, destination]),
  ];
  const misses = [
    ...only.map((pattern) => ({ option: '--only', pattern })),
    ...exclude.map((pattern) => ({ option: '--exclude', pattern })),
  ]
    .filter(({ pattern }) => !names.some(glob(pattern)) && !config.selections.some((each) => mayConcern(pattern, each)))
    .map(({ option, pattern }) => {
      const near = nearest(pattern, names);
      const hint =
        near === undefined
          ? 'a pattern is a glob on an entry\'s id or destination; "slipway plan" lists them'
          : `did you mean "${near}"?`;
      return configFailure(`${option} "${pattern}" matches no sync entry`, hint);
    });
  if (misses.length > 0) return failed(misses);
  const named = (patterns: readonly string[], all: readonly string[]): boolean =>
    patterns.some((pattern) => all.some(glob(pattern)));
  return loaded({
    entry: (entry) => (only.length === 0 || named(only, entryNames(entry))) && !named(exclude, entryNames(entry)),
    selection: (selection) =>
      (only.length === 0 || only.some((pattern) => mayConcern(pattern, selection))) &&
      !named(exclude, [selection.id, selection.destination]),
  });
}
