/** `--frozen`: the config with exactly what the lock says. Nobody is asked. */
import { failed, type Loaded } from '../config/loaded.ts';
import type { Config, Entry, Selection } from '../config/model.ts';
import { configFailure, ok, type ConfigFailure, type Position } from '../failure.ts';
import { formatReference, formatRepository, pin, type Tag } from '../reference.ts';
import { expandSelections, type Expanded } from '../selection/expand.ts';
import { keyOfSelection, keyOfSource } from './key.ts';
import { lockable, ownTargets } from './lockable.ts';
import { lockName, type Lock, type LockedSelection } from './model.ts';

const HINT = 'run slipway update, and commit what it writes';

/**
 * Sources become `tag@digest`, selections the tags that are locked. Fails, at the entry, where the lock has nothing for it or what
 * was made for another source, other tests, platforms or signers. `lock`: absent when there is no such file, which is a failure
 * only where something would have to be in it.
 */
export async function applyLock(config: Config, lock: Lock | undefined): Promise<Loaded<Expanded>> {
  const sources = lockable(config);
  const [first] = [...sources, ...config.selections];
  if (lock === undefined) {
    if (first === undefined) return expandSelections(config, () => Promise.resolve(ok([])));
    return failed([
      configFailure(`there is no ${lockName} beside the config, and --frozen runs what is in it`, HINT, first.at),
    ]);
  }
  const problems = [
    ...sources.flatMap((entry) => {
      const locked = lock.sources.get(entry.id);
      return complaint(entry, formatReference(entry.source), locked, keyOfSource(entry));
    }),
    ...config.selections.flatMap((selection) => {
      const locked = lock.selections.get(selection.id);
      return complaint(selection, formatRepository(selection.source), locked, keyOfSelection(selection));
    }),
  ];
  if (problems.length > 0) return failed(problems);
  const expanded = await expandSelections(config, ({ id }) => Promise.resolve(ok(tagsOf(lock.selections.get(id)))));
  if (!expanded.ok) return expanded;
  const edited = expanded.value.expansions.flatMap(({ selection, selected, failure }) =>
    failure === undefined && selected?.tags.length === lock.selections.get(selection.id)?.tags.size
      ? []
      : [edit(selection)],
  );
  if (edited.length > 0) return failed(edited);
  const { value } = expanded;
  const targets = ownTargets(value.config);
  const entries = value.config.entries.map((entry) => pinned(entry, lock, targets));
  return { ...expanded, value: { ...value, config: { ...value.config, entries } } };
}

function complaint(
  { id, at }: { readonly id: string; readonly at: Position },
  source: string,
  locked: { readonly key: string; readonly source: string } | undefined,
  key: string,
): readonly ConfigFailure[] {
  if (locked === undefined) return [configFailure(`"${id}" is not in ${lockName}`, HINT, at)];
  if (locked.key === key) return [];
  const other = locked.source === source ? 'what its entry said before it was changed' : `the source ${locked.source}`;
  return [configFailure(`what ${lockName} has of "${id}" was made for ${other}`, HINT, at)];
}

/** Somebody wrote into it: the key is right, and the tests of the selection would not choose these tags. */
function edit({ id, at }: Selection): ConfigFailure {
  return configFailure(`the tags that ${lockName} has of "${id}" are not those that its select can choose`, HINT, at);
}

function tagsOf(locked: LockedSelection | undefined): readonly Tag[] {
  return [...(locked?.tags.keys() ?? [])];
}

/** The image of another entry of the config is what that comes to in the run: it stays as it is. */
function pinned(entry: Entry, lock: Lock, targets: ReadonlySet<string>): Entry {
  if (entry.kind !== 'sync' || entry.source.kind !== 'tagged' || targets.has(formatReference(entry.source)))
    return entry;
  const { id, source, selection } = entry;
  const chosen = selection === undefined ? undefined : lock.selections.get(selection)?.tags.get(source.tag);
  // A tag that the config names is locked by its own entry, one that was looked for by its selection.
  const locked = chosen ?? lock.sources.get(id);
  return locked === undefined ? entry : { ...entry, source: pin(source, locked.digest, source.tag) };
}
