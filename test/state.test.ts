/** Where `.slipway` cannot be written: a disk that is full, a checkout that is read only. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { worldEnvironment } from '../demo/world/settings.ts';
import { runAny, type Output } from '../demo/world/processes.ts';
import { HELLO, project, type Project } from './chain/project.ts';
import { digestOf, image, source, verifies } from './chain/shorthand.ts';
import { freshFolder, freshPath, launcher, push, world } from './world.ts';

/** Slipway in the project's folder, in a mount namespace of its own. */
function mounted(made: Project, mounts: readonly string[], ...args: readonly string[]): Promise<Output> {
  const program = [launcher(), ...args];
  return runAny('bwrap', ['--dev-bind', '/', '/', ...mounts, '--chdir', made.folder, '--', ...program], {
    cwd: made.folder,
    env: worldEnvironment(world()),
    timeout: 100_000,
  });
}

const fullDisk = (made: Project, bytes: number): readonly string[] => [
  '--size',
  String(bytes),
  '--tmpfs',
  join(made.folder, '.slipway'),
];
const readOnly = (made: Project): readonly string[] => ['--ro-bind', made.folder, made.folder];

interface Published {
  readonly made: Project;
  readonly tags: readonly string[];
}

async function twoEntries(): Promise<Published> {
  const { host } = world().destination;
  const [built, synced] = [`${host}/${freshPath('state')}:1`, `${host}/${freshPath('state')}:1`];
  const from = await source('state');
  const made = await project({
    build: [{ source: `./${HELLO}`, destination: built }],
    sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: synced }],
  });
  return { made, tags: [built, synced] };
}

function expectNoTrace({ stdout, stderr }: Output): void {
  expect(stdout + stderr).not.toMatch(/this is a bug|\n {4}at |\bTypeError\b/);
}

describe('a disk that is full', () => {
  // One that takes not even the journal, and one on which the tools begin their work.
  test.each([4096, 65_536])('after %i bytes: it is said, no tag is moved, the next run finishes', async (bytes) => {
    const { made, tags } = await twoEntries();
    const ran = await mounted(made, fullDisk(made, bytes), 'run', '--progress', 'plain');
    expect(ran.code, ran.stdout + ran.stderr).toBe(1);
    expectNoTrace(ran);
    expect(ran.stdout).toMatch(/\n2 failed in /);
    expect(ran.stdout).toMatch(/ENOSPC|no space left on/);
    expect(ran.stdout).toMatch(/free some space|whether the disk is full/);
    expect(ran.stdout).not.toMatch(/report it to the author|try again later/);
    for (const tag of tags) expect(await digestOf(tag)).toBeUndefined();

    const again = await made.run('run');
    expect(again.code, again.stdout).toBe(0);
    for (const tag of tags) expect(await verifies(tag, world().keys.production.publicKey)).toBe(true);
    expect((await made.run('verify', '--deep')).code).toBe(0);
  });
});

describe('a checkout that is read only', () => {
  test('is enough for whoever only looks, who sees the same; a run says what it needs', async () => {
    const { made, tags } = await twoEntries();
    const first = await made.run('run');
    expect(first.code, first.stdout).toBe(0);
    const { run } = JSON.parse(first.stdout) as { readonly run: string };
    const [tag = ''] = tags;
    const journal = join('.slipway', 'runs', `${run}.ndjson`);
    const elsewhere = await freshFolder();
    for (const args of [
      ['plan', '--resolve'],
      ['verify'],
      ['why', tag],
      ['why', '--resolve', tag],
      ['why', '--cve', 'CVE-2026-10001'],
      ['report', journal, '--dir', elsewhere],
    ]) {
      const looked = await mounted(made, readOnly(made), ...args);
      expect(looked, args.join(' ')).toEqual(await mounted(made, [], ...args));
      expect(looked.code, args.join(' ')).toBe(0);
    }
    const doctor = await mounted(made, readOnly(made), 'doctor');
    expectNoTrace(doctor);
    expect([doctor.code, doctor.stdout]).toEqual([1, expect.stringMatching(/\.slipway cannot be written/)]);
    const ran = await mounted(made, readOnly(made), 'run');
    expectNoTrace(ran);
    expect([ran.code, ran.stderr]).toEqual([
      2,
      expect.stringMatching(/\.slipway beside the config cannot be used \(EROFS/),
    ]);
    // Whatever moves tags leaves a record of it, also where it would believe nothing that an earlier run remembered.
    await push(image('drifted'), tag);
    for (const args of [
      ['run', '--against', 'registry'],
      ['rollback', tag],
      ['prune', '--delete'],
    ]) {
      const moves = await mounted(made, readOnly(made), ...args);
      expect([moves.code, moves.stderr], args.join(' ')).toEqual([2, expect.stringContaining('EROFS')]);
    }
    const report = await mounted(made, readOnly(made), 'report', journal, '--dir', 'report');
    expect([report.code, report.stderr]).toEqual([2, expect.stringContaining('the report cannot be written')]);
  });
});
