/** Drafts as the text of a config.yaml. What would not load is left out and named, so that what is printed always does. */
import { Document, isScalar, isSeq, LineCounter, parseDocument, visit, type Node, type YAMLSeq } from 'yaml';
import { parseConfig, type ConfigOptions } from '../config/load.ts';
import { failed, loaded, type Loaded } from '../config/loaded.ts';
import { configFailure, type ConfigFailure } from '../failure.ts';
import type { Draft, Unsupported } from './model.ts';

/** Nothing of a run is filled in while it is written. */
const OPTIONS: ConfigOptions = { context: { date: '2000-01-01' }, modeProperties: {} };
/** Characters of a list that stands on one line. */
const SHORT = 80;

export interface Written {
  readonly config: string;
  readonly entries: number;
  readonly unsupported: readonly Unsupported[];
}

/** `header`: lines of the comment at the top. */
export function writeConfig(drafts: readonly Draft[], header: readonly string[]): Loaded<Written> {
  const unsupported: Unsupported[] = [];
  let left = drafts;
  // Each round leaves out one draft at least.
  for (;;) {
    const config = textOf(left, header);
    const result = parseConfig(config, '/config.yaml', OPTIONS);
    if (result.ok) return loaded({ config, entries: left.length, unsupported });
    const refused = blamed(config, result.failures);
    for (const [index, failure] of refused) {
      const draft = left[index];
      if (draft !== undefined)
        unsupported.push({ at: draft.at, what: draft.what, why: `left out: ${reason(failure)}` });
    }
    // Not about any one of them, as that there are too many.
    if (refused.size === 0) return failed(result.failures.map(withoutPlace));
    left = left.filter((_, index) => !refused.has(index));
  }
}

function textOf(drafts: readonly Draft[], header: readonly string[]): string {
  const document = new Document({ sync: drafts.map(({ item }) => item) }, { aliasDuplicateObjects: false });
  document.commentBefore = comment(header);
  const list = document.get('sync');
  for (const [index, { comments }] of drafts.entries()) {
    const node = isSeq(list) ? (list.items[index] as Node | undefined) : undefined;
    if (node !== undefined && comments.length > 0) node.commentBefore = comment(comments);
  }
  visit(document, { Seq: (_, node) => void (node.flow = isShort(node)) });
  return document.toString({ lineWidth: 0, singleQuote: true, flowCollectionPadding: false });
}

/** Short lists go on one line, as people write them. */
function isShort({ items }: YAMLSeq): boolean {
  const texts = items.map((item) => (isScalar(item) ? String(item.value) : undefined));
  return !texts.includes(undefined) && texts.join("', '").length <= SHORT;
}

/** What was read may hold anything, and must not end its line. */
function comment(lines: readonly string[]): string {
  return lines.map((line) => ` ${line.replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ')}`).join('\n');
}

/** Which drafts the failures are about, with the first failure of each. */
function blamed(config: string, failures: readonly ConfigFailure[]): ReadonlyMap<number, ConfigFailure> {
  const lines = new LineCounter();
  const list = parseDocument(config, { lineCounter: lines }).get('sync');
  const starts = isSeq(list) ? list.items.map((item) => lines.linePos((item as Node).range?.[0] ?? 0).line) : [];
  const found = new Map<number, ConfigFailure>();
  for (const failure of failures) {
    const index = starts.findLastIndex((line) => line <= (failure.at?.line ?? 0));
    if (index >= 0 && !found.has(index)) found.set(index, failure);
  }
  return found;
}

/** Lines of the config that was made mean nothing to the reader of another file. */
function reason({ message, hint }: ConfigFailure): string {
  const said = message.replace(/ is already in line \d+, column \d+$/, ' belongs to an earlier one already');
  return hint === undefined ? said : `${said} (${hint})`;
}

/** The file that it stands in is written only now. */
function withoutPlace({ message, hint }: ConfigFailure): ConfigFailure {
  return configFailure(message, hint);
}
