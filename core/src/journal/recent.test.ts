import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { recentRuns, removeOldRuns } from './recent.ts';

test('the last 200 journals are kept, and whatever else somebody has put beside them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-runs-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const names = Array.from({ length: 203 }, (_, at) => `20260101-${String(100_000 + at)}-abcdef.ndjson`);
  for (const name of ['20200101-000000-kept.ndjson', 'notes.txt', ...names]) await writeFile(join(folder, name), '');
  removeOldRuns(folder);
  expect((await readdir(folder)).toSorted()).toEqual(
    ['20200101-000000-kept.ndjson', 'notes.txt', ...names.slice(3)].toSorted(),
  );
  removeOldRuns(join(folder, 'nowhere'));
});

test('a journal that somebody has named otherwise is known by what it says, and counts once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-runs-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const start = (run: string): string =>
    `${JSON.stringify({ t: 0, type: 'run.start', run, command: 'run', version: '1', entries: [], tasks: [] })}\n`;
  const [first, second, third] = [1, 2, 3].map((day) => `2026010${day}-100000-00abcdef`);
  const files = { copy: first, [`${first}`]: first, 'a-build-of-ours': second, [`${third}`]: third };
  for (const [name, run] of Object.entries(files)) await writeFile(join(folder, `${name}.ndjson`), start(run ?? ''));
  await writeFile(join(folder, 'torn.ndjson'), '{"t":');
  const found = [...recentRuns(folder)].filter(({ events }) => events.length > 0);
  expect(found.map(({ run }) => run)).toEqual([third, second, first]);
});

test('what a wrong clock has dated in the future is the oldest, and a run never removes its own journal', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-runs-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const future = Array.from({ length: 200 }, (_, at) => `29990101-000000-00000${at + 100}`);
  const [earlier, later] = ['20260101-000000-00000abc', '20260102-000000-00000abc'];
  for (const run of [...future, earlier, later]) await writeFile(join(folder, `${run}.ndjson`), '');
  expect([...recentRuns(folder)].map(({ run }) => run)).toEqual([later, earlier, ...future.slice(2).toReversed()]);
  const own = future[0];
  removeOldRuns(folder, own);
  const left = [own, ...future.slice(2), earlier, later].map((run) => `${run}.ndjson`);
  expect((await readdir(folder)).toSorted()).toEqual(left.toSorted());
});
