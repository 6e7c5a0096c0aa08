/** Ended in the middle, by signals or by force: what is left, what is said, and that the next run finishes. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Event } from '@slipway/core';
import { freshPath, world } from '../world.ts';
import { HELLO, processesWith, project, type Project, type Running } from './project.ts';
import { digestOf, source, verifies } from './shorthand.ts';
import { watch, type Seen, type WatchingProxy } from './watching-proxy.ts';

const LIMIT = 2000;

/** Resolves when a request comes that `stuck` picks; it is never answered. */
function holdAt(proxy: WatchingProxy, stuck: (seen: Seen) => boolean): Promise<void> {
  return new Promise((resolve) =>
    proxy.intercept((seen) => {
      if (!stuck(seen)) return undefined;
      resolve();
      return 'swallow';
    }),
  );
}

/** A run that ends before it gets there must not be waited for. */
async function orEnded(held: Promise<void>, ended: Running['ended']): Promise<void> {
  const early = ended.then(({ stdout, stderr }) => Promise.reject(new Error(`it ended by itself: ${stdout}${stderr}`)));
  // When it ends later, as it is told to, nobody waits for this any more.
  early.catch(() => undefined);
  await Promise.race([held, early]);
}

const isUpload = ({ method, path }: Seen): boolean =>
  method === 'PATCH' || (method === 'PUT' && path.includes('/blobs/uploads/'));
const isScan = ({ method, path, headers }: Seen): boolean =>
  method === 'GET' && path.includes('/blobs/') && /trivy/i.test(headers['user-agent'] ?? '');
const isList = ({ method, path }: Seen): boolean => method === 'PUT' && path.includes('/manifests/sha256-');

/** Every announced task ended exactly once, and so did the run. */
function expectWhole(events: readonly Event[]): void {
  const announced = events.flatMap((event) =>
    event.type === 'run.start' || event.type === 'entry.chain' ? event.tasks.map(({ id }) => id) : [],
  );
  const done = events.flatMap((event) => (event.type === 'task.done' ? [event.task] : []));
  expect(announced.length).toBeGreaterThan(0);
  expect(done.toSorted()).toEqual([...new Set(announced)].toSorted());
  expect(events.filter(({ type }) => type === 'run.done')).toHaveLength(1);
  expect(events.at(-1)?.type).toBe('run.done');
}

async function tmpOf({ folder }: Project): Promise<readonly string[]> {
  return readdir(join(folder, '.slipway', 'tmp')).catch(() => []);
}

async function twoEntries(
  proxy: WatchingProxy,
): Promise<{ readonly it: Project; readonly synced: string; readonly built: string; readonly digest: string }> {
  const [synced, built, from] = [freshPath('cut'), freshPath('cut'), await source('cut')];
  const it = await project({
    sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: `${proxy.host}/${synced}:1` }],
    build: [{ source: `./${HELLO}`, destination: `${proxy.host}/${built}:1` }],
  });
  return { it, synced, built, digest: from.digest };
}

async function finishes(it: Project, synced: string, built: string, digest: string): Promise<void> {
  const again = await it.run('run');
  expect(again.code, again.stdout).toBe(0);
  expect(await tmpOf(it)).toEqual([]);
  expect(await digestOf(`${world().destination.host}/${synced}:1`)).toBe(digest);
  for (const path of [synced, built])
    expect(await verifies(`${world().destination.host}/${path}:1`, world().keys.production.publicKey)).toBe(true);
  expect((await it.run('verify', '--deep')).code).toBe(0);
}

describe('a signal ends it within two seconds, with nothing left behind', () => {
  test.each([
    { signal: 'SIGINT', what: 'an upload', stuck: isUpload },
    { signal: 'SIGTERM', what: 'a scan', stuck: isScan },
    { signal: 'SIGTERM', what: 'attaching', stuck: isList },
  ] as const)('$signal during $what', async ({ signal, stuck }) => {
    const proxy = await watch(world().destination.host);
    const { it, synced, built, digest } = await twoEntries(proxy);
    const held = holdAt(proxy, stuck);
    const { child, ended } = it.start('run');
    await orEnded(held, ended);
    const from = performance.now();
    child.kill(signal);
    const ran = await ended;
    const took = performance.now() - from;
    expect(took).toBeLessThan(LIMIT + 200);
    expect([ran.code, ran.signal]).toEqual([130, null]);
    expect(await processesWith(it.folder)).toEqual([]);
    expect(await tmpOf(it)).toEqual([]);
    const [events = []] = await it.journals();
    expectWhole(events);
    expect(events.at(-1)).toMatchObject({ exitCode: 130 });
    // What was done is said, also when nothing was.
    expect(ran.answer.entries.map(({ destination }) => destination).length).toBe(2);
    expect(ran.answer.entries.some(({ outcome }) => outcome === 'cancelled')).toBe(true);
    expect(ran.stderr).toContain('interrupted');

    proxy.intercept(undefined);
    await finishes(it, synced, built, digest);
  });
});

test.each([
  { what: 'a scan', stuck: isScan },
  { what: 'attaching', stuck: isList },
  { what: 'an upload', stuck: isUpload },
])('killed during $what: the next run reaches the same state and sweeps up', async ({ stuck }) => {
  const proxy = await watch(world().destination.host);
  const { it, synced, built, digest } = await twoEntries(proxy);
  const held = holdAt(proxy, stuck);
  const { child, ended } = it.start('run');
  await orEnded(held, ended);
  child.kill('SIGKILL');
  expect((await ended).signal).toBe('SIGKILL');
  expect((await tmpOf(it)).length).toBeGreaterThan(0);
  expect(await digestOf(`${world().destination.host}/${synced}:1`)).toBeUndefined();
  proxy.intercept(undefined);
  await finishes(it, synced, built, digest);
  // A tool outlives a master that could not end it, but not for long: its work is gone.
  for (let tries = 0; tries < 50 && (await processesWith(it.folder)).length > 0; tries += 1) await sleep(100);
  // The journal of a killed run is read as far as it goes. Two runs of one second have no order.
  const whole = (await it.journals()).map((events) => events.some(({ type }) => type === 'run.done'));
  expect(whole).toHaveLength(2);
  expect(new Set(whole)).toEqual(new Set([false, true]));
});

test('--timeout ends a run as a signal does', async () => {
  const proxy = await watch(world().destination.host);
  const { it, synced } = await twoEntries(proxy);
  void holdAt(proxy, isScan);
  const from = performance.now();
  const ran = await it.run('run', '--timeout', '3s');
  expect(performance.now() - from).toBeLessThan(3000 + LIMIT + 1000);
  expect(ran.code).toBe(130);
  expect(ran.answer.entries.some(({ outcome }) => outcome === 'cancelled')).toBe(true);
  expect(await digestOf(`${world().destination.host}/${synced}:1`)).toBeUndefined();
  expect(await processesWith(it.folder)).toEqual([]);
});
