import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance, nearest } from './suggest.ts';

test.each([
  ['destinaton', 'destination'],
  ['Destination', 'destination'],
  ['dest', 'destination'],
  ['suorce', 'source'],
  ['melange_configs', 'melangeConfigs'],
  ['platform', 'platforms'],
  ['xyzzy', undefined],
  ['', undefined],
  ['d'.repeat(1_000_000), undefined],
])('%.20s → %s', (word, meant) => {
  expect(nearest(word, ['source', 'destination', 'melangeConfigs', 'platforms', 'tags'])).toBe(meant);
});

test('the distance is 0 for equal words, the same both ways, and one step for one step', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, `${a}x`)).toBe(1);
    }),
  );
  expect(editDistance('ab', 'ba')).toBe(1);
  expect(editDistance('kitten', 'sitting')).toBe(3);
});
