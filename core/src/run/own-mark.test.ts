import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ownMark } from './own-mark.ts';

test('a mark is made once for a user, where nobody else reads it', async () => {
  const home = await mkdtemp(join(tmpdir(), 'slipway-mark-'));
  onTestFinished(() => rm(home, { recursive: true }));
  const made = ownMark({ HOME: home });
  expect(made).toMatch(/^[0-9a-f]{64}$/);
  expect(ownMark({ HOME: home })).toBe(made);
  expect((await stat(join(home, '.cache/slipway/own-mark'))).mode & 0o777).toBe(0o600);
  expect(ownMark({ HOME: home, XDG_CACHE_HOME: join(home, 'other') })).not.toBe(made);
  expect(ownMark({ HOME: '/proc' })).toBeUndefined();
});

test.each(['', 'x', 'ab'.repeat(20)])(
  '%j, as a full disk leaves it, is no mark, and gives way to one that lasts',
  async (text) => {
    const home = await mkdtemp(join(tmpdir(), 'slipway-mark-'));
    onTestFinished(() => rm(home, { recursive: true }));
    const folder = join(home, '.cache/slipway');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'own-mark'), text);
    const made = ownMark({ HOME: home });
    expect(made).toMatch(/^[0-9a-f]{64}$/);
    expect(ownMark({ HOME: home })).toBe(made);
    expect(await readdir(folder)).toEqual(['own-mark']);
    expect((await stat(join(folder, 'own-mark'))).mode & 0o777).toBe(0o600);
  },
);

test('what another process with our pid is making, in a container with the same home, is left to it', async () => {
  const home = await mkdtemp(join(tmpdir(), 'slipway-mark-'));
  onTestFinished(() => rm(home, { recursive: true }));
  const folder = join(home, '.cache/slipway');
  await mkdir(folder, { recursive: true });
  const theirs = `own-mark.${process.pid}`;
  await writeFile(join(folder, theirs), 'ab');
  expect(ownMark({ HOME: home })).toMatch(/^[0-9a-f]{64}$/);
  expect((await readdir(folder)).toSorted()).toEqual(['own-mark', theirs]);
});

test.each(['', 'home'])('a home that is %j is no place for a mark: it would be in the checkout', (home) => {
  vi.stubEnv('HOME', home);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(ownMark({ HOME: home })).toBeUndefined();
  expect(ownMark({})).toBeUndefined();
  expect(existsSync(join(home, '.cache'))).toBe(false);
});
