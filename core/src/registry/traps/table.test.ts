import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { traps } from './table.ts';

const root = join(import.meta.dirname, '..', '..', '..', '..');

test('there are 42 traps, each once', () => {
  expect(traps.map(({ number }) => number)).toEqual(Array.from({ length: 42 }, (_, at) => at + 1));
});

test.each(traps)('$number: $trap', ({ held }) => {
  expect(held).not.toEqual([]);
  for (const [file, title] of held) {
    const titles = [
      ...readFileSync(join(root, file), 'utf8').matchAll(/\b(?:test|it|describe)[.(][\s\S]{0,80}?'([^'\n]+)'/g),
    ];
    expect(
      titles.map(([, text = '']) => text).filter((text) => text.includes(title)),
      `${file} has a test whose title contains “${title}”`,
    ).not.toEqual([]);
  }
});
