import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDurations } from './durations.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'slipway-durations-'));

test('a task takes what it took last; one that never ran, what its kind takes', () => {
  const where = folder();
  const first = openDurations(where);
  first.add('build:a#scan', 4000);
  first.add('build:a#scan', 2000);
  first.add('build:b#scan', 1000);
  first.add('build:b#tag', 3);
  first.save();
  const next = openDurations(where);
  expect(
    ['build:a#scan', 'build:b#scan', 'sync:c#scan', 'build:b#tag', 'package:x.yaml'].map((id) => next.of(id)),
  ).toEqual([2000, 1000, 1500, undefined, undefined]);
});

test('a file that is gone, torn or foreign costs nothing but the order', () => {
  for (const text of ['', '{"a', '[]', '{"build:a#scan":"x","build:b#scan":-1}', 'null']) {
    const where = folder();
    writeFileSync(join(where, 'durations.json'), text);
    expect(openDurations(where).of('build:a#scan')).toBeUndefined();
  }
  expect(openDurations(join(folder(), 'missing')).of('x')).toBeUndefined();
});

test('what is kept is bounded, the newest last', () => {
  const where = folder();
  const durations = openDurations(where);
  for (let index = 0; index < 50_010; index += 1) durations.add(`build:${index}#scan`, 100);
  durations.add('build:0#scan', 200);
  durations.save();
  const kept = Object.keys(JSON.parse(readFileSync(join(where, 'durations.json'), 'utf8')) as object);
  expect(kept).toHaveLength(50_000);
  expect(kept.at(-1)).toBe('build:0#scan');
});
