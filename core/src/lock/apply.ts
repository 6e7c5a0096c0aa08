/** `--frozen`: the config with exactly what the lock says. Nobody is asked. */
import { failed, loaded, type Loaded } from '../config/loaded.ts';
import type { Config, Entry, Selection } from '../config/model.ts';
import { configFailure, fail, ok, type ConfigFailure, type Position } from '../failure.ts';
import { formatReference, formatRepository, pin, type Tag } from '../reference.ts';
import { expandWith, selectEach, type Expanded } from '../selection/expand.ts';
import { keyOfSelection, keyOfSource } from './key.ts';
import { lockable, ownTargets } from './lockable.ts';
import { lockName, type Lock, type LockedSelection } from './model.ts';

const HINT = 'run slipway update, and commit what it writes';

/** Why the lock has nothing that can be used, by the id of an entry or a selection. */
export type Unlocked = ReadonlyMap<string, ConfigFailure>;

export interface Frozen extends Expanded {
  /** These entries keep the source that the config says; these selections give no entries. */
  readonly unlocked: Unlocked;
}

/**
 * Sources become `tag@digest`, selections their locked tags. What is not in the lock, or was locked for another source, other tests,
 * platforms or signers, is {@link Frozen.unlocked}: {@link checkLocked} refuses those that a command is about. `lock`: absent when there is
 * no such file.
 */
export async function applyLock(config: Config, lock: Lock | undefined): Promise<Loaded<Frozen>> {
  const unlocked = new Map<string, ConfigFailure>();
  const lack = (id: string, problem: ConfigFailure | undefined): void => {
    if (problem !== undefined) unlocked.set(id, problem);
  };
  for (const entry of lockable(config)) {
    lack(entry.id, complaint(entry, formatReference(entry.source), lock?.sources, keyOfSource(entry)));
  }
  for (const selection of config.selections) {
    const source = formatRepository(selection.source);
    lack(selection.id, complaint(selection, source, lock?.selections, keyOfSelection(selection)));
  }
  const selected = await selectEach(config, ({ id }) => {
    const problem = unlocked.get(id);
    return Promise.resolve(problem === undefined ? ok(tagsOf(lock?.selections.get(id))) : fail(problem));
  });
  const expansions = selected.map((expansion) => {
    const { id } = expansion.selection;
    const all = expansion.selected?.tags.length === lock?.selections.get(id)?.tags.size;
    if (unlocked.has(id) || (expansion.failure === undefined && all)) return expansion;
    const failure = edit(expansion.selection);
    lack(id, failure);
    return { ...expansion, failure };
  });
  const expanded = expandWith(config, expansions, (entries) => {
    if (lock === undefined) return entries;
    const targets = ownTargets({ entries });
    return entries.map((entry) => (unlocked.has(entry.id) ? entry : pinned(entry, lock, targets)));
  });
  return expanded.ok ? { ...expanded, value: { ...expanded.value, unlocked } } : expanded;
}

/** Fails where something that is asked for is not locked; that there is no lock at all is said once. */
export function checkLocked(unlocked: Unlocked, asked: readonly string[]): Loaded<void> {
  const problems = new Map<string, ConfigFailure>();
  for (const id of asked) {
    const problem = unlocked.get(id);
    if (problem !== undefined && !problems.has(problem.message)) problems.set(problem.message, problem);
  }
  return problems.size > 0 ? failed([...problems.values()]) : loaded(undefined);
}

function complaint(
  { id, at }: { readonly id: string; readonly at: Position },
  source: string,
  locks: ReadonlyMap<string, { readonly key: string; readonly source: string }> | undefined,
  key: string,
): ConfigFailure | undefined {
  if (locks === undefined) {
    return configFailure(`there is no ${lockName} beside the config, and --frozen runs what is in it`, HINT, at);
  }
  const locked = locks.get(id);
  if (locked === undefined) return configFailure(`"${id}" is not in ${lockName}`, hintFor(id), at);
  if (locked.key === key) return undefined;
  const other = locked.source === source ? 'what its entry said before it was changed' : `the source ${locked.source}`;
  return configFailure(`what ${lockName} has of "${id}" was made for ${other}`, hintFor(id), at);
}

/** The second part is for those who have just run update, which could not look this one up. */
function hintFor(id: string): string {
  return `${HINT}; what update cannot look up is not in it, and left out by --exclude '${id}'`;
}

/** Somebody edited the lock: its key is right, but the selection would not choose these tags. */
function edit({ id, at }: Selection): ConfigFailure {
  return configFailure(`the tags that ${lockName} has of "${id}" are not those that its select can choose`, HINT, at);
}

function tagsOf(locked: LockedSelection | undefined): readonly Tag[] {
  return [...(locked?.tags.keys() ?? [])];
}

/** An entry whose source is another entry's destination stays as it is: it takes what that one comes to in the run. */
function pinned(entry: Entry, lock: Lock, targets: ReadonlySet<string>): Entry {
  if (entry.kind !== 'sync' || entry.source.kind !== 'tagged' || targets.has(formatReference(entry.source)))
    return entry;
  const { id, source, selection } = entry;
  const chosen = selection === undefined ? undefined : lock.selections.get(selection)?.tags.get(source.tag);
  // A tag that the config names is locked by its own entry, one that was looked for by its selection.
  const locked = chosen ?? lock.sources.get(id);
  return locked === undefined ? entry : { ...entry, source: pin(source, locked.digest, source.tag) };
}
