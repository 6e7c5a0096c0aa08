import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Select as Wanted } from '../config/model.ts';
import type { Tag } from '../reference.ts';
import { selectTags } from '../selection/select-tags.ts';
import { unionOf, type Select } from './union.ts';

const TAGS = ['latest', 'edge', '1.0.0', '1.2.0', '1.2.0-rc.1', '2.0.0', '2.1.0-alpine', '20240101', 'v3.0.0'];

function chosen({ semver, exclude = [], tags = [], ...select }: Select): readonly string[] {
  const wanted = { prerelease: false, allowEmpty: false, ...select, exclude, tags } as Omit<Wanted, 'semver'>;
  const ranges = semver === undefined ? {} : { semver: [semver].flat() };
  return selectTags({ ...wanted, ...ranges }, TAGS as unknown as Tag[]).tags;
}

const tests = fc
  .record(
    {
      semver: fc.constantFrom('>=1', '<2', '1.2.0 || 3'),
      prerelease: fc.constant(true as const),
      regex: fc.constantFrom('1.*', 'v.*|edge', '[0-9]+'),
      exclude: fc.constantFrom(['*alpine*'], ['/.*-rc.*/']),
    },
    { requiredKeys: [] },
  )
  // As every reader of a file has it: what is tested at all has versions or a pattern, and only versions have prereleases.
  .map(({ prerelease, ...set }): Select => {
    if (set.semver === undefined) return { ...set, regex: set.regex ?? '.*' };
    return { ...set, ...(prerelease === undefined ? {} : { prerelease }) };
  });
const names = fc.subarray(['latest', 'edge', '1.2.0'], { minLength: 1 }).map((tags): Select => ({ tags }));

test('a union has every tag of any set that it does not leave, once', () => {
  const sets = fc.array(fc.oneof(tests, names), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(sets, (several) => {
      const [first, ...others] = several;
      if (first === undefined) return;
      const { selects, left } = unionOf([first, ...others]);
      const all = selects.flatMap(chosen);
      expect(new Set(all).size).toBe(all.length);
      // Prereleases are in every range of a set, or in none.
      const mixed = new Set(several.filter(({ semver }) => semver !== undefined).map(({ prerelease }) => prerelease));
      if (left.length > 0 || mixed.size > 1) return;
      expect(new Set(all)).toEqual(new Set(several.flatMap(chosen)));
    }),
    { numRuns: 500 },
  );
});
