import fc from 'fast-check';
import picomatch from 'picomatch';
import { expect, test } from 'vitest';
import { glob } from './pattern.ts';

test('a pattern of stars and question marks matches what picomatch says', () => {
  const part = (...more: readonly string[]) => fc.constantFrom('a', 'b', '.a', '/a', ':', '-', '@a', ...more);
  const pattern = fc.array(part('*', '?'), { minLength: 1, maxLength: 8 });
  const name = fc.array(part('aa', 'ab', '/b.'), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(pattern, name, (parts, texts) => {
      const [written, text] = [parts.join('').replaceAll(/\*+/g, '*'), texts.join('')];
      const other = picomatch(written, { bash: true, dot: true, nonegate: true });
      expect(glob(written)(text), `${written} on ${text}`).toBe(text === written || other(text));
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ['*a*a*a*a*a*a*a*a*a*x', 'a'],
  ['*?*?*?*?*?*?*?*?*?*?x', 'a'],
  [`${'*-'.repeat(12)}x`, 'a-'],
])('%s takes no time on a long name', (pattern, part) => {
  const matches = glob(pattern);
  expect(matches(`sync:${part.repeat(250)}`)).toBe(false);
  expect(matches(`sync:${part.repeat(250)}x`)).toBe(true);
});
