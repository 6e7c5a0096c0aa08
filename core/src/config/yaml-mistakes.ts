/** What the YAML library says of text that is no YAML, in the words of whoever wrote it. */

export interface Mistake {
  readonly message: string;
  readonly hint?: string;
}

const NO_VALUE: Mistake = {
  message: 'not valid YAML: here is no key with a value',
  hint: 'a colon and a blank stand between them, as in key: value',
};

const SAME_COLUMN = 'keys that belong together begin in the same column';

/** A line below an item of a list that is indented less than the item's first key. */
const OUT_OF_LINE: Mistake = { message: 'not valid YAML: a line that belongs to nothing above it', hint: SAME_COLUMN };

/** By the library's code, where its own sentence is about its grammar. */
const BY_CODE: Readonly<Record<string, Mistake>> = {
  RESOURCE_EXHAUSTION: { message: 'the file is nested too deeply' },
  MULTIPLE_DOCS: { message: 'the file holds more than one document', hint: 'leave out the line "---"' },
  TAB_AS_INDENT: { message: 'a tab cannot indent YAML', hint: 'use spaces' },
  MULTILINE_IMPLICIT_KEY: NO_VALUE,
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'not valid YAML: a key with a value inside another value',
    hint: `a text that has ": " in it needs quotes; ${SAME_COLUMN}`,
  },
};

export const UNMERGED: Mistake = {
  message: 'a conflict of a merge that nobody has resolved',
  hint: 'keep what is right of both sides, and take out the lines that begin with <<<<<<<, ======= and >>>>>>>',
};

/** Where the conflicts begin that git has left in a text. */
export function conflictsIn(text: string): readonly number[] {
  return [...text.matchAll(/^<{7}(?: |\r?$)/gm)].map(({ index }) => index);
}

/** `rest`: the text from the mistake on. */
export function describeMistake(code: string, message: string, rest: string): Mistake {
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  if (code === 'MISSING_CHAR' && message.startsWith('Implicit map keys')) return NO_VALUE;
  if (code === 'MISSING_CHAR' && message.startsWith('Sequence item without')) return OUT_OF_LINE;
  const first = message.split('\n', 1)[0] ?? '';
  const said = `not valid YAML: ${first.charAt(0).toLowerCase()}${first.slice(1, 300)}`;
  const hint = hintOf(code, first, rest);
  return hint === undefined ? { message: said } : { message: said, hint };
}

function hintOf(code: string, message: string, rest: string): string | undefined {
  if (code === 'BAD_DQ_ESCAPE') return 'between single quotes a backslash is one';
  if (message.startsWith('All mapping items')) return SAME_COLUMN;
  return quotesHint(message, rest);
}

export function quotesHint(message: string, rest: string): string | undefined {
  // `>=1.2` is read as the `>` of a folded text.
  const first = /^block scalar header/i.test(message) ? '>' : (/^[>|@`%&*!]/.exec(rest)?.[0] ?? '');
  if (first !== '') return `a text that begins with ${first} needs quotes`;
  return /at node end/i.test(message)
    ? 'a text that begins with {, [ or a quote stands in quotes as a whole'
    : undefined;
}
