/** Several sets of tags, of which each tag in any is wanted, as selections of which none has a tag of another. */
import type { Item } from './model.ts';

export type Select = NonNullable<Item['select']>;

export interface Union {
  readonly selects: readonly [Select, ...Select[]];
  /** Sets that no selection takes in. */
  readonly left: readonly Select[];
}

export const EVERY: Select = { regex: '.*' };

/** Names and patterns are one selection; versions are another, without what the first has already. */
export function unionOf(sets: readonly [Select, ...Select[]]): Union {
  if (sets.some(({ regex, exclude }) => regex === '.*' && exclude === undefined)) return { selects: [EVERY], left: [] };
  const tags = [...new Set(sets.flatMap((set) => set.tags ?? []))];
  const tests = sets.filter(hasTests).map(withoutNames);
  const patterns = tests.filter(({ semver, exclude }) => semver === undefined && exclude === undefined);
  const regex = patterns.flatMap(({ regex: each = [] }) => each).join('|');
  const [other, ...left] = joinVersions(tests.filter((each) => !patterns.includes(each)));
  const named = tags.length === 0 ? {} : { tags };
  // Names are asked no test, so they can stand beside any.
  if (other !== undefined && regex === '') return { selects: [{ ...named, ...other }], left };
  const first: Select = { ...named, ...(regex === '' ? {} : { regex }) };
  if (other === undefined) return { selects: [first], left };
  return { selects: [first, { ...other, exclude: [...(other.exclude ?? []), `/${regex}/`, ...tags] }], left };
}

function hasTests(set: Select): boolean {
  return set.semver !== undefined || set.regex !== undefined || set.exclude !== undefined;
}

function withoutNames(set: Select): Select {
  const { tags: _, ...tests } = set;
  return tests;
}

/** Those that differ in their versions alone are one with all of them. */
function joinVersions(sets: readonly Select[]): readonly Select[] {
  const joined = new Map<string, Select>();
  for (const set of sets) {
    const { semver, prerelease, ...rest } = set;
    const key = semver === undefined ? JSON.stringify(set) : JSON.stringify({ ...rest, semver: true });
    const known = joined.get(key);
    const ranges = [known?.semver ?? [], semver ?? []].flat();
    const [only, ...others] = ranges;
    joined.set(key, {
      ...(only === undefined ? {} : { semver: others.length === 0 ? only : ranges }),
      ...(prerelease === true || known?.prerelease === true ? { prerelease: true } : {}),
      ...rest,
    });
  }
  return [...joined.values()];
}
