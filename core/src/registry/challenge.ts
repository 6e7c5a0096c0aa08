/** The header by which a registry says how to log in: https://www.rfc-editor.org/rfc/rfc9110#field.www-authenticate */

export interface Challenge {
  /** Lower case, as `bearer`. */
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** `name = value` where the value is a token or a quoted text; or else a scheme's name. */
const PART = /\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+)))?/y;
const LONGEST = 8192;

/** Reads one header that may hold several challenges; commas may stand inside quotes. Stops at what it cannot read. */
export function parseChallenges(header: string): readonly Challenge[] {
  const text = header.slice(0, LONGEST);
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  while (at < text.length) {
    const separator = /[\s,]*/y;
    separator.lastIndex = at;
    separator.exec(text);
    PART.lastIndex = separator.lastIndex;
    const match = PART.exec(text);
    if (match === null) break;
    at = PART.lastIndex;
    const [, name = '', quoted, bare] = match;
    const value = quoted === undefined ? bare : quoted.replace(/\\(.)/g, '$1');
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
    else challenges.at(-1)?.parameters.set(name.toLowerCase(), value);
  }
  return challenges;
}

/** What each registry asked for in earlier runs. It only saves requests: nothing of it is believed without a check. */
export interface ChallengeMemory {
  get(registry: string): Challenge | undefined;
  set(registry: string, challenge: Challenge): void;
}
