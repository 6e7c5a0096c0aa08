/** Globs on entries: what `--only`, `--exclude` and the settings' `match` mean. */
import picomatch from 'picomatch';
import type { Entry } from '../config/model.ts';
import { formatReference } from '../reference.ts';

/**
 * A test for one pattern. `*` also matches `/`, because ids and destinations are names, not paths: `sync:*` is every sync.
 * A text that is equal to the pattern matches even where the pattern's characters mean something else.
 */
export function glob(pattern: string): (text: string) => boolean {
  const matches = isPlain(pattern) ? plain(pattern) : picomatch(pattern, { bash: true, dot: true, nonegate: true });
  return (text) => text === pattern || matches(text);
}

/** Nothing but stars and question marks among what names are made of: what nearly all patterns are. */
function isPlain(pattern: string): boolean {
  return /^[\w.:/@*?-]+$/.test(pattern) && !pattern.includes('**');
}

/**
 * As picomatch has it, in a time that grows with text and pattern alone: its regular expressions try every way to share a long name
 * among stars, which with nine of them takes days. Going back to the last star is enough.
 */
function plain(pattern: string): (text: string) => boolean {
  return (text) => {
    let [at, on] = [0, 0];
    /** Behind the last star, and where what stands for it ends for now. */
    let [star, until] = [-1, 0];
    while (at < text.length) {
      const wanted = pattern[on];
      if (wanted === '*') [star, until] = [(on += 1), at];
      else if (wanted !== undefined && (wanted === text[at] || (wanted === '?' && text[at] !== '/'))) {
        at += 1;
        on += 1;
      } else if (star >= 0) [on, at] = [star, (until += 1)];
      else return false;
    }
    return on === pattern.length || (on === pattern.length - 1 && pattern[on] === '*');
  };
}

/** Entry's first destination as the config has it, whatever `--to` made of it: the id without its kind. */
export function writtenDestination(entry: Entry): string {
  return entry.id.slice(entry.kind.length + 1);
}

/** The texts that a pattern of the user's may name an entry by. */
export function entryNames(entry: Entry): readonly string[] {
  return [entry.id, writtenDestination(entry), ...entry.targets.map((target) => formatReference(target.destination))];
}
