/**
 * Reads YAML 1.2 (and so JSON) into plain data, keeping positions. The conversion is ours because the library's own one
 * compares all keys of a mapping with one another (quadratic) and finds each alias by searching the whole document.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Node,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { configFailure, type ConfigFailure, type Position } from '../failure.ts';
import type { Document, Path } from './document.ts';
import { failed, loaded, type Loaded } from './loaded.ts';
import { readPlainYaml } from './plain-yaml.ts';
import { quote } from './quote.ts';

const MAX_LENGTH = 4 * 1024 * 1024;
const MAX_DEPTH = 100;
/** How many values aliases may repeat in all: a few anchors nested in one another make billions. */
const MAX_REPEATED = 100_000;

/**
 * Failures are everything that makes it no plain data: syntax, repeated keys, aliases that explode, several documents.
 * `failsafe`: every scalar is text, as it is written: the tag 3.10 stays one.
 */
export function parseYaml(text: string, file: string, schema: 'core' | 'failsafe' = 'core'): Loaded<Document> {
  const start: Position = { file, line: 1, column: 1 };
  const plain = schema === 'core' ? readPlainYaml(text, file) : undefined;
  if (plain !== undefined) return loaded(plain);
  if (text.length > MAX_LENGTH) {
    const hint = 'more is read only where it is block lists and mappings of plain text on one line each';
    return failed([configFailure('the file is larger than 4 MiB', hint, start)]);
  }
  const lines = new LineCounter();
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const parsed = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    schema,
    uniqueKeys: false,
    // With 'silent' a second document would be left out without a word.
    logLevel: 'error',
  });
  const syntax = [...parsed.errors, ...parsed.warnings].map((error) => {
    const { message, hint } = describe(error.code, error.message);
    return configFailure(message, hint, position(error.pos[0]));
  });
  if (syntax.length > 0) return failed(syntax);
  const indexes = new Map<YAMLMap, ReadonlyMap<string | undefined, Pair>>();
  const converter = new Converter(position);
  const data = parsed.contents === null ? null : converter.convert(parsed.contents, 0).value;
  if (converter.problems.length > 0) return failed(converter.problems);
  return loaded({ file, data, locate: (path, part = 'value') => locate(parsed.contents, path, part) });

  /** Indexed once: a mapping with 100,000 unknown keys is asked for every one of them. */
  function pairsOf(map: YAMLMap): ReadonlyMap<string | undefined, Pair> {
    let pairs = indexes.get(map);
    if (pairs === undefined) {
      pairs = new Map(map.items.map((pair) => [keyOf(pair), pair]));
      indexes.set(map, pairs);
    }
    return pairs;
  }

  function locate(root: Node | null, path: Path, part: 'key' | 'value'): Position {
    let offset = root?.range?.[0] ?? 0;
    let node: unknown = root;
    for (const [depth, segment] of path.entries()) {
      const collection = isAlias(node) ? converter.targets.get(node) : node;
      const last = depth === path.length - 1;
      if (isSeq(collection) && typeof segment === 'number') {
        node = collection.items[segment];
        offset = startOf(node) ?? offset;
        continue;
      }
      const pair = isMap(collection) ? pairsOf(collection).get(String(segment)) : undefined;
      if (pair === undefined) break;
      node = pair.value;
      const key = startOf(pair.key);
      offset = (last && part === 'key' ? key : (startOf(node) ?? key)) ?? offset;
    }
    return position(offset);
  }
}

function describe(code: string, message: string): { readonly message: string; readonly hint?: string } {
  if (code === 'RESOURCE_EXHAUSTION') return { message: 'the file is nested too deeply' };
  if (code === 'MULTIPLE_DOCS') {
    return { message: 'the file holds more than one document', hint: 'leave out the line "---"' };
  }
  if (code === 'TAB_AS_INDENT') return { message: 'a tab cannot indent YAML', hint: 'use spaces' };
  const first = message.split('\n', 1)[0] ?? '';
  return { message: `not valid YAML: ${first.charAt(0).toLowerCase()}${first.slice(1, 300)}` };
}

/** `undefined` for an empty value, which has no text of its own to point at. */
function startOf(node: unknown): number | undefined {
  if (!isNode(node)) return undefined;
  const range = node.range;
  if (!range || (isScalar(node) && range[0] === range[1])) return undefined;
  return range[0];
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value);
}

function keyOf(pair: Pair): string | undefined {
  if (!isScalar(pair.key)) return undefined;
  const { value } = pair.key;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

interface Converted {
  readonly value: unknown;
  /** Values inside, itself included, and how deep they are nested. */
  readonly size: number;
  readonly depth: number;
}

const NOTHING: Converted = { value: null, size: 1, depth: 1 };

class Converter {
  readonly problems: ConfigFailure[] = [];
  readonly targets = new Map<Node, Node>();
  readonly #anchors = new Map<string, { readonly node: Node; converted?: Converted }>();
  readonly #position: (offset: number) => Position;
  #repeated = 0;

  constructor(position: (offset: number) => Position) {
    this.#position = position;
  }

  convert(node: unknown, level: number): Converted {
    if (!isNode(node)) return NOTHING;
    if (isAlias(node)) return this.#alias(node, level);
    if (level >= MAX_DEPTH) return this.#refuse(node, `nested deeper than ${MAX_DEPTH} levels`);
    const anchor: { readonly node: Node; converted?: Converted } = { node };
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, anchor);
    const converted = this.#value(node, level);
    anchor.converted = converted;
    return converted;
  }

  #value(node: Node, level: number): Converted {
    if (isMap(node)) return this.#map(node, level);
    if (isSeq(node)) return this.#seq(node, level);
    const value: unknown = isScalar(node) ? node.value : undefined;
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return { value, size: 1, depth: 1 };
    if (typeof value === 'number' && Number.isFinite(value)) return { value, size: 1, depth: 1 };
    return this.#refuse(node, 'only text, finite numbers, true, false and null are values here');
  }

  #map(node: YAMLMap, level: number): Converted {
    const value: Record<string, unknown> = {};
    const seen = new Map<string, Node>();
    let size = 1;
    let depth = 0;
    for (const pair of node.items) {
      const key = keyOf(pair);
      const keyNode = isNode(pair.key) ? pair.key : node;
      if (key === undefined) {
        this.#refuse(keyNode, 'a key must be plain text');
        continue;
      }
      const first = seen.get(key);
      if (first !== undefined) {
        const { line } = this.#position(first.range?.[0] ?? 0);
        this.#refuse(keyNode, `the key ${quote(key)} is already in line ${line}`, 'keep one of them');
        continue;
      }
      seen.set(key, keyNode);
      const child = this.convert(pair.value, level + 1);
      // Defined rather than assigned, so that a key named "__proto__" is data like any other.
      Object.defineProperty(value, key, { value: child.value, enumerable: true, configurable: true, writable: true });
      size += child.size;
      depth = Math.max(depth, child.depth);
    }
    return { value, size, depth: depth + 1 };
  }

  #seq(node: YAMLSeq, level: number): Converted {
    const children = node.items.map((item) => this.convert(item, level + 1));
    return {
      value: children.map((child) => child.value),
      size: children.reduce((sum, child) => sum + child.size, 1),
      depth: children.reduce((most, child) => Math.max(most, child.depth), 0) + 1,
    };
  }

  #alias(node: Node & { readonly source: string }, level: number): Converted {
    const anchor = this.#anchors.get(node.source);
    if (anchor === undefined) {
      return this.#refuse(node, `the alias ${quote(`*${node.source}`)} has no anchor before it`);
    }
    if (anchor.converted === undefined) {
      return this.#refuse(node, `the alias ${quote(`*${node.source}`)} contains itself`);
    }
    this.targets.set(node, anchor.node);
    this.#repeated += anchor.converted.size;
    if (this.#repeated > MAX_REPEATED) return this.#refuse(node, 'aliases repeat too much of the file');
    if (level + anchor.converted.depth > MAX_DEPTH) return this.#refuse(node, `nested deeper than ${MAX_DEPTH} levels`);
    return anchor.converted;
  }

  #refuse(node: Node, message: string, hint?: string): Converted {
    this.problems.push(configFailure(message, hint, this.#position(node.range?.[0] ?? 0)));
    return NOTHING;
  }
}
