/** Drift: what somebody did to the registry behind our back is found, and only that is run again. */
import { expect, test } from 'vitest';
import { crane, freshPath, push, world } from '../world.ts';
import { project } from './project.ts';
import { digestOf, image, source, verifies } from './shorthand.ts';

interface Answer {
  readonly drift: readonly { readonly destination: string; readonly missing: readonly string[] }[];
  readonly entries: readonly { readonly id: string }[];
}

test('a moved tag, a lost attachment of a platform, a removed tag: found, and mended by a run of only that', async () => {
  const { host } = world().destination;
  const names = ['moved', 'lost', 'gone', 'fine'];
  const paths = Object.fromEntries(names.map((name) => [name, freshPath(name)]));
  const sources = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await source(name)] as const)));
  const made = await project({
    sync: names.map((name) => ({
      source: `hub.slipway.example/${sources[name]?.path}:1`,
      destination: `${host}/${paths[name]}:1`,
    })),
  });
  expect((await made.run('run')).code).toBe(0);
  const before = await made.run('plan', '--against', 'registry');
  expect((JSON.parse(before.stdout) as Answer).drift).toEqual([]);
  expect((await made.run('run', '--against', 'registry')).answer.entries).toEqual([]);

  await push(image('somebody else'), `${host}/${paths['moved']}:1`);
  await crane('delete', `${host}/${paths['gone']}:1`);
  const index = JSON.parse((await crane('manifest', `${host}/${paths['lost']}:1`)).stdout) as {
    readonly manifests: readonly { readonly digest: string }[];
  };
  const child = index.manifests[0]?.digest ?? '';
  // Without the referrers API this tag is the list of what is attached.
  await crane('delete', `${host}/${paths['lost']}:${child.replace(':', '-')}`);
  expect((await made.run('run')).row(`${paths['lost']}:1`).outcome, 'a plain run looks at the index alone').toBe(
    'unchanged',
  );
  await push(image('somebody else'), `${host}/${paths['moved']}:1`);
  await crane('delete', `${host}/${paths['gone']}:1`);

  const found = JSON.parse((await made.run('plan', '--against', 'registry')).stdout) as Answer;
  expect(Object.fromEntries(found.drift.map(({ destination, missing }) => [destination, missing.length > 0]))).toEqual({
    [`${host}/${paths['moved']}:1`]: true,
    [`${host}/${paths['lost']}:1`]: true,
    [`${host}/${paths['gone']}:1`]: true,
  });
  expect(found.entries.map(({ id }) => id).some((id) => id.includes(paths['fine'] ?? '?'))).toBe(false);

  const mended = await made.run('run', '--against', 'registry');
  expect(mended.code, mended.stdout).toBe(0);
  expect(mended.answer.entries).toHaveLength(3);
  expect((await made.run('verify', '--deep')).code).toBe(0);
  for (const name of names) {
    expect(await digestOf(`${host}/${paths[name]}:1`)).toBe(sources[name]?.digest);
    expect(await verifies(`${host}/${paths[name]}:1`, world().keys.production.publicKey)).toBe(true);
  }
});

test('a tag that names another image of ours is not taken for its own', async () => {
  const { host } = world().destination;
  const [mine, other] = [await source('mine'), await source('other')];
  const to = freshPath('swapped');
  const made = await project({
    sync: [
      { source: `hub.slipway.example/${mine.path}:1`, destination: `${host}/${to}:mine` },
      { source: `hub.slipway.example/${other.path}:1`, destination: `${host}/${to}:other` },
      { source: `${host}/${to}:mine`, destination: `${host}/${to}:stable` },
    ],
  });
  expect((await made.run('run')).code).toBe(0);
  expect((await made.run('verify', '--deep')).code).toBe(0);
  // It is signed, scanned and attested, and only never was meant for this tag.
  expect((await crane('tag', `${host}/${to}@${other.digest}`, 'mine')).code).toBe(0);
  const verified = await made.run('verify');
  expect(verified.code).toBe(1);
  expect(verified.answer.entries.find(({ destination }) => destination.endsWith(':mine'))?.missing).toEqual([
    'copy for this tag',
  ]);
  const retag = await made.run('run', '--exclude', '*:mine', '--only', '*:stable');
  expect(retag.code).not.toBe(0);
  expect(await digestOf(`${host}/${to}:stable`)).toBe(mine.digest);
  expect((await made.run('run')).code).toBe(0);
  expect(await digestOf(`${host}/${to}:mine`)).toBe(mine.digest);
});

test('a tag that is new in the config is named by what is attached, also where nothing is built again', async () => {
  const { host } = world().destination;
  const from = await source('renamed');
  const to = freshPath('renamed');
  const entry = { source: `hub.slipway.example/${from.path}:1`, destination: `${host}/${to}:1` };
  const made = await project({ sync: [entry] });
  expect((await made.run('run')).code).toBe(0);
  expect((await crane('tag', `${host}/${to}:1`, 'also')).code).toBe(0);
  await made.change({ sync: [{ ...entry, tags: ['also'] }] });
  expect((await made.run('verify')).code).toBe(1);
  const named = await made.run('run');
  expect(named.row(`${to}:also`), named.stdout).toMatchObject({
    outcome: 'unchanged',
    why: 'missing: copy for this tag also',
  });
  expect((await made.run('verify')).code).toBe(0);
  expect((await made.run('run')).answer.tools).toEqual([]);
});
