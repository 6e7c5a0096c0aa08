import { mkdir, writeFile, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { gzipStored, tar, text } from '../demo/world/archive.ts';
import { freshFolder, tool } from './world.ts';

/** Around the largest stored block, where an off-by-one would lose or double a byte. */
const SIZES = [0, 1, 65_534, 65_535, 65_536, 131_070, 131_071, 200_000];

/** Its PAX record is 98 bytes without its length, which therefore needs three digits and makes it 101. */
const LONG = 'x'.repeat(88);

test.each(SIZES)('gzip of %i bytes is what went in', (size) => {
  const content = Buffer.alloc(size, 'slipway');
  expect(gunzipSync(gzipStored(content)).equals(content)).toBe(true);
});

test('tar writes what GNU tar reads: content, mode, date, links and PAX records', async () => {
  const folder = await freshFolder();
  const archive = tar(
    [
      { type: 'directory', path: 'bin' },
      { type: 'file', path: 'bin/tool', content: text('#!/bin/sh\n'), mode: 0o755 },
      { type: 'symlink', path: 'bin/link', target: 'tool' },
    ],
    { mtime: 1_767_225_600, pax: (member) => (member.type === 'file' ? { comment: LONG } : {}) },
  );
  await writeFile(join(folder, 'a.tar'), archive);
  await mkdir(join(folder, 'out'));
  const output = await tool('tar', ['-xf', '../a.tar'], { cwd: join(folder, 'out') });
  expect(output).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(await readFile(join(folder, 'out', 'bin', 'tool'), 'utf8')).toBe('#!/bin/sh\n');
  const { mode, mtimeMs } = await stat(join(folder, 'out', 'bin', 'tool'));
  expect([mode & 0o777, mtimeMs]).toEqual([0o755, 1_767_225_600_000]);
  expect(await readlink(join(folder, 'out', 'bin', 'link'))).toBe('tool');
  expect(Buffer.from(archive).includes(`101 comment=${LONG}\n`)).toBe(true);
});
