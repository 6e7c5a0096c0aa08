/**
 * Patterns on tags. They come from the config and meet names that anybody may push, so they run in linear time (RE2), whatever
 * they are: https://github.com/google/re2/wiki/Syntax
 */
import { RE2JS } from 're2js';

export type Pattern = (tag: string) => boolean;

/** A regular expression that is no larger than this once counted repetitions are written out. */
const MAX_PROGRAM = 20_000;

/** The pattern, or a sentence that says why there is none. It matches whole tags. */
export function compileRegex(regex: string): Pattern | { readonly problem: string } {
  const compiled = compileRe2(regex);
  return 'problem' in compiled ? compiled : (tag) => compiled.matches(tag);
}

/** What the group `key`, or else the first, holds of a tag that matches; `undefined` when it does not. */
export function compileExtract(regex: string): ((tag: string) => string | undefined) | { readonly problem: string } {
  const compiled = compileRe2(regex);
  if ('problem' in compiled) return compiled;
  if (compiled.groupCount() === 0) return { problem: 'has no group to extract' };
  const group = compiled.namedGroups()['key'] ?? 1;
  return (tag) => {
    const match = compiled.matcher(tag);
    return match.matches() ? (match.group(group) ?? undefined) : undefined;
  };
}

/** An item of `exclude`: a glob, or a regular expression for the whole tag between slashes, as `/[0-9]+-rc/` (no tag has slashes). */
export function compileExclude(pattern: string): Pattern | { readonly problem: string } {
  const regex = /^\/(.*)\/$/s.exec(pattern)?.[1];
  if (regex !== undefined) return compileRegex(regex);
  // Such a pattern would exclude nothing, and unwanted tags would be copied without a word.
  const never = /[^\w.*?{},-]/u.exec(pattern)?.[0];
  return never === undefined ? compileGlob(pattern) : { problem: `leaves no tag out, since none has "${never}" in it` };
}

/** `*` is any text, `?` one character, `{a,b}` one of several; anything else is itself. */
export function compileGlob(glob: string): Pattern {
  let depth = 0;
  const regex = glob.replaceAll(/./gsu, (character) => {
    switch (character) {
      case '*':
        return '.*';
      case '?':
        return '.';
      case '{':
        depth += 1;
        return '(?:';
      case '}':
        if (depth === 0) return '\\}';
        depth -= 1;
        return ')';
      case ',':
        return depth > 0 ? '|' : ',';
      default:
        return RE2JS.quote(character);
    }
  });
  // An open brace that is never closed is taken for closed at the end.
  const compiled = RE2JS.compile(regex + ')'.repeat(depth));
  return (tag) => compiled.matches(tag);
}

export const RE2_HINT = 'the syntax is RE2: https://github.com/google/re2/wiki/Syntax';

/** A regular expression that is not too large to be run, or a sentence that says why there is none. */
export function compileRe2(regex: string): RE2JS | { readonly problem: string } {
  try {
    const compiled = RE2JS.compile(regex);
    return compiled.programSize() > MAX_PROGRAM ? { problem: 'is too large' } : compiled;
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : '';
    return { problem: `is not a regular expression of RE2${why === '' ? '' : `: ${why.slice(0, 200)}`}` };
  }
}
