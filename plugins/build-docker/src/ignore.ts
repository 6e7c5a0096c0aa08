/**
 * Which files of a context `.dockerignore` leaves out: https://docs.docker.com/build/concepts/context/#dockerignore-files.
 * Patterns are matched without regular expressions, so that no pattern of any kind can take long.
 */
import { posix } from 'node:path';

/** Of paths relative to the context, with `/` between parts. */
export interface Ignored {
  /** Whether it is left out. */
  readonly file: (path: string) => boolean;
  /** Whether everything below is, so that nobody need look. */
  readonly folder: (path: string) => boolean;
}

export function parseIgnore(text: string): Ignored {
  const rules = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'))
    .flatMap((line) => toRule(line.trim()));
  // The last rule that matches decides.
  const last = (path: string): number => rules.findLastIndex(({ pattern }) => matches(pattern, path));
  const leavesOut = (index: number): boolean => rules[index]?.leavesOut ?? false;
  return {
    file: (path) => leavesOut(last(path)),
    folder: (path) => {
      const index = last(path);
      const later = rules.slice(index + 1).filter((rule) => !rule.leavesOut);
      return leavesOut(index) && !later.some(({ pattern }) => follow(pattern, `${path}/`).size > 0);
    },
  };
}

interface Rule {
  readonly leavesOut: boolean;
  readonly pattern: readonly Token[];
}

function toRule(line: string): readonly Rule[] {
  const leavesOut = !line.startsWith('!');
  const written = leavesOut ? line : line.slice(1).trim();
  if (written === '') return [];
  const pattern = posix
    .normalize(written)
    .replace(/^\/(?=.)/, '')
    .replace(/(?<=.)\/$/, '');
  return [{ leavesOut, pattern: tokenise(pattern) }];
}

type Token =
  | { readonly kind: 'one'; readonly fits: (character: string) => boolean }
  /** `*`: any number of characters of one name. */
  | { readonly kind: 'name' }
  /** `**` at the end, and before plain text: anything. */
  | { readonly kind: 'rest' }
  /** `**` elsewhere: any number of whole folders. Always followed by `folder`, in which it waits for the next `/`. */
  | { readonly kind: 'folders' }
  | { readonly kind: 'folder' };

/** `**.log`: in front of plain text BuildKit takes two stars for anything, and elsewhere for whole folders. */
const PLAIN_END = /^\*\*(?=[^/*?[\]\\][^*?[\]\\]*$)/;

function tokenise(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  if (PLAIN_END.test(pattern)) return [{ kind: 'rest' }, ...tokenise(pattern.slice(2))];
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern.charAt(at);
    if (pattern.startsWith('**', at)) {
      at += pattern.charAt(at + 2) === '/' ? 2 : 1;
      if (at + 1 >= pattern.length) tokens.push({ kind: 'rest' });
      else tokens.push({ kind: 'folders' }, { kind: 'folder' });
    } else if (character === '*') tokens.push({ kind: 'name' });
    else if (character === '?') tokens.push({ kind: 'one', fits: (other) => other !== '/' });
    else if (character === '[' && SET.test(pattern.slice(at))) {
      const [all = '', set = ''] = SET.exec(pattern.slice(at)) ?? [];
      tokens.push({ kind: 'one', fits: setOf(set) });
      at += all.length - 1;
    } else {
      if (character === '\\' && at + 1 < pattern.length) at += 1;
      const literal = pattern.charAt(at);
      tokens.push({ kind: 'one', fits: (other) => other === literal });
    }
  }
  return tokens;
}

/** Up to a bracket that is neither the first in it nor escaped. */
const SET = /^\[(\^?(?:\\.|[^\\])(?:\\.|[^\\\]])*)\]/s;

/** `a-z`, `^0-9` and their like; `\-` and `\]` are these characters. */
function setOf(text: string): (character: string) => boolean {
  const not = text.startsWith('^');
  const ranges = [...(not ? text.slice(1) : text).matchAll(/(\\.|[^\\])-(\\.|[^\\])|(\\.|[^\\])/gs)].map(
    ([, from, to, one]) => ({
      from: plain(from ?? one),
      to: plain(to ?? one),
    }),
  );
  return (character) =>
    character !== '/' && ranges.some(({ from, to }) => from <= character && character <= to) !== not;
}

function plain(character = ''): string {
  return character.length > 1 ? character.slice(1) : character;
}

/** Whether the pattern fits the path or a folder above it. */
function matches(pattern: readonly Token[], path: string): boolean {
  return follow(pattern, path).has(pattern.length);
}

/** The positions in the pattern that the text leads to, all followed at once; the last one as soon as it fits a folder above. */
function follow(pattern: readonly Token[], text: string): ReadonlySet<number> {
  let positions = new Set<number>();
  enter(0, pattern, positions);
  for (const character of text) {
    if (character === '/' && positions.has(pattern.length)) return positions;
    const next = new Set<number>();
    for (const position of positions) step(position, character, pattern, next);
    positions = next;
  }
  return positions;
}

function step(position: number, character: string, pattern: readonly Token[], next: Set<number>): void {
  const token = pattern[position];
  if (token === undefined) return;
  if (token.kind === 'one' && token.fits(character)) enter(position + 1, pattern, next);
  else if (token.kind === 'rest' || (token.kind === 'name' && character !== '/')) enter(position, pattern, next);
  else if (token.kind === 'folder') {
    next.add(position);
    if (character === '/') enter(position + 1, pattern, next);
  }
}

/** Adds a position, and those that need no further character to be reached from it. */
function enter(position: number, pattern: readonly Token[], into: Set<number>): void {
  into.add(position);
  const token = pattern[position];
  if (token?.kind === 'name' || token?.kind === 'rest') enter(position + 1, pattern, into);
  if (token?.kind === 'folders') {
    into.add(position + 1);
    enter(position + 2, pattern, into);
  }
}
