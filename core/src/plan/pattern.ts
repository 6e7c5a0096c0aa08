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
 * among stars, which with nine of them takes days. The first place for each part between stars is enough.
 */
function plain(pattern: string): (text: string) => boolean {
  const [first = '', ...others] = pattern.split('*');
  const last = others.pop();
  if (last === undefined) return (text) => text.length === first.length && standsAt(first, text, 0);
  return (text) => {
    const end = text.length - last.length;
    if (end < first.length || !standsAt(first, text, 0) || !standsAt(last, text, end)) return false;
    let at = first.length;
    for (const part of others) {
      const place = placeOf(part, text, at);
      if (place < 0) return false;
      at = place + part.length;
    }
    return at <= end;
  };
}

/** The first place from `at` on; -1: there is none. */
function placeOf(part: string, text: string, at: number): number {
  if (!part.includes('?')) return text.indexOf(part, at);
  for (let place = at; place + part.length <= text.length; place += 1) if (standsAt(part, text, place)) return place;
  return -1;
}

function standsAt(part: string, text: string, place: number): boolean {
  if (!part.includes('?')) return text.startsWith(part, place);
  for (let index = 0; index < part.length; index += 1) {
    const [wanted, there] = [part[index], text[place + index]];
    if (wanted !== there && (wanted !== '?' || there === undefined || there === '/')) return false;
  }
  return true;
}

/** Entry's first destination as the config has it, whatever `--to` made of it: the id without its kind. */
export function writtenDestination(entry: Entry): string {
  return entry.id.slice(entry.kind.length + 1);
}

/** The texts that a pattern of the user's may name an entry by. */
export function entryNames(entry: Entry): readonly string[] {
  return [entry.id, writtenDestination(entry), ...entry.targets.map((target) => formatReference(target.destination))];
}
