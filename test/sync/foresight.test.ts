/** What is said before a sync is what it does: `diff` foretells it on real registries, and a lock holds it to what was reviewed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { project, type Project } from '../chain/project.ts';
import { digestOf, image, source } from '../chain/shorthand.ts';
import { watch, type WatchingProxy } from '../chain/watching-proxy.ts';
import { cosign, crane, freshPath, push, world } from '../world.ts';

const MIRROR = { trust: [{ match: '*', level: 'copy' }] };

interface Foretold {
  readonly entries: readonly { readonly kind: string; readonly from?: string; readonly to?: string }[];
  readonly cost: { readonly requests: number; readonly bytes: number };
  readonly hosts: Readonly<Record<string, number>>;
}

async function diff(one: Project, ...args: readonly string[]): Promise<Foretold> {
  const { code, stdout, stderr } = await one.run('diff', ...args);
  expect(code, stdout + stderr).toBe(0);
  return JSON.parse(stdout) as Foretold;
}

/** Runs a sync, and says how many requests came to each proxy and how many bytes of blobs the second one was sent. */
async function sync(one: Project, proxies: readonly [WatchingProxy, WatchingProxy]) {
  for (const proxy of proxies) proxy.forget();
  const ran = await one.run('sync');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  const sent = proxies[1].requests
    .filter(({ method, path }) => (method === 'PUT' || method === 'PATCH') && path.includes('/blobs/uploads/'))
    .reduce((sum, { headers }) => sum + Number(headers['content-length'] ?? 0), 0);
  return { hosts: Object.fromEntries(proxies.map(({ host, requests }) => [host, requests.length])), bytes: sent };
}

describe.each([
  ['the CNCF registry', () => world().destination.host, true],
  // It opens uploads for blobs that it has: what is sent to it once more comes on top of what is foretold.
  ['a registry with referrers API', () => world().referrers?.host ?? '', false],
])('diff and then sync to %s', (_, host, mounts) => {
  test('requests and bytes are those that were foretold: at first, when something moved, and when nothing did', async () => {
    const proxies = [await watch(world().source.host), await watch(host())] as const;
    const [one, two] = [await source('foretold'), await source('foretold-too')];
    const path = freshPath('foretold');
    const entry = (from: string, to: string, more = {}) => ({
      source: `${proxies[0].host}/${from}`,
      destination: `${proxies[1].host}/${path}/${to}`,
      ...more,
    });
    const mirror = await project({
      sync: [
        entry(`${one.path}:1`, 'one:1', { tags: ['latest'] }),
        ...(mounts ? [entry(`${one.path}:1`, 'again/one:1')] : []),
        entry(two.path, mounts ? 'two:{tag}' : 'one:two-{tag}', {
          select: { regex: '[0-9]+' },
          platforms: ['linux/arm64'],
        }),
      ],
      settings: { ...MIRROR, limits: { rampUp: false } },
    });
    for (const state of ['new', 'moved', 'same']) {
      if (state === 'moved') await push(image('foretold-moved'), `${world().source.host}/${one.path}:1`);
      for (const proxy of proxies) proxy.forget();
      const told = await diff(mirror);
      expect(told.entries[0]?.kind).toBe(state);
      // Nothing was changed by saying so.
      const methods = new Set(proxies.flatMap(({ requests }) => requests.map(({ method }) => method)));
      expect([...methods].filter((method) => method !== 'GET' && method !== 'HEAD')).toEqual([]);
      const done = await sync(mirror, proxies);
      if (mounts || state === 'same') expect({ hosts: told.hosts, bytes: told.cost.bytes }, state).toEqual(done);
      else {
        expect(told.cost.bytes).toBeLessThanOrEqual(done.bytes);
        for (const [to, count] of Object.entries(done.hosts)) expect(told.hosts[to]).toBeLessThanOrEqual(count);
      }
    }
  });
});

test('a lock names who signed a source, and a frozen sync takes what was reviewed, without a look at the tag', async () => {
  const proxy = await watch(world().source.host);
  const from = await source('frozen');
  const origin = `${world().source.host}/${from.path}`;
  const { keys, destination } = world();
  const flow = ['--signing-config', keys.signingConfig, '--trusted-root', keys.trustedRoot];
  const signed = await cosign(['sign', '--yes', '--key', keys.foreign.key, ...flow, `${origin}@${from.digest}`]);
  expect(signed.code, signed.stderr).toBe(0);
  const target = `${destination.host}/${freshPath('frozen')}:1`;
  const mirror = await project({
    sync: [{ source: `${proxy.host}/${from.path}:1`, destination: target, verify: { key: './upstream.pub' } }],
    settings: MIRROR,
    files: { 'upstream.pub': await readFile(keys.foreign.publicKey, 'utf8') },
  });
  const missing = await mirror.run('sync', '--frozen');
  expect(missing.code).toBe(2);
  const updated = await mirror.run('update');
  expect(updated.code, updated.stdout + updated.stderr).toBe(0);
  const lock = await readFile(join(mirror.folder, 'slipway.lock.yaml'), 'utf8');
  expect(lock).toContain(`digest: ${from.digest}\n    platforms: [linux/amd64, linux/arm64]\n    verified: `);

  // The tag moves to what nobody signed: an update refuses it, and a frozen sync does not see it.
  const moved = await push(image('frozen-moved'), `${origin}:1`);
  const refused = await mirror.run('update');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('is not signed by');
  expect(await readFile(join(mirror.folder, 'slipway.lock.yaml'), 'utf8')).toBe(lock);
  proxy.forget();
  const ran = await mirror.run('sync', '--frozen');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(proxy.requests.filter(({ path }) => path.endsWith('/manifests/1'))).toEqual([]);
  expect(await digestOf(target)).toBe(from.digest);
  expect(await digestOf(`${origin}:1`)).toBe(moved);
  expect((await crane('validate', '--remote', target)).code).toBe(0);
});
