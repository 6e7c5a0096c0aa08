/**
 * A Dockerfile cut into instructions: continuation lines joined, comments and the bodies of heredocs left out.
 * The language: https://docs.docker.com/reference/dockerfile/#format and, where that is silent, what BuildKit's parser does.
 */

/** A place in the file, 1-based, as editors count. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A word as it stands in the file, with its quotes. */
export interface Word {
  readonly raw: string;
  /** Offset in the instruction's text. */
  readonly start: number;
  /** Whether a quote in it is never closed. */
  readonly open: boolean;
}

export interface Instruction {
  /** Upper case, as `FROM`; of `ONBUILD RUN …` it is `RUN`. */
  readonly keyword: string;
  /** Words that begin with `--` between the keyword and the rest, as `--from=base`. */
  readonly flags: readonly Word[];
  readonly words: readonly Word[];
  readonly place: (offset: number) => Place;
}

export interface Instructions {
  /** `\` unless the `escape` directive says otherwise. */
  readonly escape: string;
  /** What the `syntax` directive says: the image of the language's frontend, and perhaps words for it. */
  readonly syntax?: Directive;
  readonly instructions: readonly Instruction[];
}

/** Never fails: what is no Dockerfile gives instructions that mean nothing. */
export function readInstructions(text: string): Instructions {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const directives = readDirectives(lines, '#');
  const escape = directives.get('escape')?.value === '`' ? '`' : '\\';
  const syntax = directives.get('syntax') ?? readDirectives(lines, '//').get('syntax');
  const instructions: Instruction[] = [];
  for (let next = 0; next < lines.length;) {
    const joined = joinLines(lines, next, escape);
    next = joined.next;
    const instruction = toInstruction(joined, escape);
    if (instruction === undefined) continue;
    instructions.push(instruction);
    next = skipHeredocs(instruction, joined.text, lines, next);
  }
  return { escape, ...(syntax === undefined ? {} : { syntax }), instructions };
}

export interface Directive {
  readonly value: string;
  readonly place: Place;
}

const DIRECTIVE = /^(\s*(syntax|escape|check)\s*=\s*)(.+?)\s*$/i;

/** They count only above everything else, comments included; a first line for the shell is passed over. Of two the first counts. */
function readDirectives(lines: readonly string[], comment: '#' | '//'): ReadonlyMap<string, Directive> {
  const found = new Map<string, Directive>();
  for (const [index, line] of lines.entries()) {
    if (index === 0 && line.startsWith('#!')) continue;
    const text = line.startsWith(comment) ? line.slice(comment.length) : '';
    const [, before, name, value] = DIRECTIVE.exec(text) ?? [];
    if (before === undefined || name === undefined || value === undefined || found.has(name.toLowerCase())) break;
    const column = comment.length + before.length + 1;
    found.set(name.toLowerCase(), { value, place: { line: index + 1, column } });
  }
  return found;
}

interface Joined {
  readonly text: string;
  /** Where each part of `text` comes from, in order. */
  readonly parts: readonly { readonly offset: number; readonly line: number }[];
  /** Index of the line after it. */
  readonly next: number;
}

function joinLines(lines: readonly string[], first: number, escape: string): Joined {
  const parts: { offset: number; line: number }[] = [];
  const texts: string[] = [];
  let offset = 0;
  let next = first;
  for (let open = true; open && next < lines.length; next += 1) {
    const line = lines[next] ?? '';
    const nothing = /^\s*(?:#|$)/.test(line);
    // Between continued lines, comments and empty lines are passed over; elsewhere they are instructions of no words.
    if (nothing && next > first) continue;
    if (nothing) return { text: '', parts, next: next + 1 };
    const continued = beforeContinuation(line, escape);
    open = continued !== undefined;
    parts.push({ offset, line: next + 1 });
    texts.push(continued ?? line);
    offset += (continued ?? line).length;
  }
  return { text: texts.join(''), parts, next };
}

/** The line without its continuation character; `undefined` when the instruction ends with it. Two of them are none. */
function beforeContinuation(line: string, escape: string): string | undefined {
  const end = line.replace(/[ \t]+$/, '');
  return end.endsWith(escape) && end.at(-2) !== escape ? end.slice(0, -1) : undefined;
}

function toInstruction({ text, parts }: Joined, escape: string): Instruction | undefined {
  const words = splitWords(text, escape);
  let at = 0;
  while (words[at]?.raw.toUpperCase() === 'ONBUILD') at += 1;
  const keyword = words[at];
  if (keyword === undefined) return undefined;
  const rest = words.slice(at + 1);
  const firstArgument = rest.findIndex((word) => !word.raw.startsWith('--') || word.raw === '--');
  const flags = firstArgument < 0 ? rest : rest.slice(0, firstArgument);
  const place = (offset: number): Place => {
    const part = parts.findLast((candidate) => candidate.offset <= offset);
    return part === undefined ? { line: 1, column: 1 } : { line: part.line, column: offset - part.offset + 1 };
  };
  return { keyword: keyword.raw.toUpperCase(), flags, words: rest.slice(flags.length), place };
}

/** Cuts at white space outside of quotes. */
function splitWords(text: string, escape: string): readonly Word[] {
  const words: Word[] = [];
  let start = -1;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (quote === '' && /\s/.test(character)) {
      if (start >= 0) words.push({ raw: text.slice(start, at), start, open: false });
      start = -1;
      continue;
    }
    if (start < 0) start = at;
    if (character === escape) at += 1;
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = '';
  }
  if (start >= 0) words.push({ raw: text.slice(start), start, open: quote !== '' });
  return words;
}

/** The word without its quotes. A dollar stays what it is: flags know no variables. */
export function unquote(raw: string, escape: string): string {
  let text = '';
  let quote = '';
  for (let at = 0; at < raw.length; at += 1) {
    const character = raw.charAt(at);
    if (character === escape) {
      at += 1;
      text += raw.charAt(at);
    } else if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = '';
    else text += character;
  }
  return text;
}

const HEREDOC = /^\d*<<(-?)([^<]*)$/;

/** The index of the line after the last heredoc of an instruction. */
function skipHeredocs({ keyword }: Instruction, text: string, lines: readonly string[], after: number): number {
  let next = after;
  if (!['RUN', 'COPY', 'ADD'].includes(keyword)) return next;
  for (const { name, tabs } of heredocs(text)) {
    while (next < lines.length) {
      const line = lines[next] ?? '';
      next += 1;
      if ((tabs ? line.replace(/^\t+/, '') : line) === name) break;
    }
  }
  return next;
}

/** Here the escape character is always a backslash. A line whose quotes do not match has no heredocs. */
function heredocs(text: string): readonly { readonly name: string; readonly tabs: boolean }[] {
  if (!text.includes('<<')) return [];
  const words = splitWords(text, '\\');
  if (words.some((word) => word.open)) return [];
  return words.flatMap(({ raw }, index) => {
    const [, dash, attached] = HEREDOC.exec(raw) ?? [];
    if (dash === undefined) return [];
    const name = (attached === '' ? words[index + 1]?.raw : attached)?.replaceAll(/["'\\]/g, '');
    return name === undefined || name === '' ? [] : [{ name, tabs: dash === '-' }];
  });
}
