import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { seedImage } from '../testing/sample-images.ts';
import { startScriptedRegistry } from '../testing/scripted-registry.ts';
import { parseChallenges } from './challenge.ts';
import type { Tag } from '../reference.ts';
import { client, failureOf, lines, logins, must, pinned, reference, repository } from './test-client.ts';

const ANN = { kind: 'password', username: 'ann', secret: 'canary-secret' } as const;

test('challenges are read with commas in quotes, several at once, and without end', () => {
  const [bearer, basic] = parseChallenges(
    'Bearer realm="https://x/t?a=\\"b\\"",service="a, b" , scope="repository:a:pull,push", Basic realm=plain',
  );
  expect(bearer?.scheme).toBe('bearer');
  expect(Object.fromEntries(bearer?.parameters ?? [])).toEqual({
    realm: 'https://x/t?a="b"',
    service: 'a, b',
    scope: 'repository:a:pull,push',
  });
  expect(basic).toEqual({ scheme: 'basic', parameters: new Map([['realm', 'plain']]) });
  expect(parseChallenges('')).toEqual([]);
  expect(parseChallenges('Negotiate, Basic')).toHaveLength(2);
  expect(parseChallenges('Bearer realm="no end')[0]).toEqual({ scheme: 'bearer', parameters: new Map() });
});

describe('tokens', () => {
  test('one for a repository, asked for straight away once the host has said what it wants', async () => {
    await using server = await startScriptedRegistry({ tokens: {} });
    await using registry = client();
    for (const path of ['a', 'b']) seedImage(server, path, 'one', { tag: '1' });
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    must(await registry.head(reference(`${server.host}/b:1`), 'source'));
    expect(lines(server)).toEqual([
      'HEAD /v2/a/manifests/1',
      'GET /token',
      'HEAD /v2/a/manifests/1',
      'HEAD /v2/a/manifests/1',
      'GET /token',
      'HEAD /v2/b/manifests/1',
    ]);
    expect(registry.requests.get(server.host)).toBe(6);
    const asked = new URL(server.log[1]?.url ?? '', 'http://x').searchParams;
    expect([asked.get('scope'), asked.get('service')]).toEqual(['repository:a:pull', 'scripted, for tests']);
  });

  test('many requests at once fetch one token', async () => {
    await using server = await startScriptedRegistry({ tokens: {} });
    await using registry = client({ perHost: 2 });
    seedImage(server, 'a', 'one', { tag: '1' });
    const heads = await Promise.all(
      Array.from({ length: 8 }, () => registry.head(reference(`${server.host}/a:1`), 'source')),
    );
    heads.forEach(must);
    expect(lines(server).filter((line) => line === 'GET /token')).toHaveLength(1);
  });

  test('many repositories at once hear of one refusal: the first request goes ahead of the others', async () => {
    await using server = await startScriptedRegistry({ tokens: {} });
    await using registry = client({ perHost: 8 });
    const paths = ['a', 'b', 'c', 'd'];
    for (const path of paths) seedImage(server, path, 'one', { tag: '1' });
    const heads = await Promise.all(
      paths.map((path) => registry.head(reference(`${server.host}/${path}:1`), 'source')),
    );
    heads.forEach(must);
    const count = (line: string): number => lines(server).filter((each) => each.startsWith(line)).length;
    expect([count('HEAD'), count('GET /token')]).toEqual([paths.length + 1, paths.length]);
  });

  test('pushing needs a token and a login of its own, which then also opens for pulling', async () => {
    await using server = await startScriptedRegistry({ tokens: { users: { ann: ANN.secret }, anonymous: false } });
    await using registry = client({ credentials: logins({ [server.host]: ANN }) });
    const image = seedImage(server, 'a', 'one');
    const subject = pinned(`${server.host}/a@${image.digest}`);
    const known = must(await registry.manifest(subject, 'destination'));
    must(await registry.tag(subject, '1' as Tag, known));
    const before = server.log.length;
    must(await registry.head(subject, 'destination'));
    expect(server.log.length - before).toBe(1);
    const scopes = server.log
      .filter(({ path }) => path === '/token')
      .map(({ url }) => new URL(url, 'http://x').searchParams.get('scope'));
    expect(scopes).toEqual(['repository:a:pull', 'repository:a:pull,push']);
  });

  test('without the right to push: a permanent failure that says to log in', async () => {
    await using server = await startScriptedRegistry({ tokens: {} });
    await using registry = client();
    const image = seedImage(server, 'a', 'one');
    const subject = pinned(`${server.host}/a@${image.digest}`);
    const known = must(await registry.manifest(subject, 'destination'));
    const failure = failureOf(await registry.tag(subject, '1' as Tag, known));
    expect(failure).toMatchObject({ class: 'permanent', side: 'destination', status: 401 });
    expect(failure.hint).toContain('docker login');
  });

  test.each([{ tokens: { users: { ann: 'another' } } }, { basic: { username: 'ann', password: 'another' } }])(
    'a wrong password is a permanent failure that says so, and appears nowhere: %o',
    async (options) => {
      await using server = await startScriptedRegistry(options);
      await using registry = client({ credentials: logins({ [server.host]: ANN }) });
      const failure = failureOf(await registry.head(reference(`${server.host}/a:1`), 'source'));
      expect(failure).toMatchObject({ class: 'permanent', status: 401 });
      expect(failure.hint).toContain(`the login for ${server.host} is not accepted`);
      expect(JSON.stringify(failure)).not.toContain(ANN.secret);
    },
  );

  test('one that has run out is fetched again, once', async () => {
    await using server = await startScriptedRegistry({ tokens: { uses: 1 } });
    await using registry = client();
    seedImage(server, 'a', 'one', { tag: '1' });
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    expect(lines(server).filter((line) => line === 'GET /token')).toHaveLength(2);
  });

  test('one whose time is over is not sent any more', async () => {
    const start = Date.now();
    const clock = vi.spyOn(Date, 'now').mockReturnValue(start);
    onTestFinished(() => clock.mockRestore());
    await using server = await startScriptedRegistry({ tokens: { expiresIn: 300 } });
    await using registry = client();
    seedImage(server, 'a', 'one', { tag: '1' });
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    clock.mockReturnValue(start + 280_000);
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    expect(lines(server).slice(3)).toEqual(['GET /token', 'HEAD /v2/a/manifests/1']);
  });

  test.each([{ getOnly: false }, { getOnly: true }])(
    'an identity token is exchanged by POST, or else by GET: %o',
    async ({ getOnly }) => {
      await using server = await startScriptedRegistry({
        tokens: { identityTokens: ['id'], anonymous: false, getOnly },
      });
      await using registry = client({
        credentials: logins({ [server.host]: { kind: 'identity', username: '', secret: 'id' } }),
      });
      seedImage(server, 'a', 'one', { tag: '1' });
      must(await registry.head(reference(`${server.host}/a:1`), 'source'));
      expect(lines(server)).toContain('POST /token');
      expect(lines(server).includes('GET /token')).toBe(getOnly);
    },
  );

  test.each(['http://192.0.2.1/token', 'ftp://x/t', '//192.0.2.1/token', 'http://user@127.0.0.1:1/'])(
    'a password is not sent to %s',
    async (realm) => {
      await using server = await startScriptedRegistry({ tokens: { realm, users: { ann: ANN.secret } } });
      await using registry = client({
        credentials: logins({ [server.host]: ANN }),
        plainHttp: (host) => host === server.host,
      });
      const failure = failureOf(await registry.head(reference(`${server.host}/a:1`), 'source'));
      expect(failure.message).toContain('not safe');
      expect(server.log).toHaveLength(1);
    },
  );

  test.each(['Bearer', 'Bearer realm="http://["'])('%s does not say where to get a token', async (challenge) => {
    await using server = await startScriptedRegistry({
      onRequest: () => ({ kind: 'answer', status: 401, headers: { 'www-authenticate': challenge } }),
    });
    await using registry = client();
    const failure = failureOf(await registry.head(reference(`${server.host}/a:1`), 'source'));
    expect(failure.message).toBe(`${server.host} asks for a token, and does not say where to get one`);
  });

  test('an address without a host is one of the registry itself', async () => {
    await using server = await startScriptedRegistry({ tokens: { realm: '/token', users: { ann: ANN.secret } } });
    seedImage(server, 'a', 'one', { tag: '1' });
    await using registry = client({ credentials: logins({ [server.host]: ANN }) });
    expect(must(await registry.head(reference(`${server.host}/a:1`), 'source'))).toBeDefined();
  });

  test('mounting asks for the other repository in the same token', async () => {
    await using server = await startScriptedRegistry({ tokens: { users: { ann: ANN.secret } } });
    await using registry = client({ credentials: logins({ [server.host]: ANN }) });
    const digest = server.putBlob('from', 'bytes');
    const from = registry.content(repository(server.host, 'from'), 'source');
    const to = registry.content(repository(server.host, 'to'), 'destination');
    expect(must(await to.mountBlob({ mediaType: 'a/b', digest, size: 5 }, from))).toBe(true);
    expect(server.blob('to', digest)).toBeDefined();
  });
});

test('a name and a password go with each request where that is asked for', async () => {
  await using server = await startScriptedRegistry({ basic: { username: 'ann', password: ANN.secret } });
  seedImage(server, 'a', 'one', { tag: '1' });
  await using registry = client({ credentials: logins({ [server.host]: ANN }) });
  must(await registry.head(reference(`${server.host}/a:1`), 'source'));
  must(await registry.head(reference(`${server.host}/a:1`), 'source'));
  expect(server.log).toHaveLength(3);
  await using stranger = client();
  expect(failureOf(await stranger.head(reference(`${server.host}/a:1`), 'source'))).toMatchObject({
    status: 401,
    class: 'permanent',
  });
});
