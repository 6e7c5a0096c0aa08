/** Files that went wrong in every way a file can: each is read, or refused with a place, and nothing is ever thrown. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatFailure } from './format.ts';
import { options, reference } from './fixtures.ts';
import { parseConfig } from './load.ts';
import type { Loaded } from './loaded.ts';
import { readSettings } from './settings.ts';
import { settings } from './settings-fixture.ts';
import { parseYaml } from './yaml.ts';

const ODD = [
  '\0',
  '\t',
  '\r',
  '\n',
  '\u2028',
  '\u202e',
  '\ufeff',
  '\ud800',
  '😀',
  'é',
  '"',
  "'",
  '`',
  '{',
  '}',
  '[',
  ']',
  ':',
  ': ',
  '- ',
  '#',
  '&a ',
  '*a',
  '!x ',
  '!!set ',
  '%',
  '@',
  '|',
  '>',
  '? ',
  '---\n',
  '...\n',
  '<<: ',
  '__proto__: ',
  'constructor',
  '--help',
  '../..',
  '/etc/passwd',
  '$(x)',
  '{sha}',
  '{x}',
  '~',
  '.inf',
  '0x10',
  '1e400',
  '[[[[',
  '{{{{',
  '\n'.repeat(50),
  ' '.repeat(50),
  '['.repeat(5000),
  '- '.repeat(2000),
  'x'.repeat(20_000),
  '[&a [*a]]',
];
const VALUES = [
  'null',
  'true',
  '1',
  '-1.5',
  '[]',
  '{}',
  '""',
  "'  '",
  '[1, [2]]',
  '{a: {b: c}}',
  '2026-01-01',
  '.nan',
  '*a',
  '&a x',
  '|\n',
  '"\\u0000"',
];

type Mutation = (text: string) => string;

const at = fc.nat({ max: 1_000_000 });
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(at, fc.nat({ max: 255 })).map(
    ([n, byte]): Mutation =>
      (text) =>
        splice(text, n, 1, String.fromCharCode(byte)),
  ),
  fc.tuple(at, fc.constantFrom(...ODD)).map(
    ([n, odd]): Mutation =>
      (text) =>
        splice(text, n, 0, odd),
  ),
  fc.tuple(at, fc.nat({ max: 200 })).map(
    ([n, length]): Mutation =>
      (text) =>
        splice(text, n, length, ''),
  ),
  at.map(
    (n): Mutation =>
      (text) =>
        lines(text, (all) => all.toSpliced(n % all.length, 1)),
  ),
  fc.tuple(at, at).map(
    ([n, m]): Mutation =>
      (text) =>
        lines(text, (all) => all.toSpliced(n % all.length, 0, all[m % all.length] ?? '')),
  ),
  fc.tuple(at, fc.constantFrom(...VALUES)).map(
    ([n, value]): Mutation =>
      (text) =>
        lines(text, (all) => all.with(n % all.length, (all[n % all.length] ?? '').replace(/:.*/, `: ${value}`))),
  ),
  at.map(
    (n): Mutation =>
      (text) =>
        text.slice(0, n % text.length),
  ),
);

function splice(text: string, n: number, length: number, insert: string): string {
  const from = text.length === 0 ? 0 : n % text.length;
  return text.slice(0, from) + insert + text.slice(from + length);
}

function lines(text: string, change: (all: string[]) => string[]): string {
  return change(text.split('\n')).join('\n');
}

const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });

function check(result: Loaded<unknown>, text: string): void {
  if (result.ok) return;
  expect(result.failures.length).toBeGreaterThan(0);
  for (const failure of result.failures) {
    expect(failure.at?.file).toMatch(/^\/r\//);
    expect(failure.at?.line).toBeGreaterThanOrEqual(1);
    expect(failure.at?.column).toBeGreaterThanOrEqual(1);
    const shown = formatFailure(failure, () => text, '/r');
    expect(shown).not.toMatch(/\n\s+at |undefined|\[object|ajv|[^\P{Cc}\n]/u);
    expect(shown.length).toBeLessThan(5000);
  }
}

test('1,000 mutated configs', () => {
  let refused = 0;
  fc.assert(
    fc.property(mutations, (all) => {
      const text = all.reduce((mutated, mutate) => mutate(mutated), reference);
      const result = parseConfig(text, '/r/config.yaml', options);
      if (!result.ok) refused += 1;
      check(result, text);
    }),
    { numRuns: 1000 },
  );
  // Neither did every mutation hit a comment, nor was everything refused.
  expect(refused).toBeGreaterThan(300);
  expect(refused).toBeLessThan(1000);
});

test('300 mutated settings', async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(mutations, async (all) => {
      const text = all.reduce((mutated, mutate) => mutate(mutated), settings);
      const document = parseYaml(text, '/r/slipway.config.yaml');
      const result = document.ok
        ? await readSettings(document.value, { date: '2026-11-23', parallelism: 2 })
        : document;
      if (!result.ok) refused += 1;
      check(result, text);
    }),
    { numRuns: 300 },
  );
  expect(refused).toBeGreaterThan(100);
  expect(refused).toBeLessThan(300);
});
