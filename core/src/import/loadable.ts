/** Leaves out what would not load, and names it: an entry, or of a list of tags those that another entry has. */
import { isSeq, LineCounter, parseDocument, type Node } from 'yaml';
import { parseConfig, type ConfigOptions } from '../config/load.ts';
import { failed, loaded, type Loaded } from '../config/loaded.ts';
import { configFailure, type ConfigFailure } from '../failure.ts';
import type { Draft, Remark } from './model.ts';
import { destinationOf } from './places.ts';
import { configText } from './write-config.ts';

/** Nothing of a run is filled in while it is written. */
const OPTIONS: ConfigOptions = { context: { date: '2000-01-01' }, modeProperties: {} };
const TAKEN = / is already in line \d+, column \d+$/;

export interface Kept {
  readonly drafts: readonly Draft[];
  readonly unsupported: readonly Remark[];
}

export function keepLoadable(drafts: readonly Draft[]): Loaded<Kept> {
  const unsupported: Remark[] = [];
  let left = drafts;
  let trimmed = false;
  // Each round leaves out one draft at least, but the one that trims.
  for (;;) {
    const config = configText(left, []);
    const result = parseConfig(config, '/config.yaml', OPTIONS);
    if (result.ok) return loaded({ drafts: left, unsupported });
    const all = blamed(config, result.failures);
    // Failures of no single draft, as that there are too many.
    if (all.size === 0) return failed(result.failures.map(withoutPlace));
    const wrong = new Map([...all].filter(([, { message }]) => !TAKEN.test(message)));
    if (wrong.size === 0 && !trimmed) {
      const kept = withoutTaken(left);
      unsupported.push(...kept.unsupported);
      left = kept.drafts;
      trimmed = true;
      continue;
    }
    const refused = wrong.size > 0 ? wrong : all;
    for (const [index, failure] of refused) {
      const draft = left[index];
      if (draft !== undefined)
        unsupported.push({ at: draft.at, what: draft.what, why: `left out: ${reason(failure)}` });
    }
    left = left.filter((_, index) => !refused.has(index));
  }
}

/** If two drafts name one destination, the first keeps it; the other keeps the rest of its tags. */
function withoutTaken(drafts: readonly Draft[]): Kept {
  const taken = new Set<string>();
  const unsupported: Remark[] = [];
  const kept = drafts.flatMap((draft): readonly Draft[] => {
    const { repository = '', named = [] } = destinationOf(draft) ?? {};
    const names = named.map((name) => `${repository}:${name}`);
    const doubles = names.filter((name) => taken.has(name));
    for (const name of names) taken.add(name);
    if (doubles.length === 0) return [draft];
    const { tags = [], ...tests } = draft.item.select ?? {};
    const free = tags.filter((_, index) => !doubles.includes(names[index] ?? ''));
    const select = { ...(free.length === 0 ? {} : { tags: free }), ...tests };
    const [is, belongs] = doubles.length === 1 ? ['destination', 'belongs'] : ['destinations', 'belong'];
    const why = `the ${is} ${doubles.join(', ')} ${belongs} to an earlier one already (one destination belongs to one entry)`;
    const empty = Object.keys(select).length === 0;
    unsupported.push({ at: draft.at, what: draft.what, why: `${empty ? 'left out' : 'left out of it'}: ${why}` });
    return empty ? [] : [{ ...draft, item: { ...draft.item, select } }];
  });
  return { drafts: kept, unsupported };
}

/**
 * The drafts that failures are about, with the first failure of each; one that says that a destination is taken counts only if there is no
 * other.
 */
function blamed(config: string, failures: readonly ConfigFailure[]): ReadonlyMap<number, ConfigFailure> {
  const lines = new LineCounter();
  const list = parseDocument(config, { lineCounter: lines }).get('sync');
  const starts = isSeq(list) ? list.items.map((item) => lines.linePos((item as Node).range?.[0] ?? 0).line) : [];
  const found = new Map<number, ConfigFailure>();
  for (const failure of failures) {
    const index = starts.findLastIndex((line) => line <= (failure.at?.line ?? 0));
    const known = found.get(index);
    if (index >= 0 && (known === undefined || TAKEN.test(known.message))) found.set(index, failure);
  }
  return found;
}

/** Without line numbers of the config that was made: the reader knows only the imported file. */
function reason({ message, hint }: ConfigFailure): string {
  const said = message.replace(TAKEN, ' belongs to an earlier one already');
  return hint === undefined ? said : `${said} (${hint})`;
}

/** Without its place, which is in a file that does not exist yet. */
function withoutPlace({ message, hint }: ConfigFailure): ConfigFailure {
  return configFailure(message, hint);
}
