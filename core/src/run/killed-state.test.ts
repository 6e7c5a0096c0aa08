/** Killed at the worst moment, between a file and its name: nothing is left in `.slipway` once the next run has swept. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sweepTmp } from '../exec/tmp.ts';

/** Runs `script` in a process that is killed with SIGKILL when it calls `deadly` of node:fs or node:fs/promises. */
async function killedAt(deadly: string, script: string): Promise<void> {
  const child = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const die = () => process.kill(process.pid, 'SIGKILL');
    const from = async (path) => import(new URL(path, ${JSON.stringify(import.meta.url)}).href);
    const at = (folder, name) => { folder[name] = die; syncBuiltinESMExports(); };
    ${deadly.startsWith('promises.') ? `at(fs.promises, '${deadly.slice('promises.'.length)}');` : `at(fs, '${deadly}');`}
    ${script}`;
  const options = ['--conditions=slipway-source', '--disable-warning=ExperimentalWarning', '--input-type=module'];
  const running = spawn(process.execPath, [...options, '-e', child], { stdio: ['ignore', 'inherit', 'inherit'] });
  const [, signal] = (await once(running, 'exit')) as [number | null, string | null];
  expect(signal, 'the process got as far as that').toBe('SIGKILL');
}

const uploads = (call: string, folder: string): string => `
  const { openUploadFiles } = await from('./upload-files.ts');
  const { sha256 } = await from('../oci/digest.ts');
  const blob = { mediaType: 'a/b', digest: sha256('x'), size: 1 };
  await openUploadFiles(${JSON.stringify(join(folder, 'uploads'))}).${call.replace('…', "{ registry: 'registry.example', path: 'a/b' }, blob")};`;

test.each([
  {
    what: 'a memory',
    steps: (folder: string) => [
      [
        'renameSync',
        `(await from('./replace-file.ts')).replaceFile(${JSON.stringify(join(folder, 'durations.json'))}, '{}');`,
      ],
    ],
  },
  {
    what: 'the record of an upload',
    steps: (folder: string) => [['renameSync', uploads(`put(…, 'https://registry.example/canary')`, folder)]],
  },
  {
    what: 'the record of an upload that is gone on with',
    steps: (folder: string) => [
      ['exit', `${uploads(`put(…, 'https://registry.example/canary')`, folder)} process.kill(process.pid, 'SIGKILL');`],
      ['promises.rm', uploads('take(…)', folder)],
    ],
  },
])('$what', async ({ steps }) => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [deadly = '', script = ''] of steps(folder)) await killedAt(deadly, script);
  await sweepTmp(join(folder, 'tmp'));
  const files = await readdir(folder, { recursive: true });
  expect(files.filter((name) => name !== 'tmp' && name !== 'uploads')).toEqual([]);
});
