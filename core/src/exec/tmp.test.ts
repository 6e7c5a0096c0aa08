import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { claimTmp, removeTree, sweepTmp } from './tmp.ts';

const fresh = (): Promise<string> => mkdtemp(join(tmpdir(), 'slipway-tmp-'));

/** Claims a folder in a process that then dies without releasing it. */
async function claimedByDead(root: string, run: string): Promise<void> {
  const module = new URL('./tmp.ts', import.meta.url).href;
  const script = `const { claimTmp } = await import(${JSON.stringify(module)}); await claimTmp(${JSON.stringify(root)}, ${JSON.stringify(run)}); process.kill(process.pid, 'SIGKILL')`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
  await once(child, 'exit');
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

it('leaves an owner of another pid namespace alone for a day', async () => {
  const root = await fresh();
  await claimTmp(root, 'run');
  const file = join(root, 'run.owner');
  const owner = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  await writeFile(file, JSON.stringify({ ...owner, namespace: 'pid:[1]', pid: 1 }));
  expect(await sweepTmp(root)).toEqual([]);
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
