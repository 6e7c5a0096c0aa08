/** New digests in the text of a config. Nothing else of it changes: comments, quotes, order and line ends stay as they are. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import { configFailure, fail, ok, type ConfigFailure, type Position, type Result } from '../failure.ts';
import type { Digest } from '../reference.ts';

export interface Repin {
  /** Of the entry. */
  readonly at: Position;
  readonly from: Digest;
  readonly to: Digest;
}

/** `text`: without a byte order mark, as it was loaded. Fails where a digest is not written out in the entry's source. */
export function repin(text: string, repins: readonly Repin[]): Result<string, ConfigFailure> {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'error',
  });
  const sources = sourcesByPlace(document, lines);
  const edits = new Map<number, Repin>();
  for (const each of repins) {
    const range = sources.get(`${each.at.line}:${each.at.column}`);
    const start = range === undefined ? -1 : text.slice(...range).indexOf(each.from);
    if (range === undefined || start < 0) {
      const hint = `write the source as repository:tag@${each.to}`;
      return fail(
        configFailure(`the digest ${each.from} is not written out in the source of this entry`, hint, each.at),
      );
    }
    // Entries that share a source by an alias share the place.
    edits.set(range[0] + start, each);
  }
  let changed = '';
  let from = 0;
  for (const [start, each] of [...edits].sort(([a], [b]) => a - b)) {
    changed += text.slice(from, start) + each.to;
    from = start + each.from.length;
  }
  return ok(changed + text.slice(from));
}

type Range = readonly [start: number, end: number];

/** Where an item of `sync` begins, as `12:5` → where its source is written. */
function sourcesByPlace(document: Document.Parsed, lines: LineCounter): ReadonlyMap<string, Range> {
  const found = new Map<string, Range>();
  const list = target(document, isMap(document.contents) ? document.contents.get('sync', true) : undefined);
  for (const item of isSeq(list) ? list.items : []) {
    const entry = target(document, item);
    const source = sourceOf(document, entry);
    const start = (item as Node).range?.[0];
    if (start === undefined || !isScalar(source) || !source.range) continue;
    const { line, col } = lines.linePos(start);
    found.set(`${line}:${col}`, [source.range[0], source.range[1]]);
  }
  return found;
}

/** Its own, or what a merge key takes in. */
function sourceOf(document: Document.Parsed, entry: unknown): unknown {
  if (!isMap(entry)) return undefined;
  if (entry.has('source')) return target(document, entry.get('source', true));
  const behind = target(document, entry.get('<<', true));
  const maps = isSeq(behind) ? behind.items.map((item) => target(document, item)) : [behind];
  return maps.map((map) => sourceOf(document, map)).find((source) => source !== undefined);
}

function target(document: Document.Parsed, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}
