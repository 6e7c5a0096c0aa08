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
  const [other, ...left] = joinPatterns(joinVersions(tests.filter((each) => !patterns.includes(each))));
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
  return joined(
    sets,
    (set) => {
      const { semver, prerelease: _, ...rest } = set;
      return semver === undefined ? undefined : rest;
    },
    (one, other) => ({
      ...one,
      semver: [one.semver ?? [], other.semver ?? []].flat(),
      ...(other.prerelease === true ? { prerelease: true } : {}),
    }),
  );
}

/** Those that differ in their pattern alone are one with either. */
function joinPatterns(sets: readonly Select[]): readonly Select[] {
  return joined(
    sets,
    ({ regex, ...rest }) => (regex === undefined ? undefined : rest),
    (one, other) => ({ ...one, regex: `${one.regex ?? ''}|${other.regex ?? ''}` }),
  );
}

/** `common`: what two have to share to be joined; those without it stay as they are. */
function joined(
  sets: readonly Select[],
  common: (set: Select) => Partial<Select> | undefined,
  join: (one: Select, other: Select) => Select,
): readonly Select[] {
  const found = new Map<unknown, Select>();
  for (const set of sets) {
    const shared = common(set);
    const key = shared === undefined ? set : JSON.stringify(shared);
    const known = found.get(key);
    found.set(key, known === undefined ? set : join(known, set));
  }
  return [...found.values()];
}
