/** No end of a world leaves a process behind, not even one that it cannot see coming. */
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { freshFolder, root } from './world.ts';

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

/** Command lines that name the folder, as those of all servers but the one in memory do. */
async function processesIn(folder: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(folder)).map((line) => line.replaceAll('\0', ' '));
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

test('killed, it leaves no server behind', async () => {
  const folder = await freshFolder();
  const { child, ended, addresses } = await start(folder);
  expect((await processesIn(folder)).length).toBeGreaterThan(3);
  child.kill('SIGKILL');
  await ended;
  await nothingLeft(folder, addresses);
});
