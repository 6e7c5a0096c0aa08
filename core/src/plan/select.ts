/** Which entries a command is about: `--only` and `--exclude`, and `sync` or `build`, with what those need. */
import type { Entry, Selection as TagSelection } from '../config/model.ts';
import { configFailure, type ConfigFailure } from '../failure.ts';
import { entryNames, glob } from './pattern.ts';
import { nearest } from '../config/suggest.ts';
import { mayConcern } from '../selection/names.ts';

export type Command = 'plan' | 'run' | 'sync' | 'build';

export interface Wanted {
  readonly command: Command;
  /** Globs on id or destination; all entries when empty. */
  readonly only: readonly string[];
  readonly exclude: readonly string[];
}

export interface Selection {
  readonly selected: ReadonlySet<string>;
  readonly failures: readonly ConfigFailure[];
}

/**
 * What is needed comes along, whatever its kind, unless it is excluded by name: then it stays out, and what needs it uses
 * its current digest. A pattern that matches nothing is a failure: it is a typing mistake that would pass for success.
 */
export function selectEntries(
  entries: readonly Entry[],
  wanted: Wanted,
  needsOf: (id: string) => readonly string[],
  unexpanded: readonly TagSelection[] = [],
): Selection {
  const kind = wanted.command === 'sync' || wanted.command === 'build' ? wanted.command : undefined;
  const candidates = kind === undefined ? entries : entries.filter((entry) => entry.kind === kind);
  const failures: ConfigFailure[] = [];
  const matching = (pattern: string, among: readonly Entry[], option: string): readonly string[] => {
    const matches = glob(pattern);
    const found = among.filter((entry) => entryNames(entry).some(matches)).map((entry) => entry.id);
    // What a selection would come to is not known here; a pattern on it is no typing mistake.
    if (found.length === 0 && !unexpanded.some((selection) => mayConcern(pattern, selection)))
      failures.push(nothingMatches(option, pattern, among, kind));
    return found;
  };
  const excluded = new Set(wanted.exclude.flatMap((pattern) => matching(pattern, entries, '--exclude')));
  const named =
    wanted.only.length === 0
      ? candidates.map((entry) => entry.id)
      : wanted.only.flatMap((pattern) => matching(pattern, candidates, '--only'));
  const selected = new Set(named.filter((id) => !excluded.has(id)));
  // A set being walked also yields what is added on the way.
  for (const id of selected) for (const need of needsOf(id)) if (!excluded.has(need)) selected.add(need);
  return { selected, failures };
}

function nothingMatches(
  option: string,
  pattern: string,
  among: readonly Entry[],
  kind: string | undefined,
): ConfigFailure {
  const near = nearest(pattern, among.flatMap(entryNames));
  const hint =
    near === undefined
      ? 'a pattern is a glob on an entry\'s id or destination; "slipway plan" lists them'
      : `did you mean "${near}"?`;
  return configFailure(`${option} "${pattern}" matches no ${kind === undefined ? '' : `${kind} `}entry`, hint);
}
