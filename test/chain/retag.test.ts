/** Syncs whose source is the destination of another entry, and the back door that they must not be. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { crane, freshPath, push, world } from '../world.ts';
import { HELLO, project, type Ran } from './project.ts';
import { digestOf, image, leakyImage, source, verifies } from './shorthand.ts';
import { watch } from './watching-proxy.ts';

const started = ({ answer }: Ran, tool: string): number => answer.tools.find(({ name }) => name === tool)?.started ?? 0;
const LEAKY = `contents:
  keyring: [http://apk.slipway.example/keys/slipway.rsa.pub]
  repositories: [http://apk.slipway.example/v3.20/main]
  packages: [slipway-release, busybox, leaky]
archs: [x86_64, aarch64]
`;

test('same repository: only the tag moves; another repository: mounted, with the very same bundles', async () => {
  const proxy = await watch(world().destination.host);
  const [from, other] = [freshPath('retag'), freshPath('retag')];
  const host = proxy.host;
  const one = await project({
    build: [{ source: `./${HELLO}`, destination: `${host}/${from}:latest` }],
    sync: [
      { source: `${host}/${from}:latest`, destination: `${host}/${from}:stable` },
      { source: `${host}/${from}:latest`, destination: `${host}/${other}:latest` },
    ],
  });
  const ran = await one.run('run');
  expect(ran.code, ran.stdout).toBe(0);
  const digest = ran.row(`${from}:latest`).digest;
  expect(ran.answer.entries.map((row) => [row.outcome, row.digest, row.signed])).toEqual(
    ran.answer.entries.map(() => ['published', digest, true]),
  );
  // Two platforms and the index were scanned and signed once, for three tags: SBOM and scan each, signature, provenance. The key was tried.
  expect(started(ran, 'cosign')).toBe(9);
  const uploads = proxy.requests.filter(
    ({ method, path }) => method === 'PUT' && path.startsWith(`/v2/${other}/blobs/uploads/`),
  );
  const mounts = proxy.requests.filter(
    ({ method, path }) =>
      method === 'POST' && path.startsWith(`/v2/${other}/blobs/uploads/?`) && path.includes('mount='),
  );
  expect(mounts.length).toBeGreaterThan(0);
  const bundles = async (path: string): Promise<string> =>
    (await crane('manifest', `${world().destination.host}/${path}:${(digest ?? '').replace(':', '-')}`)).stdout;
  const digests = (list: string): readonly string[] =>
    (JSON.parse(list) as { manifests: { digest: string }[] }).manifests.map((each) => each.digest).toSorted();
  expect(digests(await bundles(other))).toEqual(digests(await bundles(from)));
  // Bundles are sent, layers are not: they are far larger than any bundle.
  expect(uploads.every(({ headers }) => Number(headers['content-length'] ?? 0) < 200_000)).toBe(true);
  expect((await one.run('verify', '--deep')).code).toBe(0);
  for (const path of [`${from}:stable`, `${other}:latest`]) {
    expect(await verifies(`${world().destination.host}/${path}`, world().keys.production.publicKey)).toBe(true);
  }
});

test('the source is refused: the retag is skipped with the reason, and its tag stays', async () => {
  const { host } = world().destination;
  const path = freshPath('refused');
  const old = await push(image('old'), `${host}/${path}:stable`);
  const { run } = await project({
    build: [{ source: './images/leaky/apko.yaml', destination: `${host}/${path}:latest` }],
    sync: [{ source: `${host}/${path}:latest`, destination: `${host}/${path}:stable` }],
    files: { 'images/leaky/apko.yaml': LEAKY },
  });
  const ran = await run('run');
  expect(ran.code, ran.stdout).toBe(3);
  expect(ran.row(`${path}:latest`)).toMatchObject({ outcome: 'refused', failure: { reason: 'policy' } });
  expect(ran.row(`${path}:stable`)).toMatchObject({ outcome: 'skipped' });
  expect(ran.row(`${path}:stable`).why).toMatch(/was refused/);
  expect(await digestOf(`${host}/${path}:latest`)).toBeUndefined();
  expect(await digestOf(`${host}/${path}:stable`)).toBe(old);
});

describe('by digest, in a repository that a build publishes to', () => {
  test('a digest pushed by hand has no scan and no provenance: it does not come in by the back door', async () => {
    const { host } = world().destination;
    const path = freshPath('door');
    const pushed = await push(image('hand'), `${host}/${path}:hand`);
    const { run } = await project({
      build: [{ source: `./${HELLO}`, destination: `${host}/${path}:latest` }],
      sync: [{ source: `${host}/${path}@${pushed}`, destination: `${host}/${path}:stable` }],
    });
    const ran = await run('run');
    expect(ran.code, ran.stdout).toBe(1);
    expect(ran.row(`${path}:latest`)).toMatchObject({ outcome: 'published' });
    expect(ran.row(`${path}:stable`)).toMatchObject({ outcome: 'failed', signed: false });
    expect(ran.row(`${path}:stable`).failure?.message).toContain('no scan');
    expect(await digestOf(`${host}/${path}:stable`)).toBeUndefined();
  });

  test('a digest that the gate refused stays out, also under another repository', async () => {
    const { host } = world().destination;
    const [path, other] = [freshPath('door'), freshPath('door')];
    const refused = await push(leakyImage('door'), `${host}/${path}:hand`);
    const { run } = await project({
      build: [{ source: `./${HELLO}`, destination: `${host}/${path}:latest` }],
      sync: [{ source: `${host}/${path}@${refused}`, destination: `${host}/${other}:1` }],
    });
    const ran = await run('run');
    expect(ran.code, ran.stdout).not.toBe(0);
    expect(ran.row(`${other}:1`).outcome).toMatch(/failed|refused/);
    expect(await digestOf(`${host}/${other}:1`)).toBeUndefined();
  });

  test('a digest that came through the chain is tagged without a tool', async () => {
    const { host } = world().destination;
    const path = freshPath('pinned');
    const build = [{ source: `./${HELLO}`, destination: `${host}/${path}:latest` }];
    const one = await project({ build });
    const digest = (await one.run('run')).row(`${path}:latest`).digest;
    await one.change({ build, sync: [{ source: `${host}/${path}@${digest}`, destination: `${host}/${path}:1.0` }] });
    const ran = await one.run('run');
    expect(ran.code, ran.stdout).toBe(0);
    expect(ran.row(`${path}:1.0`)).toMatchObject({ outcome: 'published', digest, signed: true });
    expect(ran.answer.tools).toEqual([]);
  });

  test('a digest that came through the chain may have to be signed by somebody besides', async () => {
    const { host } = world().destination;
    const path = freshPath('asked');
    const build = [{ source: `./${HELLO}`, destination: `${host}/${path}:latest` }];
    const one = await project({ build });
    const digest = (await one.run('run')).row(`${path}:latest`).digest;
    const { keys } = world();
    const asked = (key: string): Readonly<Record<string, unknown>> => ({
      source: `${host}/${path}:latest@${digest}`,
      destination: `${host}/${path}:${key}`,
      verify: { key: `./${key}.pub` },
    });
    await one.change({
      build,
      sync: [asked('production'), asked('foreign')],
      files: {
        'production.pub': await readFile(keys.production.publicKey, 'utf8'),
        'foreign.pub': await readFile(keys.foreign.publicKey, 'utf8'),
      },
    });
    const ran = await one.run('run');
    expect(ran.code, ran.stdout).toBe(1);
    expect(ran.row(`${path}:production`)).toMatchObject({ outcome: 'published', digest, signed: true });
    expect(ran.row(`${path}:foreign`).failure?.message).toContain('is not signed by');
    expect(await digestOf(`${host}/${path}:foreign`)).toBeUndefined();
    const again = await one.run('run', '--exclude', '*:foreign');
    expect(again.row(`${path}:production`).outcome).toBe('unchanged');
    expect(again.answer.tools).toEqual([]);
  });
});

test('a retag that is left out is taken as it stands, and needs what the image that it tags again needs', async () => {
  const { host } = world().destination;
  const path = freshPath('left-out');
  const one = await project({
    build: [{ source: `./${HELLO}`, destination: `${host}/${path}:a` }],
    sync: [
      { source: `${host}/${path}:a`, destination: `${host}/${path}:b` },
      { source: `${host}/${path}:b`, destination: `${host}/${path}:c` },
    ],
  });
  expect((await one.run('run')).code).toBe(0);
  const alone = await one.run('run', '--only', '*:c', '--exclude', '*:b');
  expect(alone.code, alone.stdout).toBe(0);
  expect(alone.row(`${path}:c`)).toMatchObject({ outcome: 'unchanged' });
});

test('a retag of a synced image needs what a synced image needs', async () => {
  const { host } = world().destination;
  const [path, other, from] = [freshPath('synced'), freshPath('synced'), await source('synced')];
  const one = await project({
    sync: [
      { source: `hub.slipway.example/${from.path}:1`, destination: `${host}/${path}:1` },
      { source: `${host}/${path}:1`, destination: `${host}/${other}:1` },
    ],
  });
  const ran = await one.run('run');
  expect(ran.code, ran.stdout).toBe(0);
  expect(ran.row(`${other}:1`)).toMatchObject({ outcome: 'published', digest: from.digest, signed: true });
  expect((await one.run('verify', '--deep')).code).toBe(0);
  expect((await one.run('run')).answer.tools).toEqual([]);
});
