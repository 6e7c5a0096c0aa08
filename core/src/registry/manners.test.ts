import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { formatRepository } from '../reference.ts';
import { seedImage } from '../testing/sample-images.ts';
import { startScriptedRegistry, type Action, type ScriptedRequest } from '../testing/scripted-registry.ts';
import { client, failureOf, lines, must, reference, repository } from './test-client.ts';

const answer = (status: number, headers: Readonly<Record<string, string>> = {}, message = ''): Action => ({
  kind: 'answer',
  status,
  headers,
  body: message === '' ? '' : JSON.stringify({ errors: [{ code: 'TOOMANYREQUESTS', message }] }),
});

/** What Docker Hub says to whoever has pulled too much, and to whoever asks too much. */
const PULL_LIMIT =
  'You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit';
const ABUSE_LIMIT = '<html><body>429 Too Many Requests</body></html>';

describe('a limit of pulls', () => {
  const limited =
    (remaining: () => number) =>
    ({ method }: ScriptedRequest): Action | undefined =>
      method === 'HEAD'
        ? {
            kind: 'answer',
            status: 200,
            headers: {
              'content-type': 'application/vnd.oci.image.manifest.v1+json',
              'content-length': '2',
              'docker-content-digest': `sha256:${'a'.repeat(64)}`,
              'ratelimit-limit': '100;w=21600',
              'ratelimit-remaining': `${remaining()};w=21600`,
            },
          }
        : undefined;

  test('trap 28: that is reached ends the pulls for this run, says until when, and leaves HEAD alone', async () => {
    await using server = await startScriptedRegistry({
      onRequest: (request) =>
        limited(() => 0)(request) ?? answer(429, { 'ratelimit-limit': '100;w=21600' }, PULL_LIMIT),
    });
    await using registry = client();
    const refused = failureOf(await registry.manifest(reference(`${server.host}/a:1`), 'source'));
    expect(refused).toMatchObject({ class: 'permanent', status: 429, side: 'source' });
    expect(refused.message).toMatch(/the limit of .*pulls.* is used up/);
    expect(refused.message).toMatch(/comes back at \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
    expect(refused.hint).toContain('docker login');
    expect(lines(server)).toEqual(['GET /v2/a/manifests/1']);
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    failureOf(await registry.manifest(reference(`${server.host}/b:1`), 'source'));
    expect(lines(server)).toEqual(['GET /v2/a/manifests/1', 'HEAD /v2/a/manifests/1']);
  });

  /** Counts pulls as they come, and says what is left as it answers; `held`: before the answer to so many. */
  function counting(limit: number, held: (pulls: number) => Promise<unknown> = async () => {}) {
    let pulls = 0;
    return async ({ method }: ScriptedRequest): Promise<Action> => {
      if (method === 'GET') await held((pulls += 1));
      const remaining = `${Math.max(0, limit - pulls)};w=21600`;
      return { kind: 'with', headers: { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': remaining } };
    };
  }

  test('is kept under as soon as it is announced, and can be looked up', async () => {
    await using server = await startScriptedRegistry({ onRequest: counting(2) });
    await using registry = client({ perHost: 4 });
    const names = ['a', 'b', 'c', 'd'];
    for (const path of names) seedImage(server, path, path, { tag: '1' });
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    expect(registry.quota(repository(server.host, 'a'))).toMatchObject({ limit: 100, remaining: 2, window: 21_600 });
    const pulls = await Promise.all(
      names.map((path) => registry.manifest(reference(`${server.host}/${path}:1`), 'source')),
    );
    expect(pulls.filter(({ ok }) => ok)).toHaveLength(2);
    expect(lines(server).filter((line) => line.startsWith('GET'))).toHaveLength(2);
  });

  test('is used to its last pull, also when it is told while others are under way', async () => {
    const second = Promise.withResolvers<void>();
    // The first is answered when the second has been counted, and the second later.
    const held = (pulls: number) => (pulls === 1 ? second.promise : (second.resolve(), sleep(20)));
    await using server = await startScriptedRegistry({ onRequest: counting(3, held) });
    await using registry = client({ perHost: 2 });
    const names = ['a', 'b', 'c'];
    for (const path of names) seedImage(server, path, path, { tag: '1' });
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    const pulls = await Promise.all(
      names.map((path) => registry.manifest(reference(`${server.host}/${path}:1`), 'source')),
    );
    expect(pulls.map(({ ok }) => ok)).toEqual([true, true, true]);
  });

  test('is the registry’s to judge where the answers to others do not come', async () => {
    const third = Promise.withResolvers<void>();
    let pulls = 0;
    await using server = await startScriptedRegistry({
      onRequest: async (request) => {
        if (request.method === 'HEAD') return limited(() => 2)(request);
        if ((pulls += 1) === 3) third.resolve();
        await third.promise;
        return undefined;
      },
    });
    const waits: number[] = [];
    let now = 0;
    const sleep = async (milliseconds: number) => {
      waits.push(milliseconds);
      now += milliseconds;
    };
    await using registry = client({ perHost: 3, clock: { now: () => now, random: () => 0.5, sleep } });
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    const paths = ['a', 'b', 'c'];
    await Promise.all(paths.map((path) => registry.manifest(reference(`${server.host}/${path}:1`), 'source')));
    expect([pulls, waits]).toEqual([3, [10_000]]);
  });

  test('some of it can be left to others', async () => {
    await using server = await startScriptedRegistry({ onRequest: limited(() => 20) });
    await using registry = client({ reserve: () => 20 });
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    const failure = failureOf(await registry.manifest(reference(`${server.host}/a:1`), 'source'));
    expect(failure.message).toContain('only 20 of 100 pulls in 6 h are left');
    expect(failure.message).toContain('reserve');
    expect(lines(server)).toEqual(['HEAD /v2/a/manifests/1']);
  });

  test('is not what a gateway says of the requests of a second', async () => {
    await using server = await startScriptedRegistry({
      onRequest: () => ({
        kind: 'with',
        headers: { 'ratelimit-limit': '5', 'ratelimit-remaining': '0', 'ratelimit-reset': '1' },
      }),
    });
    await using registry = client();
    const image = seedImage(server, 'a', 'one', { tag: '1' });
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    expect(must(await registry.manifest(reference(`${server.host}/a:1`), 'source'))?.descriptor).toEqual(image);
    expect(registry.quota(repository(server.host, 'a'))).toBeUndefined();
  });

  test('is the account’s', async () => {
    await using server = await startScriptedRegistry({ onRequest: limited(() => 0) });
    await using registry = client({ accountOf: formatRepository });
    seedImage(server, 'b', 'b', { tag: '1' });
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    failureOf(await registry.manifest(reference(`${server.host}/a:1`), 'source'));
    expect(must(await registry.manifest(reference(`${server.host}/b:1`), 'source'))).toBeDefined();
  });
});

describe('a limit of requests', () => {
  test('trap 28: is waited for, by the header, by the text, or by a pause of our own', async () => {
    await using server = await startScriptedRegistry({
      onRequest: ({ earlier }) =>
        [
          answer(429, { 'retry-after': '0' }),
          answer(429, {}, 'retry-after: 880.092µs, allowed: 44000/minute'),
          { kind: 'answer' as const, status: 429, body: ABUSE_LIMIT },
        ][earlier],
    });
    await using registry = client();
    const image = seedImage(server, 'a', 'one', { tag: '1' });
    expect(must(await registry.manifest(reference(`${server.host}/a:1`), 'source'))?.descriptor).toEqual(image);
    expect(server.log).toHaveLength(4);
  });

  test('of hours ends at once, for all who come after too, and says until when', async () => {
    await using server = await startScriptedRegistry({ onRequest: () => answer(429, { 'retry-after': '7200' }) });
    await using registry = client();
    for (const path of ['a', 'b']) {
      const failure = failureOf(await registry.head(reference(`${server.host}/${path}:1`), 'source'));
      expect(failure).toMatchObject({ class: 'permanent', status: 429 });
      expect(failure.message).toMatch(/until \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
    }
    expect(server.log).toHaveLength(1);
  });

  test.each([
    [429, '50'],
    [503, '50'],
    [429, undefined],
  ])('that refuses all there is for minutes with %i, Retry-After %s, ends for all who wait', async (status, wait) => {
    await using server = await startScriptedRegistry({
      onRequest: () => answer(status, wait === undefined ? {} : { 'retry-after': wait }),
    });
    let now = 0;
    const clock = { now: () => now, random: () => 0.5, sleep: async (ms: number) => void (now += ms) };
    await using registry = client({ clock });
    const heads = await Promise.all(
      Array.from({ length: 300 }, (_, index) => registry.head(reference(`${server.host}/a${index}:1`), 'source')),
    );
    expect(heads.every(({ ok }) => !ok)).toBe(true);
    expect(server.log.length).toBeLessThan(80);
  });

  test('holds those too that were waiting for their turn', async () => {
    let begun = 0;
    await using server = await startScriptedRegistry({
      onRequest: () => {
        begun += 1;
        return begun === 2 || begun === 3 ? answer(429, { 'retry-after': '7200' }) : undefined;
      },
    });
    seedImage(server, 'first', 'one', { tag: '1' });
    await using registry = client({ perHost: 2 });
    // The first request to a host goes alone.
    await registry.head(reference(`${server.host}/first:1`), 'source');
    const heads = await Promise.all(
      Array.from({ length: 20 }, (_, index) => registry.head(reference(`${server.host}/a${index}:1`), 'source')),
    );
    expect(heads.every(({ ok }) => !ok)).toBe(true);
    expect(server.log).toHaveLength(3);
  });
});

test('trap 33: a warning is shown once, as plain text, whatever else is said beside it', async () => {
  const shown: string[] = [];
  const warning = '299 - "this repository\u0085moves, \\"soon\\"", 199 - "not for people", 299 - "and this"';
  await using server = await startScriptedRegistry({ onRequest: () => answer(404, { warning }) });
  await using registry = client({ notice: (message) => shown.push(message) });
  for (const path of ['a', 'b']) must(await registry.head(reference(`${server.host}/${path}:1`), 'source'));
  expect(shown).toEqual([`${server.host} says: this repository moves, "soon"`, `${server.host} says: and this`]);
});
