/** A checkout may bring links to devices, and an archive named pipes, in place of the files that runs leave for later ones. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { folderWith } from '../testing.ts';

const FILES = {
  // No registry is waited for.
  'config.yaml': 'sync:\n  - source: oci:./nowhere:1\n    destination: oci:./to:1\n',
  'slipway.config.yaml': "trust: [{ match: '**', level: copy }]",
};
const RUN = '20260101-000000-0000abcd';
const STATE = [
  'durations.json',
  'referrers-api.json',
  'registry-challenges.json',
  'verified.ndjson',
  'syncs.ndjson',
  'tmp/killed.owner',
  `runs/${RUN}.ndjson`,
].map((name) => `.slipway/${name}`);

/** In a process of its own, for what waits in a system call can be ended from outside alone; -1: it had to be. */
function ran(
  cwd: string,
  ...args: readonly string[]
): { readonly status: number; readonly stdout: string; readonly stderr: string } {
  const main = join(import.meta.dirname, 'main.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=slipway-source', main, ...args], {
    cwd,
    encoding: 'utf8',
    timeout: 40_000,
    killSignal: 'SIGKILL',
    env: { PATH: process.env['PATH'], HOME: cwd, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
  });
  return { status: status ?? -1, stdout, stderr };
}

test.each<[string, (file: string) => void]>([
  ['a link to what never ends', (file) => symlinkSync('/dev/zero', file)],
  ['a pipe without a writer', (file) => void execFileSync('mkfifo', ['-m', '600', file])],
])(
  'where a file of .slipway is to be stands %s: it is no file of ours',
  (_, place) => {
    const cwd = folderWith(FILES);
    for (const name of STATE) {
      mkdirSync(dirname(join(cwd, name)), { recursive: true });
      place(join(cwd, name));
    }
    expect(ran(cwd, 'why')).toMatchObject({ status: 2, stderr: expect.stringContaining('no journal in') });
    expect(ran(cwd, 'rollback', RUN)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('there is no journal'),
    });
    expect(ran(cwd, 'report', `.slipway/runs/${RUN}.ndjson`)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('cannot be read'),
    });
    mkdirSync(join(cwd, 'new', '.git'), { recursive: true });
    place(join(cwd, 'new', '.git', 'config'));
    expect(ran(cwd, 'init', 'new')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('in place of example'),
    });
    expect(ran(cwd, 'run').status).toBe(1);
  },
  180_000,
);

test('emit --check shows nothing of what a link in place of a workflow leads to', () => {
  const cwd = folderWith({ ...FILES, 'secret.txt': 'canary-1234\n' });
  const workflows = join(cwd, '.github', 'workflows');
  mkdirSync(workflows, { recursive: true });
  symlinkSync(join(cwd, 'secret.txt'), join(workflows, 'sync.yml'));
  symlinkSync('/dev/zero', join(workflows, 'other.yml'));
  const { status, stdout } = ran(cwd, 'emit', 'github', '--check');
  expect(status).toBe(1);
  expect(stdout).toContain('.github/workflows/sync.yml is not what the config says');
  expect(stdout).not.toContain('canary');
}, 60_000);
