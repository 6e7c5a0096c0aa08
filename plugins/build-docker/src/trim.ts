/**
 * `${A#pattern}`, `${A%pattern}` and the same twice, as Dockerfiles have them: the beginning, or the end, of a value goes if it fits.
 * https://docs.docker.com/reference/dockerfile/#environment-replacement. Matched without regular expressions, so that no pattern takes long.
 */

type Token = '*' | '?' | { readonly literal: string };

/** `operator` and `word`, which follow the name: `%` and `@*`. A second sign at the beginning of the word asks for the longest. */
export function trim(value: string, operator: '#' | '%', word: string): string | { readonly problem: string } {
  const longest = word.startsWith(operator);
  const pattern = tokenise(longest ? word.slice(1) : word);
  if ('problem' in pattern) return pattern;
  const characters = Array.from(value);
  if (operator === '#') return characters.slice(fitting(pattern.tokens, characters, longest)).join('');
  const length = fitting(pattern.tokens.toReversed(), characters.toReversed(), longest);
  return characters.slice(0, characters.length - length).join('');
}

function tokenise(text: string): { readonly tokens: readonly Token[] } | { readonly problem: string } {
  const tokens: Token[] = [];
  const characters = Array.from(text);
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? '';
    if (character === '*' || character === '?') tokens.push(character);
    else if (character === '\\') {
      const literal = characters[(at += 1)] ?? '';
      if (!/^[*?\\}/]$/.test(literal)) return { problem: `"\\${literal}" means nothing in a pattern` };
      tokens.push({ literal });
    } else tokens.push({ literal: character });
  }
  return { tokens };
}

/** How many characters from the beginning fit the whole pattern, the fewest or the most; 0 where none do. */
function fitting(tokens: readonly Token[], characters: readonly string[], longest: boolean): number {
  let positions = reach(new Set([0]), tokens);
  let found = 0;
  for (const [index, character] of characters.entries()) {
    if (positions.has(tokens.length) && !longest) return index;
    const next = new Set<number>();
    for (const position of positions) {
      const token = tokens[position];
      if (token === '*') next.add(position);
      else if (token === '?' || (token !== undefined && token.literal === character)) next.add(position + 1);
    }
    positions = reach(next, tokens);
    if (positions.has(tokens.length)) found = index + 1;
  }
  return found;
}

/** A star may stand for nothing. */
function reach(positions: Set<number>, tokens: readonly Token[]): Set<number> {
  for (const position of positions) if (tokens[position] === '*') positions.add(position + 1);
  return positions;
}
