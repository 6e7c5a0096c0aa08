import { chmodSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openBundle } from './compiled.ts';
import { folderWith } from '../testing.ts';

const FILES = {
  'bundle/start-1.cjs': `const other = require('./other-1.cjs'), { join } = require('node:path');
    exports.start = () => join('a', other.greet());
    exports.later = () => importModule('node:path').then(({ sep }) => sep + other.file);`,
  'bundle/other-1.cjs': `const start = require('./start-1.cjs');
    module.exports = { greet: () => typeof start, file: __filename.slice(__dirname.length) };`,
};
interface Started {
  readonly start: () => string;
  readonly later: () => Promise<string>;
}

function begin(folder: string) {
  const bundle = openBundle(join(folder, 'bundle'), join(folder, 'kept', 'v1', 'plan'));
  const started = bundle.load('start-1.cjs') as Started;
  expect(started.start()).toBe('a/object');
  return { bundle, started };
}

it('runs files that ask for each other, and import what comes with Node', async () => {
  const { started } = begin(folderWith(FILES));
  expect(await started.later()).toBe('//other-1.cjs');
});

it('keeps what was compiled, for the next start and for it alone', () => {
  const folder = folderWith(FILES);
  const first = begin(folder).bundle;
  expect(first.known).toEqual([]);
  first.keep();
  expect(readdirSync(join(folder, 'kept/v1'))).toEqual(['plan']);
  const second = begin(folder).bundle;
  expect(second.known).toEqual(['start-1.cjs', 'other-1.cjs']);
  const before = readFileSync(join(folder, 'kept/v1/plan'));
  second.keep();
  expect(readFileSync(join(folder, 'kept/v1/plan'))).toEqual(before);
});

it.each([
  ['cut', (bytes: Buffer) => bytes.subarray(0, bytes.length - 100)],
  ['of nothing', () => Buffer.alloc(0)],
  ['of another program', () => Buffer.from('#!/bin/sh\necho hello\n')],
  ['with a byte that is wrong', (bytes: Buffer) => (bytes.writeUInt8(bytes.readUInt8(600) ^ 1, 600), bytes)],
])('takes nothing from a file that is %s, and replaces it', (_, broken) => {
  const folder = folderWith(FILES);
  begin(folder).bundle.keep();
  const kept = join(folder, 'kept/v1/plan');
  const whole = readFileSync(kept);
  writeFileSync(kept, broken(Buffer.from(whole)));
  const next = begin(folder).bundle;
  expect(next.known).toEqual([]);
  next.keep();
  expect(begin(folder).bundle.known).toHaveLength(2);
});

it('takes nothing from a file that others may write to', () => {
  const folder = folderWith(FILES);
  begin(folder).bundle.keep();
  chmodSync(join(folder, 'kept/v1/plan'), 0o666);
  const next = begin(folder).bundle;
  expect(next.known).toEqual([]);
  next.keep();
  expect(begin(folder).bundle.known).toHaveLength(2);
});

it('adds what another run needs to what is there', () => {
  const folder = folderWith({ ...FILES, 'bundle/third-1.cjs': 'exports.third = () => 3;' });
  begin(folder).bundle.keep();
  const other = begin(folder).bundle;
  other.load('third-1.cjs');
  other.keep();
  begin(folder).bundle.keep();
  const all = openBundle(join(folder, 'bundle'), join(folder, 'kept/v1/plan'));
  for (const name of ['third-1.cjs', 'start-1.cjs']) all.load(name);
  expect(all.known).toEqual(['third-1.cjs', 'start-1.cjs', 'other-1.cjs']);
});

it('runs as well where nothing can be kept', () => {
  const folder = folderWith({ ...FILES, kept: 'a file where the folder should be' });
  begin(folder).bundle.keep();
  const nowhere = openBundle(join(folder, 'bundle'), undefined);
  expect((nowhere.load('start-1.cjs') as Started).start()).toBe('a/object');
  nowhere.keep();
});

it('removes what versions of long ago have left, and nothing that is younger', () => {
  const folder = folderWith(FILES);
  for (const version of ['old', 'young']) mkdirSync(join(folder, 'kept', version), { recursive: true });
  utimesSync(join(folder, 'kept/old'), 1, 1);
  begin(folder).bundle.keep();
  expect(readdirSync(join(folder, 'kept'))).toEqual(['v1', 'young']);
});
