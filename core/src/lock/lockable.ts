/** Which sources of a config are looked up anew in each run, and so can be locked. */
import type { Config, Selection, SyncEntry } from '../config/model.ts';
import { formatReference, type Tagged } from '../reference.ts';
import { keyOfSelection, keyOfSource } from './key.ts';
import type { Lock } from './model.ts';

/** An entry whose source is a tag. */
export type TaggedEntry = SyncEntry & { readonly source: Tagged };

/** In the config's order. Without those whose source is another entry's destination: they take what that one comes to in the run. */
export function lockable(config: Config): readonly TaggedEntry[] {
  const targets = ownTargets(config);
  return config.entries.filter(
    (entry): entry is TaggedEntry =>
      entry.kind === 'sync' && entry.source.kind === 'tagged' && !targets.has(formatReference(entry.source)),
  );
}

/** Ids of the entries whose source the lock has a digest of, for what the config says now. `selections`: those that were expanded. */
export function lockedEntries(config: Config, selections: readonly Selection[], lock: Lock): ReadonlySet<string> {
  const chosen = new Map(
    selections.flatMap((selection) => {
      const locked = lock.selections.get(selection.id);
      return locked?.key === keyOfSelection(selection) ? [[selection.id, locked.tags] as const] : [];
    }),
  );
  const locked = lockable(config).filter(
    (entry) =>
      lock.sources.get(entry.id)?.key === keyOfSource(entry) ||
      (entry.selection !== undefined && chosen.get(entry.selection)?.has(entry.source.tag) === true),
  );
  return new Set(locked.map(({ id }) => id));
}

/** Every repository:tag that the config publishes to. */
export function ownTargets({ entries }: Pick<Config, 'entries'>): ReadonlySet<string> {
  return new Set(entries.flatMap((entry) => entry.targets.map(({ destination }) => formatReference(destination))));
}
