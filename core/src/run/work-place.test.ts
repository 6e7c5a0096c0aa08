import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { workPlace } from './work-place.ts';

const MARK = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);

async function fresh(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** As Slipway keeps it, and as a checkout would bring it. */
async function kept(place: string, mode: number): Promise<void> {
  const store = join(place, 'scan-trivy', 'db', '99999999999999-1');
  await mkdir(store, { recursive: true, mode: 0o700 });
  await writeFile(join(store, 'metadata.json'), '{"NextUpdate":"2099-01-01T00:00:00Z"}');
  await chmod(place, mode);
}

test('what this user has kept is found again, and not where a checkout could know the place', async () => {
  const state = await fresh();
  const place = await workPlace(state, 'tmp', MARK);
  await kept(place, 0o700);
  expect(await workPlace(state, 'tmp', MARK)).toBe(place);
  expect(await readdir(place)).toEqual(['scan-trivy']);
  // Neither the folder that all would call so, nor another user's.
  expect(await workPlace(state, 'tmp', OTHER)).not.toBe(place);
  expect(place.slice(state.length)).toMatch(/^\/work\/[0-9a-f]{32}$/);
});

test('what lies under its name with the permissions that a checkout gives is removed', async () => {
  const state = await fresh();
  const place = await workPlace(state, 'tmp', MARK);
  await kept(place, 0o755);
  expect(await workPlace(state, 'tmp', MARK)).toBe(place);
  expect(await readdir(join(state, 'work'))).toEqual([]);
});

test('without a mark nothing outlives the run', async () => {
  const state = await fresh();
  expect(await workPlace(state, join(state, 'tmp', 'run'), undefined)).toBe(join(state, 'tmp', 'run', 'work'));
});
