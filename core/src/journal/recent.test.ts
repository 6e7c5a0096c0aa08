import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { removeOldRuns } from './recent.ts';

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
