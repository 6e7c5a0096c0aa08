/** What a selection is called, and whether a pattern of the user's may be about it. */
import type { Select, Selection } from '../config/model.ts';
import { glob } from '../plan/pattern.ts';

/**
 * Whether a glob on ids or destinations could match an entry of the selection, whatever its tags are. Only what stands before
 * the first variable and the first special character is compared, so that it never says no where the answer may be yes.
 */
export function mayConcern(pattern: string, { id, destination }: Selection): boolean {
  return [id, id.slice('sync:'.length), destination].some((name) => {
    const [start, wanted] = [literalPart(name, /\{/), literalPart(pattern, /[*?[\]{}()!+@|\\]/)];
    return start.startsWith(wanted) || (wanted.startsWith(start) && start !== '');
  });
}

/** Stands for the value of a variable. No pattern contains this character, so that only "*" matches it. */
const ANYTHING = '\u{E000}';

/** Whether the glob matches every entry of the selection, whatever its tags are; never yes where the answer may be no. */
function concernsAll(pattern: string, { id, destination }: Selection): boolean {
  if (pattern === id || pattern === destination) return true;
  return (
    !/[?[\]!]/.test(pattern) &&
    [id, destination].map((name) => name.replace(/\{[^{}]*\}/g, ANYTHING)).some(glob(pattern))
  );
}

function literalPart(text: string, special: RegExp): string {
  const end = text.search(special);
  return end < 0 ? text : text.slice(0, end);
}

/** What a command is about, as the command line has it. */
export interface Concern {
  readonly command: 'plan' | 'run' | 'sync' | 'build';
  readonly only: readonly string[];
  readonly exclude: readonly string[];
}

/** False where it is certain that no entry of the selection would be worked on for its own sake. */
export function concerns({ command, only, exclude }: Concern, selection: Selection): boolean {
  if (command === 'build') return false;
  if (exclude.some((pattern) => concernsAll(pattern, selection))) return false;
  return only.length === 0 || only.some((pattern) => mayConcern(pattern, selection));
}

/** `3.20, and versions in >=18 but *-rc*, the newest 3`. */
export function describeSelect(select: Select): string {
  const { tags, semver, regex, exclude, extract, sort, latest } = select;
  const tests = [
    ...(semver === undefined ? [] : [`versions in ${semver.join(' or ')}`]),
    ...(regex === undefined ? [] : [`those that match ${regex}`]),
    ...(extract === undefined ? [] : [`compared by ${extract}`]),
    ...(exclude.length === 0 ? [] : [`without ${exclude.join(' and ')}`]),
    ...(latest === undefined ? [] : [`the newest ${latest}${sort === undefined ? '' : ` (${sort})`}`]),
  ];
  const chosen = tests.length === 0 ? 'every tag' : tests.join(', ');
  return tags.length === 0 ? chosen : `${tags.join(', ')}, and ${chosen}`;
}
