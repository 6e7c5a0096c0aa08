/** Globs on entries: what `--only`, `--exclude` and the settings' `match` mean. */
import picomatch from 'picomatch';
import type { Entry } from '../config/model.ts';
import { formatReference } from '../reference.ts';

/**
 * A test for one pattern. `*` also matches `/`, because ids and destinations are names, not paths: `sync:*` is every sync.
 * A text that is equal to the pattern matches even where the pattern's characters mean something else.
 */
export function glob(pattern: string): (text: string) => boolean {
  const matches = picomatch(pattern, { bash: true, dot: true, nonegate: true });
  return (text) => text === pattern || matches(text);
}

/** Entry's first destination as the config has it, whatever `--to` made of it: the id without its kind. */
export function writtenDestination(entry: Entry): string {
  return entry.id.slice(entry.kind.length + 1);
}

/** The texts that a pattern of the user's may name an entry by. */
export function entryNames(entry: Entry): readonly string[] {
  return [entry.id, writtenDestination(entry), ...entry.targets.map((target) => formatReference(target.destination))];
}
