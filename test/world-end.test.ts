/** No end of a world leaves a process behind, not even one that it cannot see coming. */
import { spawn } from 'node:child_process';
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { freshFolder, root, tool, writeFiles } from './world.ts';

/** Starts a world, prints the address of each server, and waits for its stdin to end before it disposes of the world. */
const SCRIPT = `
const { createToolFinder } = await import('@slipway/tools');
const { startWorld } = await import('./demo/world/world.ts');
const finder = createToolFinder({ env: process.env });
const world = await startWorld({ folder: process.argv[1], finder, buildkit: true, fulcio: true, referrersRegistry: true });
const { source, destination, referrers, keyless, proxy } = world.addresses;
console.log(JSON.stringify([source.host, destination.host, referrers.host].map((host) => 'http://' + host + '/v2/').concat(proxy, keyless.issuer)));
for await (const _ of process.stdin);
await world[Symbol.asyncDispose]();
`;

/** Seconds: a number that no other process sleeps for. */
const FOREVER = 900_000 + process.pid;

/** Lets the world's BuildKit run a step that does not end; answers once it runs. */
async function startStep(folder: string): Promise<void> {
  const [own = ''] = (await readdir(folder)).filter((name) => name.startsWith('world-'));
  const context = await freshFolder();
  await copyFile('/bin/busybox', join(context, 'busybox'));
  const dockerfile = `FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "sleep", "${FOREVER}"]\n`;
  await writeFiles(context, { Dockerfile: dockerfile });
  const env = { BUILDX_CONFIG: join(context, 'buildx') };
  const endpoint = `unix://${join(folder, own, 'buildkit', 'buildkitd.sock')}`;
  expect((await tool('buildx', ['create', '--name', 'step', '--driver', 'remote', endpoint], { env })).code).toBe(0);
  // It ends when the daemon does.
  void tool('buildx', ['build', '--builder', 'step', context], { env });
  for (let tries = 0; tries < 100 && (await processesIn(`sleep\0${FOREVER}`)).length === 0; tries += 1)
    await sleep(100);
  expect((await processesIn(`sleep\0${FOREVER}`)).length).toBeGreaterThan(0);
}

async function mountsIn(folder: string): Promise<readonly string[]> {
  return (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => line.includes(folder));
}

async function start(folder: string) {
  const args = ['--conditions=slipway-source', '--input-type=module', '-e', SCRIPT, folder];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const addresses = await new Promise<readonly string[]>((resolve, reject) => {
    let text = '';
    child.once('close', () => reject(new Error(`no world: ${text}`)));
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.endsWith('\n')) resolve(JSON.parse(text) as readonly string[]);
    });
  });
  return { child, ended, addresses };
}

function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  );
}

/** Command lines with this in them. Those of all servers but the one in memory name the folder of their world. */
async function processesIn(text: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(text)).map((line) => line.replaceAll('\0', ' '));
}

async function nothingLeft(folder: string, addresses: readonly string[]): Promise<void> {
  for (let tries = 0; tries < 50 && (await processesIn(folder)).length > 0; tries += 1) await sleep(100);
  expect(await processesIn(folder)).toEqual([]);
  expect(await Promise.all(addresses.map(answers))).toEqual(addresses.map(() => false));
}

test('disposing of a world ends its processes and deletes its folder; the keys stay', async () => {
  const folder = await freshFolder();
  const { child, ended, addresses } = await start(folder);
  expect(await Promise.all(addresses.map(answers))).toEqual(addresses.map(() => true));
  child.stdin.end();
  expect(await ended).toBe(0);
  await nothingLeft(folder, addresses);
  expect(await readdir(folder)).toEqual(['keys']);
});

test('disposing of it in the middle of a step ends the step, and leaves nothing mounted', async () => {
  const folder = await freshFolder();
  const { child, ended, addresses } = await start(folder);
  await startStep(folder);
  child.stdin.end();
  expect(await ended).toBe(0);
  await nothingLeft(folder, addresses);
  expect(await processesIn(`sleep\0${FOREVER}`)).toEqual([]);
  expect(await mountsIn(folder)).toEqual([]);
  expect(await readdir(folder)).toEqual(['keys']);
});

test('killed, it leaves no server behind', async () => {
  const folder = await freshFolder();
  const { child, ended, addresses } = await start(folder);
  expect((await processesIn(folder)).length).toBeGreaterThan(3);
  await startStep(folder);
  child.kill('SIGKILL');
  await ended;
  await nothingLeft(folder, addresses);
  expect(await processesIn(`sleep\0${FOREVER}`)).toEqual([]);
  expect(await mountsIn(folder)).toEqual([]);
});
