import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { processesMarked } from './descendants.ts';
import { thisProcess } from './owner.ts';
import { claimTmp, removeTree, sweepTmp } from './tmp.ts';

const fresh = (): Promise<string> => mkdtemp(join(tmpdir(), 'slipway-tmp-'));

const options = ['--conditions=slipway-source', '--disable-warning=ExperimentalWarning', '--input-type=module'];
const claiming = (root: string, run: string): string => `
  const { claimTmp } = await import(${JSON.stringify(new URL('./tmp.ts', import.meta.url).href)});
  await claimTmp(${JSON.stringify(root)}, ${JSON.stringify(run)});`;

/** Claims a folder in a process that then dies without releasing it. */
async function claimedByDead(root: string, run: string): Promise<void> {
  const script = `${claiming(root, run)} process.kill(process.pid, 'SIGKILL');`;
  await once(spawn(process.execPath, [...options, '-e', script], { stdio: 'ignore' }), 'exit');
}

it('keeps the folder of a living owner and removes that of a dead one', async () => {
  const root = await fresh();
  const ours = await claimTmp(root, 'ours');
  await claimedByDead(root, 'dead');
  expect(await readdir(root)).toContain('dead');
  expect(await sweepTmp(root)).toEqual(['dead']);
  expect((await readdir(root)).sort()).toEqual(['ours', 'ours.owner']);
  await ours.release();
  expect(await readdir(root)).toEqual([]);
});

it('tells a process from a later one that has its pid', async () => {
  const root = await fresh();
  await claimTmp(root, 'run');
  const file = join(root, 'run.owner');
  const owner = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  await writeFile(file, JSON.stringify({ ...owner, start: '1' }));
  expect(await sweepTmp(root)).toEqual(['run']);
});

it('removes what was claimed before the machine started anew, and what has no owner', async () => {
  const root = await fresh();
  await claimTmp(root, 'run');
  const file = join(root, 'run.owner');
  const owner = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  await writeFile(file, JSON.stringify({ ...owner, boot: 'another' }));
  await mkdir(join(root, 'nobody'));
  expect([...(await sweepTmp(root))].sort()).toEqual(['nobody', 'run']);
});

it.each([
  ['in another pid namespace', { namespace: 'pid:[1]', pid: 1 }],
  ['on another machine', { host: 'another', boot: 'another', pid: 1 }],
])('leaves an owner %s alone for a day', async (_, elsewhere) => {
  const root = await fresh();
  await claimTmp(root, 'run');
  const file = join(root, 'run.owner');
  const owner = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  await writeFile(file, JSON.stringify({ ...owner, ...elsewhere }));
  expect(await sweepTmp(root)).toEqual([]);
  const yesterday = new Date(Date.now() - 25 * 3600 * 1000);
  await utimes(file, yesterday, yesterday);
  expect(await sweepTmp(root)).toEqual(['run']);
});

it('removes links, never what they name, and read-only folders', async () => {
  const outside = await fresh();
  await writeFile(join(outside, 'kept'), 'kept');
  const folder = await fresh();
  await mkdir(join(folder, 'cache', 'module'), { recursive: true });
  await writeFile(join(folder, 'cache', 'module', 'file'), '');
  await symlink(outside, join(folder, 'cache', 'link'));
  await chmod(join(folder, 'cache', 'module'), 0o500);
  await chmod(join(folder, 'cache'), 0o500);
  await removeTree(folder);
  expect(await readdir(outside)).toEqual(['kept']);
  await expect(readdir(folder)).rejects.toThrow('ENOENT');
});

it('refuses a run id that is a path, and a second claim of one folder', async () => {
  const root = await fresh();
  await expect(claimTmp(root, '../x')).rejects.toThrow('not a run id');
  await claimTmp(root, 'run');
  await expect(claimTmp(root, 'run')).rejects.toThrow('EEXIST');
});

it('removes what was about to be claimed, once who was about to is gone', async () => {
  const root = await fresh();
  const [living, dead, torn] = ['living.owner.1', 'dead.owner.2', 'torn.owner.3'].map((name) => join(root, name));
  if (living === undefined || dead === undefined || torn === undefined) throw new Error('there are three');
  await claimedByDead(root, 'run');
  await rename(join(root, 'run.owner'), dead);
  await writeFile(living, JSON.stringify(await thisProcess()));
  await writeFile(torn, '{"boot":');
  expect((await sweepTmp(root)).toSorted()).toEqual(['dead', 'run']);
  expect((await readdir(root)).toSorted()).toEqual(['living.owner.1', 'torn.owner.3']);
  // Nobody writes for an hour.
  const hourAgo = Date.now() / 1000 - 3600;
  await utimes(torn, hourAgo, hourAgo);
  expect(await sweepTmp(root)).toEqual(['torn']);
});

it('takes an owner that has ended for gone, also where its parent takes no notice', async () => {
  const root = await fresh();
  const node = `${process.execPath} ${options.join(' ')}`;
  // As the first process of a container that was made for one program.
  const parent = spawn('/bin/sh', ['-c', `${node} -e "$SCRIPT" & exec sleep 300`], {
    env: { ...process.env, SCRIPT: `${claiming(root, 'run')} process.kill(process.pid, 'SIGKILL');` },
    stdio: 'ignore',
  });
  onTestFinished(() => void parent.kill());
  await expect.poll(() => sweepTmp(root), { timeout: 10_000 }).toEqual(['run']);
});

/** Claims a folder, starts a tool in a session of its own, without a PID namespace, and is killed with what would end that. */
const starting = (root: string, run: string): string => `${claiming(root, run)}
  const { startersOf } = await import(${JSON.stringify(new URL('./fixtures.ts', import.meta.url).href)});
  const kill = () => {
    for (const pid of [...startersOf(process.pid), process.pid]) process.kill(pid, 'SIGKILL');
  };
  const { runProcess } = await import(${JSON.stringify(new URL('./process.ts', import.meta.url).href)});
  await runProcess({
    path: '/bin/sh', args: ['-c', 'setsid sh -c "echo ready >&2; while :; do sleep 300; done" & wait'], cwd: '/',
    env: { PATH: '/usr/bin:/bin', SLIPWAY_TEST: ${JSON.stringify(root)} }, timeout: 60000, maxOutput: 1024,
    signal: new AbortController().signal, onStderrLine: kill,
  });`;

it('leaves nothing to end of many that were started in haste, when their owner alone is killed', async () => {
  const root = await fresh();
  const script = `const { runProcess } = await import(${JSON.stringify(new URL('./process.ts', import.meta.url).href)});
    let ready = 0;
    const onStderrLine = () => { if ((ready += 1) === 80) process.kill(process.pid, 'SIGKILL'); };
    await Promise.all(Array.from({ length: 80 }, () => runProcess({
      path: '/bin/sh', args: ['-c', 'echo ready >&2; env -i sleep 300 & wait'], cwd: '/',
      env: { PATH: '/usr/bin:/bin', SLIPWAY_TEST: ${JSON.stringify(root)} }, timeout: 60000, maxOutput: 1024,
      signal: new AbortController().signal, onStderrLine,
    })));`;
  const env = { ...process.env, SLIPWAY_PID_NAMESPACE: 'off' };
  const owner = spawn(process.execPath, [...options, '-e', script], { env, stdio: 'ignore' });
  await once(owner, 'exit');
  await expect.poll(() => processesMarked(`SLIPWAY_TEST=${root}`), { timeout: 5000 }).toEqual([]);
});

it('ends what a killed owner had started, and nothing else', async () => {
  const [root, other] = [await fresh(), await fresh()];
  const env = { ...process.env, SLIPWAY_PID_NAMESPACE: 'off' };
  for (const [folder, run] of [
    [root, 'run'],
    [other, 'run'],
  ] as const) {
    await once(spawn(process.execPath, [...options, '-e', starting(folder, run)], { env, stdio: 'ignore' }), 'exit');
  }
  const left = (folder: string): readonly number[] => processesMarked(`SLIPWAY_TEST=${folder}`);
  expect(left(root).length).toBeGreaterThan(0);
  expect(await sweepTmp(root)).toEqual(['run']);
  expect(left(root)).toEqual([]);
  expect(left(other).length).toBeGreaterThan(0);
  await sweepTmp(other);
  expect(left(other)).toEqual([]);
});

it('in a folder of everybody looks at what is named so, and was made by this user', async () => {
  const root = await fresh();
  for (const run of ['look-dead', 'other-dead']) await claimedByDead(root, run);
  const getuid = vi.spyOn(process, 'getuid').mockReturnValue(4711);
  expect(await sweepTmp(root, 'look-')).toEqual([]);
  getuid.mockRestore();
  expect(await sweepTmp(root, 'look-')).toEqual(['look-dead']);
  expect((await readdir(root)).toSorted()).toEqual(['other-dead', 'other-dead.owner']);
});
