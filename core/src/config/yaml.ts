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
import { conflictsIn, describeMistake, quotesHint, UNMERGED } from './yaml-mistakes.ts';

const MAX_LENGTH = 4 * 1024 * 1024;
const MAX_DEPTH = 100;
/** How many values aliases may repeat in all: a few anchors nested in one another make billions. */
const MAX_REPEATED = 100_000;
/** YAML 1.1's merge key: what the mappings behind it have is there, unless it is written beside it. https://yaml.org/type/merge.html */
const MERGE = '<<';

/** As other tools read their files. */
export interface YamlManner {
  /** `failsafe`: every scalar is text, as it is written: the tag 3.10 stays one. */
  readonly schema?: 'core' | 'failsafe';
  /** The last of a repeated key counts, and this is told of it; of merge keys each does. Otherwise it is a failure. */
  readonly onRepeated?: (key: string, at: Position, firstLine: number) => void;
}

/** Failures are everything that makes it no plain data: syntax, repeated keys, aliases that explode, several documents. */
export function parseYaml(text: string, file: string, manner: YamlManner = {}): Loaded<Document> {
  const { schema = 'core' } = manner;
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
  const mistakes = new Map<number, ConfigFailure>();
  for (const { code, message: said, pos } of [...parsed.errors, ...parsed.warnings]) {
    const { message, hint } = describeMistake(code, said, text.slice(pos[0], pos[0] + 1));
    const at = position(pos[0]);
    // What follows in the same line follows from it.
    if (!mistakes.has(at.line)) mistakes.set(at.line, configFailure(message, hint, at));
  }
  if (mistakes.size > 0) {
    // All else that is said of such a text follows from them.
    const unmerged = conflictsIn(text).map((offset) =>
      configFailure(UNMERGED.message, UNMERGED.hint, position(offset)),
    );
    return failed(unmerged.length > 0 ? unmerged : [...mistakes.values()]);
  }
  const indexes = new Map<YAMLMap, ReadonlyMap<string | undefined, Pair>>();
  const converter = new Converter(position, manner.onRepeated);
  const data = parsed.contents === null ? null : converter.convert(parsed.contents, 0).value;
  if (converter.problems.length > 0) return failed(converter.problems);
  return loaded({ file, data, locate: (path, part = 'value') => locate(parsed.contents, path, part) });

  /** Indexed once: a mapping with 100,000 unknown keys is asked for every one of them. */
  function pairsOf(map: YAMLMap): ReadonlyMap<string | undefined, Pair> {
    let pairs = indexes.get(map);
    if (pairs === undefined) {
      const merged = (converter.merged.get(map) ?? []).toReversed().flatMap((each) => [...pairsOf(each)]);
      pairs = new Map([...merged, ...map.items.map((pair) => [keyOf(pair), pair] as const)]);
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

/** In quotes it is a key like any other. */
function isPlain(node: Node): boolean {
  return isScalar(node) && node.type === 'PLAIN';
}

/** Defined rather than assigned, so that a key named "__proto__" is data like any other. */
function define(mapping: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(mapping, key, { value, enumerable: true, configurable: true, writable: true });
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
  /** What mappings take in by their merge keys: what comes first counts. */
  readonly merged = new Map<YAMLMap, readonly YAMLMap[]>();
  readonly #anchors = new Map<string, { readonly node: Node; converted?: Converted }>();
  readonly #position: (offset: number) => Position;
  readonly #onRepeated: YamlManner['onRepeated'];
  #repeated = 0;

  constructor(position: (offset: number) => Position, onRepeated: YamlManner['onRepeated']) {
    this.#position = position;
    this.#onRepeated = onRepeated;
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
    let inherited: readonly object[] = [];
    for (const pair of node.items) {
      const key = keyOf(pair);
      const keyNode = isNode(pair.key) ? pair.key : node;
      if (key === undefined) {
        this.#refuse(keyNode, 'a key must be plain text');
        continue;
      }
      const merges = key === MERGE && isPlain(keyNode);
      const first = seen.get(key);
      if (first !== undefined && !this.#mayRepeat(key, keyNode, first, merges)) continue;
      seen.set(key, keyNode);
      const child = this.convert(pair.value, level + 1);
      if (merges) {
        inherited = [...this.#merge(node, pair.value, child), ...inherited];
        size += child.size;
        depth = Math.max(depth, child.depth);
        continue;
      }
      define(value, key, child.value);
      size += child.size;
      depth = Math.max(depth, child.depth);
    }
    for (const [key, each] of inherited.flatMap((mapping) => Object.entries(mapping) as [string, unknown][])) {
      if (!Object.hasOwn(value, key)) define(value, key, each);
    }
    return { value, size, depth: depth + 1 };
  }

  #mayRepeat(key: string, node: Node, first: Node, merges: boolean): boolean {
    const { line } = this.#position(first.range?.[0] ?? 0);
    if (this.#onRepeated === undefined) {
      this.#refuse(node, `the key ${quote(key)} is already in line ${line}`, 'keep one of them');
      return false;
    }
    if (!merges) this.#onRepeated(key, this.#position(node.range?.[0] ?? 0), line);
    return true;
  }

  /** The mappings behind a merge key, as data; they are noted as nodes, for their places. */
  #merge(map: YAMLMap, written: unknown, { value }: Converted): readonly object[] {
    const behind = this.#targetOf(written);
    const nodes = isSeq(behind) ? behind.items.map((item) => this.#targetOf(item)) : [behind];
    const maps = nodes.filter((node) => isMap(node));
    if (maps.length < nodes.length) {
      const hint = 'a list of tags or platforms is taken in by its own key, as platforms: *name';
      this.#refuse(isNode(written) ? written : map, `${quote(MERGE)} takes in a mapping, or a list of them`, hint);
      return [];
    }
    this.merged.set(map, [...maps, ...(this.merged.get(map) ?? [])]);
    return (Array.isArray(value) ? value : [value]) as readonly object[];
  }

  #targetOf(node: unknown): unknown {
    return isAlias(node) ? this.targets.get(node) : node;
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
      const hint = quotesHint('', '*');
      return this.#refuse(node, `the alias ${quote(`*${node.source}`)} has no anchor before it`, hint);
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
