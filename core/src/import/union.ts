/** The union of several sets of tags, as few selections as can say it. */
import type { Select } from './model.ts';

export type Sets = readonly [Select, ...Select[]];

export const EVERY: Select = { regex: '.*' };

/** The selections may overlap: a tag that several choose becomes one entry. */
export function unionOf(sets: Sets): Sets {
  if (sets.some(({ regex, exclude }) => regex === '.*' && exclude === undefined)) return [EVERY];
  const tags = [...new Set(sets.flatMap((set) => set.tags ?? []))];
  const named = tags.length === 0 ? {} : { tags };
  const tests = sets.map(withoutNames).filter((set) => Object.keys(set).length > 0);
  const [first, ...others] = joinPatterns(joinVersions(tests));
  // Tags by name pass no test, so they can stand beside any.
  return [{ ...named, ...first }, ...others];
}

function withoutNames(set: Select): Select {
  const { tags: _, ...tests } = set;
  return tests;
}

/** Joins sets that differ only in their versions. */
function joinVersions(sets: readonly Select[]): readonly Select[] {
  return joined(
    sets,
    ({ semver, ...rest }) => (semver === undefined ? undefined : rest),
    (one, other) => ({ ...one, semver: [...new Set([one.semver ?? [], other.semver ?? []].flat())] }),
  );
}

/** Joins sets that differ only in their pattern. */
function joinPatterns(sets: readonly Select[]): readonly Select[] {
  return joined(
    sets,
    ({ regex, ...rest }) => (regex === undefined ? undefined : rest),
    (one, other) => ({ ...one, regex: `${one.regex ?? ''}|${other.regex ?? ''}` }),
  );
}

/** `common`: what two sets have to share to be joined; sets for which it is undefined stay as they are. Equal sets become one. */
function joined(
  sets: readonly Select[],
  common: (set: Select) => Select | undefined,
  join: (one: Select, other: Select) => Select,
): readonly Select[] {
  const found = new Map<string, Select>();
  for (const set of sets) {
    const key = JSON.stringify(common(set) ?? { only: set });
    const known = found.get(key);
    found.set(key, known === undefined || isSame(known, set) ? set : join(known, set));
  }
  return [...found.values()];
}

function isSame(one: Select, other: Select): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
