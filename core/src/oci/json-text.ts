/** JSON text that can be parsed, and should not be believed all the same. Pure. */

/** Real documents stay below 20; deeper ones are made to exhaust the stack of their readers. */
const MAX_DEPTH = 100;
const [QUOTE, COLON, BACKSLASH] = [0x22, 0x3a, 0x5c];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];

/** Also of text that is no JSON: a deep value could not even be walked safely to measure it. */
export function isTooDeep(text: string, deepest = MAX_DEPTH): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) at = endOfString(text, at);
    else if (char === OPEN_OBJECT || char === OPEN_LIST) {
      depth += 1;
      if (depth > deepest) return true;
    } else if (char === CLOSE_OBJECT || char === CLOSE_LIST) depth -= 1;
  }
  return false;
}

/**
 * A key that an object of this JSON text has twice. Some readers take the first, some the last, some refuse, and Go makes one value
 * of both.
 */
export function repeatedKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (let at = 0; at < json.length; at += 1) {
    const char = json.charCodeAt(at);
    if (char === OPEN_OBJECT) open.push(new Set());
    else if (char === CLOSE_OBJECT) open.pop();
    if (char !== QUOTE) continue;
    const end = endOfString(json, at);
    if (isKey(json, end)) {
      const written = json.slice(at + 1, end);
      const key = written.includes('\\') ? (JSON.parse(`"${written}"`) as string) : written;
      const keys = open.at(-1);
      if (keys?.has(key) === true) return key;
      keys?.add(key);
    }
    at = end;
  }
  return undefined;
}

/** A text is a key where a colon follows. */
function isKey(json: string, end: number): boolean {
  let next = end + 1;
  while (json.charCodeAt(next) <= 0x20) next += 1;
  return json.charCodeAt(next) === COLON;
}

/** Where the text that begins at `start` ends: at its quote, or the end of all. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at += 1) {
    at = text.indexOf('"', at);
    if (at < 0) return text.length;
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return at;
  }
}
