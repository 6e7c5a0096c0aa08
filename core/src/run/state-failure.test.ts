import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { replaceFile } from './saved-files.ts';
import { stateFailure } from './state-failure.ts';

function thrown(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

test('what is wrong with a file is a failure that names it; every other error stays one', async () => {
  const failure = stateFailure(thrown(() => mkdirSync('/dev/null/work')));
  expect(failure).toMatchObject({ reason: 'config', message: expect.stringContaining('ENOTDIR at /dev/null/work') });
  expect(stateFailure(new TypeError('x is not a function'))).toBeUndefined();
  const refused = await new Promise((resolve) => connect({ port: 1, host: '127.0.0.1' }).on('error', resolve));
  expect(refused).toMatchObject({ syscall: 'connect' });
  expect(stateFailure(refused)).toBeUndefined();
});

test('a file that only saves time is written whole or left as it is, and never an error', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'taken'));
  replaceFile(join(folder, 'taken'), 'text');
  replaceFile('/dev/null/file', 'text');
  replaceFile(join(folder, 'new', 'file'), 'text');
  // As of a checkout that was renamed.
  replaceFile(join(folder, 'gone', '.slipway', 'file'), 'text');
  expect(readdirSync(folder)).toEqual(['new', 'taken', 'tmp']);
  expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
  expect(readdirSync(join(folder, 'new')).filter((name) => name !== 'tmp')).toEqual(['file']);
});

test('a link in place of the draft of a file is not written through', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [precious, drafts] = [join(folder, 'precious'), join(folder, 'tmp')];
  writeFileSync(precious, 'text');
  mkdirSync(drafts);
  symlinkSync(precious, join(drafts, `file.${process.pid}`));
  replaceFile(join(folder, 'file'), 'new');
  expect(readFileSync(precious, 'utf8')).toBe('text');
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('new');
});
