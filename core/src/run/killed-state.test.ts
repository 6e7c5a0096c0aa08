/** Killed at the worst moment, between a file and its name: nothing is left in `.slipway` once the next run has swept. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sweepTmp } from '../exec/tmp.ts';
import { imported, killedAt } from '../testing/killed-at.ts';

const here = (file: string): string => imported(join(import.meta.dirname, file));

const records = (folder: string): string => `
  const { openUploadFiles } = ${here('upload-files.ts')};
  const { sha256 } = ${here('../oci/digest.ts')};
  const records = openUploadFiles(${JSON.stringify(join(folder, 'uploads'))}, 'mark');
  const blob = { mediaType: 'a/b', digest: sha256('x'), size: 1 };
  const repository = { registry: 'registry.example', path: 'a/b' };`;
const PUT = "await records.put(repository, blob, 'https://registry.example/canary');";

test.each<{ what: string; kills: (folder: string) => readonly (readonly [string | undefined, string])[] }>([
  {
    what: 'a memory',
    kills: (folder) => [
      [
        'renameSync',
        `(${here('saved-files.ts')}).replaceFile(${JSON.stringify(join(folder, 'durations.json'))}, '{}');`,
      ],
    ],
  },
  { what: 'the record of an upload', kills: (folder) => [['renameSync', records(folder) + PUT]] },
  {
    what: 'the record of an upload that is gone on with',
    kills: (folder) => [
      [undefined, records(folder) + PUT],
      ['promises.rm', `${records(folder)} await records.take(repository, blob);`],
    ],
  },
])('$what', async ({ kills }) => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [deadly, script] of kills(folder)) await killedAt(deadly, script);
  await sweepTmp(join(folder, 'tmp'));
  const files = await readdir(folder, { recursive: true });
  expect(files.filter((name) => name !== 'tmp' && name !== 'uploads')).toEqual([]);
});
