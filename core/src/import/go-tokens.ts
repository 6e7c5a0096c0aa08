/** The words of an action of a Go template. */

export interface Token {
  readonly kind: 'text' | 'number' | 'name' | '(' | ')' | '|';
  readonly text: string;
}

/** Blanks, then a text in quotes or backquotes, a number, a name with its fields, a mark. */
const TOKEN = /\s*(?:("(?:[^"\\]|\\.)*")|`([^`]*)`|(\d+)|(\.?[A-Za-z_]\w*(?:\.\w+)*)|([()|]))/sy;

/** `undefined`: there is something else in it. */
export function readTokens(action: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  const end = action.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const [whole, quoted, raw, number, name, mark] = TOKEN.exec(action) ?? [];
    if (whole === undefined) return undefined;
    if (quoted !== undefined) tokens.push({ kind: 'text', text: unquote(quoted) });
    else if (raw !== undefined) tokens.push({ kind: 'text', text: raw });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else if (mark === '(' || mark === ')' || mark === '|') tokens.push({ kind: mark, text: mark });
  }
  return tokens;
}

/** Other escapes than these two have no place in a name. */
function unquote(text: string): string {
  return text.slice(1, -1).replaceAll(/\\(["\\])/g, '$1');
}
