/** Which sources of a config are looked up anew in each run, and so can be locked. */
import type { Config, SyncEntry } from '../config/model.ts';
import { formatReference, type Tagged } from '../reference.ts';

/** An entry whose source is a tag. */
export type TaggedEntry = SyncEntry & { readonly source: Tagged };

/** In the config's order. The image of another entry is not among them: it is what that entry comes to in the run. */
export function lockable(config: Config): readonly TaggedEntry[] {
  const targets = ownTargets(config);
  return config.entries.filter(
    (entry): entry is TaggedEntry =>
      entry.kind === 'sync' && entry.source.kind === 'tagged' && !targets.has(formatReference(entry.source)),
  );
}

/** Every repository:tag that the config publishes to. */
export function ownTargets({ entries }: Pick<Config, 'entries'>): ReadonlySet<string> {
  return new Set(entries.flatMap((entry) => entry.targets.map(({ destination }) => formatReference(destination))));
}
