/** What a command writes into a checkout goes to no file that a link of the checkout leads to. */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { seedImage, startScriptedRegistry } from '@slipway/core/testing';
import { expect, test } from 'vitest';
import { sampleRun } from '../../core/src/report/page/sample.ts';
import { command, folderWith } from '../testing.ts';

const CONFIG = 'sync:\n  - source: docker.io/library/alpine:3\n    destination: r.example/b:1\n';

const journal = sampleRun({ images: 1 }).map((event) => `${JSON.stringify(event)}\n`);

test.each([
  ['report', 'report/index.html', ['report', 'run.ndjson']],
  ['emit', '.github/workflows/sync.yml', ['emit', 'github']],
])('%s replaces a link in place of a file of its own', async (_, link, args) => {
  const cwd = folderWith({ 'config.yaml': CONFIG, 'run.ndjson': journal.join('') });
  const theirs = folderWith({ precious: 'precious' });
  mkdirSync(join(cwd, link, '..'), { recursive: true });
  for (const target of ['precious', 'not-there']) {
    symlinkSync(join(theirs, target), join(cwd, link));
    expect(await command({ cwd }, ...args)).toMatchObject({ code: 0 });
    expect(lstatSync(join(cwd, link)).isFile()).toBe(true);
    expect(readFileSync(join(theirs, 'precious'), 'utf8')).toBe('precious');
    expect(existsSync(join(theirs, 'not-there'))).toBe(false);
    rmSync(join(cwd, link));
  }
});

test.each([
  ['report', 'report', ['report', 'run.ndjson']],
  ['report', 'out', ['report', 'run.ndjson', '--dir', 'out/deep/er']],
  ['emit', '.github', ['emit', 'github']],
  ['emit', '.github/workflows', ['emit', 'github']],
])('%s writes nothing where a link in the checkout leads out of it: %s', async (_, link, args) => {
  const cwd = folderWith({ 'config.yaml': CONFIG, 'run.ndjson': journal.join(''), 'inside/file': '' });
  const theirs = folderWith({ 'index.html': 'precious' });
  mkdirSync(join(cwd, link, '..'), { recursive: true });
  symlinkSync(theirs, join(cwd, link));
  const stderr = expect.stringContaining(`leads by a symbolic link to ${theirs}`);
  expect(await command({ cwd }, ...args)).toMatchObject({ code: 2, stderr });
  expect(readdirSync(theirs, { recursive: true })).toEqual(['index.html']);
  expect(readFileSync(join(theirs, 'index.html'), 'utf8')).toBe('precious');
  rmSync(join(cwd, link));
  symlinkSync(join(cwd, 'inside'), join(cwd, link));
  expect(await command({ cwd }, ...args)).toMatchObject({ code: 0 });
});

test('a link that the path of a folder elsewhere has is followed', async () => {
  const cwd = folderWith({ 'run.ndjson': journal.join('') });
  const elsewhere = folderWith({ 'real/file': '' });
  symlinkSync(join(elsewhere, 'real'), join(elsewhere, 'link'));
  expect(await command({ cwd }, 'report', 'run.ndjson', '--dir', join(elsewhere, 'link'))).toMatchObject({ code: 0 });
  expect(existsSync(join(elsewhere, 'real', 'index.html'))).toBe(true);
});

test('nor do --report and --sarif of a run, whose end they leave as it is', async () => {
  await using hub = await startScriptedRegistry();
  seedImage(hub, 'one', 'one', { tag: '1' });
  const cwd = folderWith({
    'config.yaml': `sync:\n  - { source: '${hub.host}/one:1', destination: '${hub.host}/mirror/one:1' }\n`,
    'slipway.config.yaml': "trust: [{ match: '*', level: copy }]\n",
  });
  const theirs = folderWith({ 'slipway-scan-1.sarif': 'precious' });
  for (const link of ['report', 'sarif']) symlinkSync(theirs, join(cwd, link));
  const ran = await command({ cwd }, 'sync', '--report', 'report', '--sarif', 'sarif');
  expect(ran.code).toBe(0);
  expect(ran.stderr).toMatch(/warning: report leads by .*\nwarning: sarif leads by /);
  expect(readdirSync(theirs)).toEqual(['slipway-scan-1.sarif']);
});
