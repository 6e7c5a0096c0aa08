import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Tag } from '../reference.ts';
import { selectTags } from '../selection/select-tags.ts';
import type { Select } from './model.ts';
import { selectOf } from './places.ts';
import { unionOf } from './union.ts';

const TAGS = ['latest', 'edge', '1.0.0', '1.2.0', '1.2.0-rc.1', '2.0.0', '2.1.0-alpine', '20240101', 'v3.0.0'];

function chosen(select: Select): readonly string[] {
  return selectTags(selectOf(select), TAGS as unknown as Tag[]).tags;
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

test('a union has every tag of any set, and no other', () => {
  const sets = fc.array(fc.oneof(tests, names), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(sets, (several) => {
      const [first, ...others] = several;
      if (first === undefined) return;
      const all = unionOf([first, ...others]).flatMap(chosen);
      expect(new Set(all)).toEqual(new Set(several.flatMap(chosen)));
    }),
    { numRuns: 500 },
  );
});

test('names, patterns and versions are one selection where they can be, and what is said twice is said once', () => {
  expect(unionOf([{ tags: ['a', 'b'] }, { tags: ['b', 'c'] }])).toEqual([{ tags: ['a', 'b', 'c'] }]);
  expect(unionOf([{ tags: ['a'] }, { regex: '1.*' }, { regex: '1.*' }, { regex: '2.*' }])).toEqual([
    { tags: ['a'], regex: '1.*|2.*' },
  ]);
  expect(unionOf([{ semver: '>=1' }, { semver: '>=1' }])).toEqual([{ semver: '>=1' }]);
  expect(unionOf([{ semver: '>=1' }, { semver: '>=2', prerelease: true }, { regex: 'x' }])).toHaveLength(3);
});
