/** No public tag before trust: watched at the registry, and with every step of the chain failing in turn. */
import { describe, expect, test } from 'vitest';
import { crane, freshPath, push, world } from '../world.ts';
import { HELLO, project, type Project } from './project.ts';
import { digestOf, image, source, verifies } from './shorthand.ts';
import { watch, type Seen, type WatchingProxy } from './watching-proxy.ts';

const isManifestPut = ({ method, path }: Seen): boolean => method === 'PUT' && path.includes('/manifests/');

/** What the manifests' PUTs of one repository named, in order: tags and digests. */
function putNames(proxy: WatchingProxy, path: string): readonly string[] {
  const prefix = `/v2/${path}/manifests/`;
  return proxy.requests
    .filter((seen) => isManifestPut(seen) && seen.path.startsWith(prefix))
    .map((seen) => seen.path.slice(prefix.length));
}

test('the tag comes last, after image, referrers and their list, for sync and build', async () => {
  const proxy = await watch(world().destination.host);
  const [synced, built] = [freshPath('synced'), freshPath('built')];
  const from = await source('order');
  const { run } = await project({
    sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: `${proxy.host}/${synced}:1` }],
    build: [{ source: `./${HELLO}`, destination: `${proxy.host}/${built}:latest`, tags: ['{date}'] }],
  });
  const ran = await run('run');
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
  expect(ran.answer.entries.map(({ outcome, signed }) => [outcome, signed])).toEqual([
    ['published', true],
    ['published', true],
    ['published', true],
  ]);
  for (const [path, tag] of [
    [synced, '1'],
    [built, 'latest'],
  ] as const) {
    const names = putNames(proxy, path);
    const digest = await digestOf(`${world().destination.host}/${path}:${tag}`);
    expect(names.at(-1), `${names.join('\n')}`).toBe(tag);
    expect(names).toContain(digest);
    // This registry has no referrers API: the list is a tag too, and one for each platform and one for the index.
    expect(names.filter((name) => name.startsWith('sha256-')).length).toBeGreaterThanOrEqual(3);
    expect(names.filter((name) => name === tag)).toHaveLength(1);
    expect(await verifies(`${world().destination.host}/${path}@${digest}`, world().keys.production.publicKey)).toBe(
      true,
    );
  }
  // The entry's own tag is the last of its tags too.
  const tags = putNames(proxy, built).filter((name) => !name.startsWith('sha256'));
  expect(tags).toHaveLength(2);
  expect(tags[0]).toMatch(/^\d{4}-\d{2}-\d{2}$/);
});

describe('a step that fails leaves the old tag', () => {
  /** The environment that the broken run gets. */
  type Broken = Readonly<Record<string, string>> | void;

  interface Case {
    readonly what: string;
    /** Breaks the world for this project. */
    readonly break: (project: Project, proxy: WatchingProxy) => Broken | Promise<Broken>;
    readonly mend: (project: Project, proxy: WatchingProxy) => Promise<void> | void;
    readonly says: RegExp;
    readonly hint: RegExp;
    readonly reason: string;
  }
  const mendProxy = (_: Project, proxy: WatchingProxy): void => proxy.intercept(undefined);
  const worldSettings = ({ change }: Project): Promise<void> => change({ settings: LIMITS });
  const LIMITS = { limits: { tries: 1 } };

  test.each<Case>([
    {
      what: 'a scan without its database',
      break: ({ change }) =>
        change({
          settings: {
            ...LIMITS,
            plugins: [
              { name: 'scan-trivy', options: { databaseRepository: `${world().source.host}/test/no-such-database` } },
            ],
          },
        }),
      mend: worldSettings,
      says: /trivy/,
      hint: /database/i,
      reason: 'tool',
    },
    {
      what: 'a signature with the wrong password',
      break: () => ({ COSIGN_PASSWORD: 'wrong' }),
      mend: () => undefined,
      says: /private key .* could not be opened/,
      hint: /COSIGN_PASSWORD|password/,
      reason: 'tool',
    },
    {
      what: 'a push that the registry breaks off',
      break: (_, proxy) =>
        proxy.intercept(({ method, path }) =>
          method === 'PUT' && path.includes('/blobs/uploads/') ? { status: 500 } : undefined,
        ),
      mend: mendProxy,
      says: /127\.0\.0\.1/,
      hint: /./,
      reason: 'destination',
    },
    {
      what: 'a push that the registry forbids',
      break: (_, proxy) =>
        proxy.intercept(({ method, path }) =>
          method === 'POST' && path.includes('/blobs/uploads/')
            ? { status: 403, body: '{"errors":[{"code":"DENIED","message":"no"}]}' }
            : undefined,
        ),
      mend: mendProxy,
      says: /127\.0\.0\.1/,
      hint: /log ?in|permission|right|access/i,
      reason: 'destination',
    },
    {
      what: 'attachments that cannot be pushed',
      break: (_, proxy) =>
        proxy.intercept(({ method, path }) =>
          method === 'PUT' && path.includes('/manifests/sha256-') ? { status: 500 } : undefined,
        ),
      mend: mendProxy,
      says: /127\.0\.0\.1/,
      hint: /./,
      reason: 'destination',
    },
    {
      what: 'a registry that does not show what was attached',
      break: (_, proxy) =>
        // Lists that were written are there for the writer, and gone for the verification that reads them again.
        proxy.intercept(hideAfterPut()),
      mend: mendProxy,
      says: /does not show what was attached|other writers|referrers/,
      hint: /./,
      reason: 'destination',
    },
  ])('$what', async ({ break: breakIt, mend, says, hint, reason }) => {
    const proxy = await watch(world().destination.host);
    const [path, from] = [freshPath('failing'), await source('failing')];
    const tag = `${path}:1`;
    const old = await push(image('old'), `${world().destination.host}/${tag}`);
    const one = await project({
      sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: `${proxy.host}/${tag}` }],
      settings: LIMITS,
    });
    const env = (await breakIt(one, proxy)) ?? {};
    const failed = await one.runWith({ env }, 'run');
    expect(failed.code, failed.stdout + failed.stderr).toBe(1);
    const row = failed.row(tag);
    expect(row).toMatchObject({ outcome: 'failed', before: old, signed: false });
    expect(row.failure?.message).toMatch(says);
    expect(row.failure?.hint ?? '').toMatch(hint);
    expect(row.failure?.reason === 'registry' ? row.failure.side : row.failure?.reason).toBe(reason);
    expect(failed.stdout + failed.stderr).not.toMatch(/\n\s+at .*\(|node:internal/);
    expect(await digestOf(`${world().destination.host}/${tag}`)).toBe(old);

    await mend(one, proxy);
    const mended = await one.run('run');
    expect(mended.code, mended.stdout).toBe(0);
    expect(mended.row(tag)).toMatchObject({ outcome: 'published', digest: from.digest, before: old, signed: true });
    expect(await digestOf(`${world().destination.host}/${tag}`)).toBe(from.digest);
    expect(await verifies(`${world().destination.host}/${tag}`, world().keys.production.publicKey)).toBe(true);
  });
});

/** Right after each write of a referrers' list one read shows it, and every later one does not. */
function hideAfterPut(): (seen: Seen) => { readonly status: number; readonly body: string } | undefined {
  const reads = new Map<string, number>();
  return ({ method, path }) => {
    if (!path.includes('/manifests/sha256-')) return undefined;
    if (method === 'PUT') reads.set(path, 0);
    const before = reads.get(path);
    if (method !== 'GET' || before === undefined) return undefined;
    reads.set(path, before + 1);
    return before === 0 ? undefined : { status: 404, body: '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}' };
  };
}

test('a tag that somebody else moves before ours is reported and left', async () => {
  const { destination } = world();
  const proxy = await watch(destination.host);
  const [path, from] = [freshPath('moved'), await source('moved')];
  const old = await push(image('old'), `${destination.host}/${path}:1`);
  const theirs = await push(image('theirs'), `${destination.host}/${path}:theirs`);
  const { run } = await project({
    sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: `${proxy.host}/${path}:1` }],
  });
  let moved = false;
  proxy.intercept(async ({ method, path: asked }) => {
    // The first list of referrers is written long after the probe and before the tag.
    if (method !== 'PUT' || !asked.includes('/manifests/sha256-') || moved) return;
    moved = true;
    await crane('tag', `${destination.host}/${path}:theirs`, '1');
  });
  const ran = await run('run');
  expect(ran.code).toBe(1);
  expect(ran.row(`${path}:1`)).toMatchObject({ outcome: 'failed', before: old, failure: { reason: 'trust' } });
  expect(ran.row(`${path}:1`).failure?.message).toContain('somebody else moved');
  expect(await digestOf(`${destination.host}/${path}:1`)).toBe(theirs);
});

test('a tag that somebody else moves inside our own move is reported', async () => {
  const { destination } = world();
  const proxy = await watch(destination.host);
  const [path, from] = [freshPath('raced'), await source('raced')];
  await push(image('theirs'), `${destination.host}/${path}:theirs`);
  const { run } = await project({
    sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: `${proxy.host}/${path}:1` }],
  });
  let put = false;
  proxy.intercept(async ({ method, path: asked }) => {
    if (asked !== `/v2/${path}/manifests/1`) return;
    if (method === 'PUT') put = true;
    else if (put) await crane('tag', `${destination.host}/${path}:theirs`, '1');
  });
  const ran = await run('run');
  expect(ran.code).toBe(1);
  expect(ran.row(`${path}:1`).failure?.message).toContain('somebody else moved');
});
