/** Drafts as the text of a config.yaml. */
import { Document, isScalar, isSeq, visit, type Node, type YAMLSeq } from 'yaml';
import type { Draft } from './model.ts';

/** Characters of a list that stands on one line. */
const SHORT = 80;

/** `header`: lines of the comment at the top. */
export function configText(drafts: readonly Draft[], header: readonly string[]): string {
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
