/**
 * The part of YAML that most configs keep to: block lists and mappings of plain one-line scalars, with comments. It is read
 * some twenty times as fast as by the library, which is for everything else: whatever is not certain here is left to it.
 */
import type { Position } from '../failure.ts';
import type { Document, Path } from './document.ts';

interface Place {
  readonly line: number;
  readonly column: number;
}

interface Node extends Place {
  readonly data: unknown;
  /** Of a collection: by key or index. */
  readonly parts?: ReadonlyMap<string | number, Part>;
}

interface Part {
  /** Where the key stands; of an item of a list, where the item does. */
  readonly key: Place;
  readonly node: Node;
}

/** A line that is neither empty nor a comment. */
interface Line {
  readonly number: number;
  /** Spaces before the text; of a list's item, before its dash. */
  readonly indent: number;
  readonly dash: boolean;
  readonly key: string | undefined;
  /** As written; absent: the value is on the lines below. */
  readonly scalar: string | undefined;
  /** Columns where key and scalar start, from 1. */
  readonly column: number;
  readonly scalarColumn: number;
}

const MAX_DEPTH = 16;
/** What is longer is not looked at: matching takes quadratic time on a line that does not match. */
const MAX_LINE = 2_000;
const PRINTABLE = /^[\n\x20-\x7e]*$/;
const EMPTY = /^ *(?:#.*)?$/;
/** Spaces, a dash, a key, a scalar (plain without blanks, or in quotes without escapes), a comment. */
const LINE =
  /^( *)(- )?(?:([A-Za-z][\w-]{0,63}):(?= |$))?( *)("[^"\\]*"|'[^']*'|[\w./](?:[\w./@+{}:-]*[\w./@+}-])?)?(?: *| +#.*)$/;
/** What plain text may be taken for something else; see https://yaml.org/spec/1.2.2/#103-core-schema */
const WORD = /^[A-Za-z][\w-]*$/;
const NO_TEXT = /^(?:null|true|false)$/i;

/** `undefined`: not certain. `file` is for positions. */
export function readPlainYaml(text: string, file: string): Document | undefined {
  if (!PRINTABLE.test(text)) return undefined;
  const lines = readLines(text);
  if (lines === undefined || lines.length === 0) return undefined;
  let next = 0;
  const root = readBlock(lines[0]?.indent ?? 0, 0);
  if (root === undefined || next < lines.length || root.column !== 1) return undefined;
  return { file, data: root.data, locate: (path, part = 'value') => locate(root, path, part, file) };

  function readBlock(indent: number, depth: number): Node | undefined {
    if (depth > MAX_DEPTH) return undefined;
    return lines?.[next]?.dash === true ? readList(indent, depth) : readMapping(indent, depth);
  }

  function readList(indent: number, depth: number): Node | undefined {
    const data: unknown[] = [];
    const parts = new Map<number, Part>();
    const first = lines?.[next];
    for (let line = first; line !== undefined && line.dash && line.indent === indent; line = lines?.[next]) {
      const node = line.key === undefined ? readScalar(line) : readMapping(indent + 2, depth + 1);
      if (node === undefined) return undefined;
      parts.set(data.length, { key: node, node });
      data.push(node.data);
    }
    return first === undefined ? undefined : { line: first.number, column: indent + 1, data, parts };
  }

  /** The first key of a list's item stands behind its dash, and the others below it. */
  function readMapping(indent: number, depth: number): Node | undefined {
    const data: Record<string, unknown> = {};
    const parts = new Map<string, Part>();
    const first = lines?.[next];
    for (let line = first; line !== undefined; line = lines?.[next]) {
      const own = line.dash ? line === first && line.indent + 2 === indent : line.indent === indent;
      if (!own) break;
      const { key, number, column } = line;
      if (key === undefined || parts.has(key)) return undefined;
      const node = line.scalar === undefined ? readBelow(indent, depth) : readScalar(line);
      if (node === undefined) return undefined;
      parts.set(key, { key: { line: number, column }, node });
      data[key] = node.data;
    }
    return first === undefined ? undefined : { line: first.number, column: indent + 1, data, parts };
  }

  /** A list may stand as far left as the key that it belongs to. */
  function readBelow(indent: number, depth: number): Node | undefined {
    next += 1;
    const line = lines?.[next];
    if (line === undefined) return undefined;
    return line.indent > indent || (line.dash && line.indent === indent)
      ? readBlock(line.indent, depth + 1)
      : undefined;
  }

  function readScalar({ number, scalar = '', scalarColumn }: Line): Node | undefined {
    next += 1;
    const data = valueOf(scalar);
    return data === undefined ? undefined : { line: number, column: scalarColumn, data };
  }
}

function readLines(text: string): readonly Line[] | undefined {
  const lines: Line[] = [];
  let number = 0;
  for (const written of text.split('\n')) {
    number += 1;
    if (written.length > MAX_LINE) return undefined;
    if (EMPTY.test(written)) continue;
    const [, spaces = '', dash = '', key, gap = '', scalar] = LINE.exec(written) ?? [];
    if ((key === undefined && (dash === '' || scalar === undefined)) || (key !== undefined && NO_TEXT.test(key))) {
      return undefined;
    }
    const column = spaces.length + dash.length + 1;
    const scalarColumn = column + (key === undefined ? 0 : key.length + 1) + gap.length;
    lines.push({ number, indent: spaces.length, dash: dash !== '', key, scalar, column, scalarColumn });
  }
  return lines;
}

/** `undefined`: it may be a number or something else. */
function valueOf(scalar: string): string | boolean | undefined {
  if (scalar.startsWith('"') || scalar.startsWith("'")) return scalar.slice(1, -1);
  if (scalar === 'true') return true;
  if (scalar === 'false') return false;
  return scalar.includes('/') || (WORD.test(scalar) && !NO_TEXT.test(scalar)) ? scalar : undefined;
}

function locate(root: Node, path: Path, part: 'key' | 'value', file: string): Position {
  let place: Place = root;
  let node: Node | undefined = root;
  for (const [depth, segment] of path.entries()) {
    const found: Part | undefined = node?.parts?.get(segment);
    if (found === undefined) break;
    place = part === 'key' && depth === path.length - 1 ? found.key : found.node;
    node = found.node;
  }
  return { file, line: place.line, column: place.column };
}
