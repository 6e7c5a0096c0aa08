/** Go's regular expressions on tags, as whole-tag patterns and as globs. */

import { compileRegex } from '../selection/patterns.ts';

/** Characters of a class that are written out in a glob at most. */
const CLASS_LIMIT = 40;

/**
 * A search for `pattern` as a pattern for the whole tag, which is what `select.regex` is: `^1\.2` → `1\.2.*`. Alternatives are
 * anchored each for itself, as they are in a search: `^a|b$` is what begins with a, and what ends with b.
 */
export function wholeOfSearch(pattern: string): string {
  const alternatives = splitAlternatives(pattern).map((each) => {
    const anchors = /^(?:\^[*+?]?\??)*/.exec(each)?.[0] ?? '';
    // Go takes `^*` and `^?`, where the anchor may be absent: such a one anchors nothing.
    const start = anchors.split('^').some((quantifier, index) => index > 0 && !/^[*?]/.test(quantifier));
    const end = endsWithAnchor(each);
    const body = each.slice(anchors.length, end ? -1 : undefined);
    return `${start ? '' : '.*'}${body}${end ? '' : '.*'}`;
  });
  return alternatives.join('|');
}

/**
 * The same for a tool that puts `^` and `$` around a pattern, without a group. So `*-slim`, which people write who think of globs, is
 * `^*-slim$` there and matches what ends with `-slim`.
 */
export function wholeOfAnchored(pattern: string): string {
  return wholeOfSearch(anchored(pattern));
}

function anchored(pattern: string): string {
  return `^${pattern}${endsWithAnchor(pattern) ? '' : '$'}`;
}

/** Why Go's tools do not take a pattern that they put `^` and `$` around; `undefined`: they do. */
export function problemOfAnchored(pattern: string): string | undefined {
  return problemOfSearch(anchored(pattern));
}

/** Why Go's tools do not take a pattern as it is; `undefined`: they do. */
export function problemOfSearch(pattern: string): string | undefined {
  const compiled = compileRegex(pattern);
  return 'problem' in compiled ? compiled.problem : undefined;
}

function endsWithAnchor(text: string): boolean {
  return /(?:^|[^\\])(?:\\\\)*\$$/.test(text);
}

/** A name and nothing more: what people write for a tag, dots and all. */
export function isLiteralTag(pattern: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(pattern);
}

/** Split at the `|` that stand in no group and no class. */
function splitAlternatives(pattern: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let inClass = false;
  let start = 0;
  for (let i = 0; i < pattern.length; i += 1) {
    const character = pattern[i];
    if (character === '\\') i += 1;
    else if (inClass) inClass = character !== ']';
    else if (character === '[') {
      inClass = true;
      // A `]` that comes first is one of the class.
      if (pattern[i + 1] === '^') i += 1;
      if (pattern[i + 1] === ']') i += 1;
    } else if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    else if (character === '|' && depth === 0) {
      parts.push(pattern.slice(start, i));
      start = i + 1;
    }
  }
  return [...parts, pattern.slice(start)];
}

/** The same whole tags in the words of `select.exclude`: as globs, which people read with ease, or as it stands. */
export function excludeOf(whole: string): readonly string[] {
  const globs = globsOf(whole);
  return globs !== undefined && globs.join('').length <= whole.length ? globs : [`/${whole}/`];
}

/** Globs that match the same whole tags, or `undefined` where no glob can: it knows any text, one character, and alternatives. */
function globsOf(whole: string): readonly string[] | undefined {
  const globs = splitAlternatives(whole).map(globOf);
  return globs.every((glob) => glob !== undefined) ? globs : undefined;
}

function globOf(pattern: string): string | undefined {
  let glob = '';
  let rest = pattern;
  while (rest !== '') {
    const atom = readAtom(rest);
    if (atom === undefined) return undefined;
    rest = rest.slice(atom.length);
    const quantifier = /^[*+?]|^\{/.exec(rest)?.[0];
    if (quantifier !== undefined) {
      rest = rest.slice(1);
      if (/^[?+]/.test(rest)) return undefined;
    }
    const any = atom.glob === '?';
    if (quantifier === undefined) glob += atom.glob;
    else if (quantifier === '*' && any) glob += '*';
    else if (quantifier === '+' && any) glob += '?*';
    else if (quantifier === '?') glob += `{${atom.glob},}`;
    else return undefined;
  }
  return glob === '' ? undefined : glob;
}

interface Atom {
  readonly glob: string;
  /** Characters of the pattern. */
  readonly length: number;
}

function readAtom(text: string): Atom | undefined {
  const first = text[0] ?? '';
  if (first === '.') return { glob: '?', length: 1 };
  if (/[A-Za-z0-9_-]/.test(first)) return { glob: first, length: 1 };
  if (text.startsWith('\\d')) return { glob: '{0,1,2,3,4,5,6,7,8,9}', length: 2 };
  if (/^\\[.\-_+]/.test(text)) return { glob: text[1] ?? '', length: 2 };
  if (first === '[') return readClass(text);
  return first === '(' ? readGroup(text) : undefined;
}

/** `[a-c_]` → `{a,b,c,_}`. */
function readClass(text: string): Atom | undefined {
  const match = /^\[([A-Za-z0-9._-]+)\]/.exec(text);
  if (match === null) return undefined;
  const [all, members = ''] = match;
  const characters: string[] = [];
  for (let i = 0; i < members.length; i += 1) {
    const from = members.charCodeAt(i);
    const range = members[i + 1] === '-' && i + 2 < members.length;
    const to = range ? members.charCodeAt(i + 2) : from;
    for (let code = from; code <= to; code += 1) characters.push(String.fromCharCode(code));
    if (range) i += 2;
    if (characters.length > CLASS_LIMIT) return undefined;
  }
  if (characters.length === 0) return undefined;
  return { glob: characters.length === 1 ? (characters[0] ?? '') : `{${characters.join(',')}}`, length: all.length };
}

/** `(a|b.*)` → `{a,b*}`. */
function readGroup(text: string): Atom | undefined {
  const close = closingOf(text);
  if (close === undefined) return undefined;
  const inside = text.slice(1, close).replace(/^\?:/, '');
  if (inside.startsWith('?')) return undefined;
  const globs = globsOf(inside);
  if (globs === undefined) return undefined;
  return { glob: globs.length === 1 ? (globs[0] ?? '') : `{${globs.join(',')}}`, length: close + 1 };
}

function closingOf(text: string): number | undefined {
  let depth = 0;
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '(') depth += 1;
    else if (text[i] === ')') {
      depth -= 1;
      if (depth === 0) return i;
    }
  }
  return undefined;
}
