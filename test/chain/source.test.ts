/** Sources that lie, break off or want a login, and destinations that want one. */
import { describe, expect, test } from 'vitest';
import { freshPath, push, world } from '../world.ts';
import { project } from './project.ts';
import { digestOf, image, source } from './shorthand.ts';
import { watch, type Seen } from './watching-proxy.ts';

const flip = (body: Buffer): Buffer => {
  const altered = Buffer.from(body);
  altered[body.length >> 1] = (altered[body.length >> 1] ?? 0) ^ 1;
  return altered;
};
const isBlob = ({ method, path }: Seen): boolean => method === 'GET' && path.includes('/blobs/');
const isManifest = ({ method, path }: Seen): boolean => method === 'GET' && path.includes('/manifests/sha256:');

describe('wrong bytes from a source are an error, and nothing half is under the tag', () => {
  test.each([
    { what: 'a blob that was altered', alter: (seen: Seen) => (isBlob(seen) ? { alter: flip } : undefined) },
    { what: 'a manifest that was altered', alter: (seen: Seen) => (isManifest(seen) ? { alter: flip } : undefined) },
    {
      what: 'a blob that breaks off',
      alter: (seen: Seen) =>
        isBlob(seen) ? { alter: (body: Buffer) => body.subarray(0, body.length >> 1) } : undefined,
    },
    {
      what: 'an index that another image answers for',
      alter: (seen: Seen) => (isManifest(seen) ? { alter: () => Buffer.from('{"schemaVersion":2}') } : undefined),
    },
  ])('$what', async ({ alter }) => {
    const proxy = await watch(world().source.host);
    const [path, from] = [freshPath('wrong'), await source('wrong')];
    const destination = `${world().destination.host}/${path}`;
    const old = await push(image('old'), `${destination}:1`);
    const { run } = await project({
      sync: [{ source: `${proxy.host}/${from.path}:1`, destination: `${destination}:1` }],
      settings: { limits: { tries: 1 } },
    });
    proxy.intercept(alter);
    const ran = await run('run');
    expect(ran.code, ran.stdout).toBe(1);
    const row = ran.row(`${path}:1`);
    expect(row).toMatchObject({ outcome: 'failed', before: old });
    // Said of the source, whoever noticed: the core, or the tool that copies.
    expect(row.failure).toMatchObject({ reason: 'registry', side: 'source' });
    expect(row.failure?.hint).toBeTruthy();
    expect(await digestOf(`${destination}:1`)).toBe(old);
    expect(await digestOf(`${destination}@${from.digest}`)).toBeUndefined();

    proxy.intercept(undefined);
    const mended = await run('run');
    expect(mended.row(`${path}:1`), mended.stdout).toMatchObject({ outcome: 'published', digest: from.digest });
  });

  test('a failure that passes by itself is tried again within the run', async () => {
    const proxy = await watch(world().source.host);
    const [path, from] = [freshPath('flaky'), await source('flaky')];
    const { run } = await project({
      sync: [{ source: `${proxy.host}/${from.path}:1`, destination: `${world().destination.host}/${path}:1` }],
    });
    let broken = 0;
    proxy.intercept((seen) =>
      isBlob(seen) && (broken += 1) <= 2 ? { alter: (body) => body.subarray(0, 10) } : undefined,
    );
    const ran = await run('run');
    expect(ran.row(`${path}:1`), ran.stdout).toMatchObject({ outcome: 'published', digest: from.digest });
    expect(broken).toBeGreaterThan(2);
  });
});

describe('a registry that wants a login', () => {
  const challenges = [
    { scheme: 'Basic', challenge: () => 'Basic realm="registry"' },
    { scheme: 'Bearer', challenge: (host: string) => `Bearer realm="http://${host}/token",service="registry"` },
  ];
  const sides = ['source', 'destination'] as const;

  test.each(sides.flatMap((side) => challenges.map((each) => ({ side, ...each }))))(
    '$side with $scheme: exit 1, its name, and how to log in',
    async ({ side, challenge }) => {
      const proxy = await watch(world()[side].host);
      const from = await source('login');
      const path = freshPath('login');
      const hosts = { source: world().source.host, destination: world().destination.host, [side]: proxy.host };
      const { run } = await project({
        sync: [{ source: `${hosts.source}/${from.path}:1`, destination: `${hosts.destination}/${path}:1` }],
      });
      proxy.intercept(() => ({
        status: 401,
        headers: { 'www-authenticate': challenge(proxy.host) },
        body: '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}',
      }));
      const ran = await run('run');
      expect(ran.code).toBe(1);
      const { failure } = ran.row(`${path}:1`);
      expect(failure).toMatchObject({ reason: 'registry', class: 'permanent', side });
      expect(failure?.message).toContain(proxy.host);
      expect(failure?.hint).toMatch(/log ?in/);
      expect(ran.answer.tools).toEqual([]);
      // No more than a few requests: nothing is tried again that cannot succeed.
      expect(proxy.requests.length).toBeLessThan(6);
    },
  );
});
