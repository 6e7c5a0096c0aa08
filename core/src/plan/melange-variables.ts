/**
 * Variables of a melange config that it makes of others: each of `var-transforms` is a regular expression of Go's, whose matches are
 * replaced. https://github.com/chainguard-dev/melange/blob/main/docs/VAR-TRANSFORMS.md
 */
import type { RE2JS } from 're2js';
import { fields as fieldsOf, items as listOf, text as textOf } from '../config/fields.ts';
import { compileRe2 } from '../selection/patterns.ts';

/** Adds them in their order, as each may be made of those before. One that melange would refuse is left out. */
export function addTransformed(variables: Map<string, string>, transforms: unknown): void {
  for (const each of listOf(transforms).map(fieldsOf)) {
    const to = textOf(each['to']);
    const regex = compileRe2(textOf(each['match']) ?? '');
    if (to === undefined || 'problem' in regex) continue;
    const from = substitute(textOf(each['from']) ?? '', variables);
    variables.set(`vars.${to}`, replaceAll(regex, from, textOf(each['replace']) ?? ''));
  }
}

/** A variable that is not known stays as it is, and so names no package. */
export function substitute(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$\{\{\s*([\w.-]+)\s*\}\}/g, (whole, name: string) => variables.get(name) ?? whole);
}

/** https://pkg.go.dev/regexp#Regexp.ReplaceAllString */
function replaceAll(regex: RE2JS, text: string, replacement: string): string {
  const matcher = regex.matcher(text);
  const names = regex.namedGroups();
  const group = (name: string): string => {
    const number = /^\d+$/.test(name) ? Number(name) : names[name];
    return number === undefined || number > regex.groupCount() ? '' : (matcher.group(number) ?? '');
  };
  const made: string[] = [];
  let end = 0;
  while (matcher.find()) {
    made.push(text.slice(end, matcher.start()));
    // Nothing that follows a match at once is no match.
    if (matcher.end() > end || matcher.start() === 0) made.push(expand(replacement, group));
    end = matcher.end();
  }
  return [...made, text.slice(end)].join('');
}

/** `$1`, `${name}`, and `$$` for a dollar; a name is as long as it can be, so that `$1x` is the group `1x`. */
function expand(replacement: string, group: (name: string) => string): string {
  return replacement.replace(/\$(?:\$|(\w+)|\{(\w+)\})/g, (whole, name?: string, braced?: string) =>
    whole === '$$' ? '$' : group(name ?? braced ?? ''),
  );
}
