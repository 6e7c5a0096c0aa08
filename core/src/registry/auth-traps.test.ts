/** What registries and their token servers do beside the letter of the specification. The numbers are those of our list of traps. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Tag } from '../reference.ts';
import { seedImage } from '../testing/sample-images.ts';
import { startScriptedRegistry, type Action, type ScriptedRequest } from '../testing/scripted-registry.ts';
import type { Challenge, ChallengeMemory } from './challenge.ts';
import { copy } from './copy.ts';
import { client, failureOf, lines, logins, must, pinned, reference, repository } from './test-client.ts';

const ANN = { kind: 'password', username: 'ann', secret: 'canary-secret' } as const;

/** A registry that lets in whoever brings a token that `grant` gave for what `needs` names; its challenges are written by hand. */
async function byHand(options: {
  readonly challenge: (host: string, request: ScriptedRequest) => string;
  /** The answer to a request for a token of these scopes: its body, or a status. */
  readonly grant: (scopes: readonly string[], request: ScriptedRequest) => object | number;
  readonly accepts?: (token: string, request: ScriptedRequest) => boolean;
}) {
  const server = await startScriptedRegistry({
    onRequest: (request): Action | undefined => {
      if (request.path === '/token') {
        const scopes = new URL(request.url, 'http://x').searchParams.getAll('scope');
        const granted = options.grant(scopes, request);
        return typeof granted === 'number'
          ? { kind: 'answer', status: granted }
          : { kind: 'answer', status: 200, body: JSON.stringify(granted) };
      }
      const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1];
      if (token !== undefined && (options.accepts?.(token, request) ?? true)) return undefined;
      return { kind: 'answer', status: 401, headers: { 'www-authenticate': options.challenge(server.host, request) } };
    },
  });
  return server;
}

const scopesAsked = (server: { readonly log: readonly ScriptedRequest[] }) =>
  server.log
    .filter(({ path }) => path === '/token')
    .map(({ url }) => new URL(url, 'http://x').searchParams.getAll('scope').join(' '));

describe('trap 14: challenges', () => {
  test.each([
    [
      'commas in quotes',
      (host: string) => `Bearer realm="http://${host}/token",service="a, b",scope="repository:a:pull,push"`,
    ],
    [
      'several, Bearer last',
      (host: string) => `Negotiate, Basic realm="x, y", Bearer realm="http://${host}/token",service="a, b"`,
    ],
    ['without a scope', (host: string) => `bearer service="a, b", realm="http://${host}/token"`],
    ['with an error', (host: string) => `Bearer error="invalid_token",realm="http://${host}/token",service="a, b"`],
  ])('%s', async (_, challenge) => {
    await using server = await byHand({ challenge, grant: () => ({ token: 't' }) });
    await using registry = client();
    seedImage(server, 'a', 'one', { tag: '1' });
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    expect(server.log[1]?.url).toContain('service=a%2C+b');
    expect(scopesAsked(server)).toEqual(['repository:a:pull']);
  });

  test('insufficient_scope: the scope that the registry names is asked for, once', async () => {
    await using server = await byHand({
      challenge: (host, { headers }) =>
        `Bearer realm="http://${host}/token",scope="repository:hidden/a:pull"${headers.authorization === undefined ? '' : ',error="insufficient_scope"'}`,
      grant: (scopes) => ({ token: scopes.join('+') }),
      accepts: (token) => token === 'repository:hidden/a:pull',
    });
    await using registry = client();
    seedImage(server, 'a', 'one', { tag: '1' });
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    expect(scopesAsked(server)).toEqual(['repository:a:pull', 'repository:hidden/a:pull']);
  });

  test('a registry that never lets anybody in is asked three times at most', async () => {
    let round = 0;
    await using server = await byHand({
      challenge: (host) => `Bearer realm="http://${host}/token",scope="repository:a${(round += 1)}:pull"`,
      grant: () => ({ token: 't' }),
      accepts: () => false,
    });
    await using registry = client();
    expect(failureOf(await registry.head(reference(`${server.host}/a:1`), 'source'))).toMatchObject({ status: 401 });
    expect(lines(server).filter((line) => line.startsWith('HEAD'))).toHaveLength(3);
  });
});

describe('trap 14: tokens', () => {
  test.each([
    ['access_token', { access_token: 't' }],
    ['an empty token beside it', { token: '', access_token: 't' }],
    ['no expires_in', { token: 't' }],
    ['an odd expires_in', { token: 't', expires_in: -5 }],
    ['an expires_in in quotes', { token: 't', expires_in: '300' }],
    ['an expires_in that cannot be made a number', { token: 't', expires_in: { valueOf: 1, toString: 1 } }],
    ['an expires_in that is a list', { token: 't', expires_in: [[0.000_001]] }],
    ['issued long ago, by its own clock', { token: 't', expires_in: 300, issued_at: '2001-01-01T00:00:00Z' }],
  ])('%s', async (_, grant) => {
    await using server = await byHand({
      challenge: (host) => `Bearer realm="http://${host}/token"`,
      grant: () => grant,
    });
    await using registry = client();
    seedImage(server, 'a', 'one', { tag: '1' });
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    expect(scopesAsked(server)).toHaveLength(1);
  });

  test.each([[{}], [{ token: 5 }], [{ token: 'with space' }], [{ token: 'new\nline' }]])(
    '%o is none',
    async (grant) => {
      await using server = await byHand({
        challenge: (host) => `Bearer realm="http://${host}/token"`,
        grant: () => grant,
      });
      await using registry = client();
      const failure = failureOf(await registry.head(reference(`${server.host}/a:1`), 'source'));
      expect(failure).toMatchObject({ class: 'permanent' });
      expect(failure.message).toContain('gave no token');
    },
  );

  test('one is renewed before it ends, while the old one is still used', async () => {
    let granted = 0;
    await using server = await byHand({
      challenge: (host) => `Bearer realm="http://${host}/token"`,
      // Good for a minute: renewed after 42 seconds, not used after 54.
      grant: () => ({ token: `t${(granted += 1)}`, expires_in: 60 }),
    });
    await using registry = client();
    seedImage(server, 'a', 'one', { tag: '1' });
    const head = async () => must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    await head();
    const now = Date.now;
    try {
      Date.now = () => now() + 43_000;
      await head();
      await expect.poll(() => scopesAsked(server).length).toBe(2);
      await head();
      Date.now = () => now() + 43_000 + 55_000;
      await Promise.all([head(), head(), head()]);
    } finally {
      Date.now = now;
    }
    const sent = server.log.filter(({ method }) => method === 'HEAD').map(({ headers }) => headers.authorization);
    expect(sent).toEqual([undefined, 'Bearer t1', 'Bearer t1', 'Bearer t2', 'Bearer t3', 'Bearer t3', 'Bearer t3']);
  });
});

test('a clock that jumps by a year, either way, makes a new token, not a request with an old one', async () => {
  let granted = 0;
  await using server = await byHand({
    challenge: (host) => `Bearer realm="http://${host}/token"`,
    grant: () => ({ token: `t${(granted += 1)}`, expires_in: 60 }),
  });
  await using registry = client();
  seedImage(server, 'a', 'one', { tag: '1' });
  const now = Date.now;
  try {
    for (const years of [0, 1, 0, -1, 0]) {
      Date.now = () => now() + years * 365 * 24 * 3600 * 1000;
      must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    }
  } finally {
    Date.now = now;
  }
  const sent = server.log.filter(({ method }) => method === 'HEAD').map(({ headers }) => headers.authorization);
  expect(sent).toEqual([undefined, ...[1, 2, 3, 4, 5].map((count) => `Bearer t${count}`)]);
});

describe('trap 15: scopes', () => {
  test('one repository and one kind of access a request, never an ever longer list', async () => {
    await using server = await startScriptedRegistry({ tokens: {} });
    await using registry = client();
    const paths = Array.from({ length: 12 }, (_, index) => `team/app${index}`);
    for (const path of paths) seedImage(server, path, 'one', { tag: '1' });
    await Promise.all(
      paths.map(async (path) => must(await registry.head(reference(`${server.host}/${path}:1`), 'source'))),
    );
    expect(new Set(scopesAsked(server))).toEqual(new Set(paths.map((path) => `repository:${path}:pull`)));
    expect(Math.max(...server.log.map(({ url }) => url.length))).toBeLessThan(120);
  });

  test('a server that refuses two at once is asked for one from then on, and the blob is sent', async () => {
    await using server = await byHand({
      challenge: (host) => `Bearer realm="http://${host}/token"`,
      grant: (scopes) => (scopes.length > 1 ? 403 : { token: scopes.join('+') }),
      accepts: (token, { path }) => path.startsWith(`/v2/${token.split(':')[1]}/`),
    });
    await using registry = client({ credentials: logins({ [server.host]: ANN }) });
    const from = registry.content(repository(server.host, 'from'), 'source');
    const to = registry.content(repository(server.host, 'to'), 'destination');
    for (const text of ['one', 'two']) {
      const descriptor = { mediaType: 'a/b', digest: server.putBlob('from', text), size: 3 };
      must(await to.mountBlob(descriptor, from));
    }
    expect(scopesAsked(server)).toEqual(['repository:to:pull,push repository:from:pull', 'repository:to:pull,push']);
    expect(server.log.filter(({ method, headers }) => method === 'POST' && headers.authorization)).toHaveLength(2);
  });

  test('whoever will write asks for that at once: one token a repository', async () => {
    await using server = await startScriptedRegistry({ tokens: { users: { ann: ANN.secret } } });
    await using registry = client({ credentials: logins({ [server.host]: ANN }), writes: ({ path }) => path === 'a' });
    const image = seedImage(server, 'a', 'one');
    const subject = pinned(`${server.host}/a@${image.digest}`);
    const known = must(await registry.manifest(subject, 'destination'));
    must(await registry.tag(subject, '1' as Tag, known));
    must(await registry.head(subject, 'destination'));
    expect(scopesAsked(server)).toEqual(['repository:a:pull,push']);
  });

  test.each([
    [
      'refuses the token',
      (scopes: readonly string[]) => (scopes.some((scope) => scope.endsWith('push')) ? 403 : { token: 'pull' }),
    ],
    [
      'does not take it',
      (scopes: readonly string[]) => ({ token: scopes.some((scope) => scope.endsWith('push')) ? 'push' : 'pull' }),
    ],
  ])('where only reading is allowed and the server %s, it is read all the same', async (_, grant) => {
    await using server = await byHand({
      challenge: (host) => `Bearer realm="http://${host}/token",scope="repository:a:pull"`,
      grant,
      accepts: (token) => token === 'pull',
    });
    await using registry = client({ writes: () => true });
    seedImage(server, 'a', 'one', { tag: '1' });
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    expect(scopesAsked(server)).toEqual(['repository:a:pull,push', 'repository:a:pull']);
  });
});

test('trap 16: a registry that stands before another one is followed to it, as a guest there', async () => {
  await using other = await startScriptedRegistry({ tokens: { users: { ann: ANN.secret } } });
  await using front = await startScriptedRegistry({
    basic: { username: 'ann', password: ANN.secret },
    onRequest: ({ headers, url }) =>
      headers.authorization === undefined
        ? undefined
        : { kind: 'answer', status: 307, headers: { location: `http://${other.host}${url}` } },
  });
  const credentials = logins({ [front.host]: ANN, [other.host]: ANN });
  await using registry = client({ credentials });
  seedImage(other, 'a', 'one', { tag: '1' });
  const manifest = must(await registry.manifest(reference(`${front.host}/a:1`), 'source'));
  if (manifest?.kind !== 'manifest') throw new Error('there is no manifest');
  must(await registry.readBlob(repository(front.host, 'a'), manifest.value.config, 'source'));
  const sent = other.log.map(({ path, headers }) => [path.replace(/\/sha256:.*/, ''), headers.authorization]);
  expect(sent).toEqual([
    ['/v2/a/manifests/1', undefined],
    ['/token', undefined],
    ['/v2/a/manifests/1', 'Bearer token-1'],
    ['/v2/a/blobs', undefined],
    ['/v2/a/blobs', 'Bearer token-1'],
  ]);
  expect(front.log.every(({ headers }) => headers.authorization?.startsWith('Bearer') !== true)).toBe(true);
});

test('trap 16: what another host answers behind a redirect is nothing to log in for', async () => {
  await using thief = await startScriptedRegistry();
  await using storage = await startScriptedRegistry({
    onRequest: () => ({
      kind: 'answer',
      status: 401,
      headers: { 'www-authenticate': `Bearer realm="http://${thief.host}/token"` },
    }),
  });
  await using server = await startScriptedRegistry({
    basic: { username: 'ann', password: ANN.secret },
    onRequest: ({ path, headers }) =>
      path.includes('/blobs/') && headers.authorization !== undefined
        ? { kind: 'answer', status: 307, headers: { location: `http://${storage.host}/x` } }
        : undefined,
  });
  await using registry = client({ credentials: logins({ [server.host]: ANN }) });
  const digest = server.putBlob('a', 'bytes');
  failureOf(await registry.readBlob(repository(server.host, 'a'), { mediaType: 'a/b', digest, size: 5 }, 'source'));
  expect(thief.log).toEqual([]);
  expect(storage.log.length).toBeGreaterThan(0);
  expect(storage.log.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
});

test('a token that is exchanged for others is not sent on to another host, whoever says so', async () => {
  await using thief = await startScriptedRegistry({
    onRequest: () => ({ kind: 'answer', status: 200, body: '{"token":"t"}' }),
  });
  await using server = await startScriptedRegistry({
    tokens: {},
    onRequest: ({ method, path }) =>
      method === 'POST' && path === '/token'
        ? { kind: 'answer', status: 307, headers: { location: `http://${thief.host}/token` } }
        : undefined,
  });
  const identity = { kind: 'identity', username: '', secret: 'canary-refresh' } as const;
  await using registry = client({
    credentials: logins({ [server.host]: identity }),
    plainHttp: (host) => host === server.host || host === thief.host,
  });
  const failure = failureOf(await registry.head(reference(`${server.host}/a:1`), 'source'));
  expect(failure.message).toContain('the secret in it is not meant');
  expect(thief.log).toEqual([]);
});

test('trap 18: a login that is not accepted is told as such, since it stands in the way of public images', async () => {
  await using server = await startScriptedRegistry({ tokens: { users: { ann: 'another' } } });
  await using registry = client({ credentials: logins({ [server.host]: ANN }) });
  const failure = failureOf(await registry.head(reference(`${server.host}/a:1`), 'source'));
  expect(failure.hint).toContain('log out to read public images');
});

test('trap 19: 403 for what we are about to write may mean that it is not there yet, and nothing else does', async () => {
  await using server = await startScriptedRegistry({ onRequest: () => ({ kind: 'answer', status: 403 }) });
  await using registry = client({ writes: ({ path }) => path === 'a' });
  expect(must(await registry.head(reference(`${server.host}/a:1`), 'destination'))).toBeUndefined();
  for (const [name, side] of [
    ['a', 'source'],
    ['b', 'destination'],
  ] as const) {
    const failure = failureOf(await registry.head(reference(`${server.host}/${name}:1`), side));
    expect(failure).toMatchObject({ class: 'permanent', status: 403 });
  }
});

describe('what is remembered of earlier runs', () => {
  const remembering = (
    known: Readonly<Record<string, Challenge>>,
  ): ChallengeMemory & { readonly kept: Map<string, Challenge> } => {
    const kept = new Map(Object.entries(known));
    return {
      kept,
      get: (registry) => kept.get(registry),
      set: (registry, challenge) => void kept.set(registry, challenge),
    };
  };
  const bearer = (realm: string): Challenge => ({
    scheme: 'bearer',
    parameters: new Map([
      ['realm', realm],
      ['service', 's'],
    ]),
  });

  test('spares the request that would only be told how to log in', async () => {
    await using server = await startScriptedRegistry({ tokens: {} });
    seedImage(server, 'a', 'one', { tag: '1' });
    const memory = remembering({});
    for (const expected of [
      ['HEAD', 'GET', 'HEAD'],
      ['GET', 'HEAD'],
    ]) {
      await using registry = client({ challenges: memory });
      const before = server.log.length;
      must(await registry.head(reference(`${server.host}/a:1`), 'source'));
      expect(server.log.slice(before).map(({ method }) => method)).toEqual(expected);
    }
  });

  test('is forgotten when it is not true any more', async () => {
    await using server = await startScriptedRegistry({ tokens: {} });
    seedImage(server, 'a', 'one', { tag: '1' });
    const memory = remembering({ [server.host]: bearer(`http://${server.host}/gone`) });
    await using registry = client({ challenges: memory });
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    expect(memory.kept.get(server.host)?.parameters.get('realm')).toBe(`http://${server.host}/token`);
  });

  test('never says where a password goes', async () => {
    await using thief = await startScriptedRegistry();
    await using server = await startScriptedRegistry({ tokens: { users: { ann: ANN.secret } } });
    seedImage(server, 'a', 'one', { tag: '1' });
    await using registry = client({
      credentials: logins({ [server.host]: ANN }),
      challenges: remembering({ [server.host]: bearer(`http://${thief.host}/token`) }),
    });
    must(await registry.head(reference(`${server.host}/a:1`), 'source'));
    expect(thief.log).toEqual([]);
  });
});

/** A registry whose every answer takes 40 seconds by our clock, and whose tokens are good for a minute, and a little. */
async function slowly() {
  const start = Date.now();
  let passed = 0;
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => start + passed);
  onTestFinished(() => clock.mockRestore());
  const given = new Map<string, number>();
  return byHand({
    challenge: (host) => `Bearer realm="http://${host}/token",service="x"`,
    grant() {
      const token = `t${given.size}`;
      given.set(token, passed);
      return { token, expires_in: 60 };
    },
    accepts(token) {
      const good = passed - (given.get(token) ?? Number.NEGATIVE_INFINITY) < 140_000;
      passed += 40_000;
      return good;
    },
  });
}

describe('a login that expires while its request waits for its turn', () => {
  const refused = (server: { readonly log: readonly ScriptedRequest[] }) =>
    server.log.filter(({ path, headers }) => path !== '/token' && headers.authorization === undefined);

  test('is renewed before it is sent', async () => {
    await using server = await slowly();
    await using registry = client({ perHost: 1 });
    const tags = Array.from({ length: 10 }, (_, n) => String(n));
    for (const tag of tags) seedImage(server, 'a', tag, { tag });
    const heads = await Promise.all(tags.map((tag) => registry.head(reference(`${server.host}/a:${tag}`), 'source')));
    for (const head of heads) expect(must(head)).toBeDefined();
    const asked = server.log.filter(({ path }) => path !== '/token');
    expect(refused(server)).toHaveLength(1);
    expect(asked).toHaveLength(tags.length + 1);
  });

  test('is renewed for uploads too, without reading their source again', async () => {
    await using source = await startScriptedRegistry();
    await using server = await slowly();
    await using registry = client({ perHost: 1 });
    const image = seedImage(source, 'a', 'one', {
      platforms: ['amd64', 'arm64', 's390x'].map((architecture) => ({ os: 'linux', architecture })),
    });
    const from = registry.content(repository(source.host, 'a'), 'source');
    const to = registry.content(repository(server.host, 'b'), 'destination');
    must(await copy(from, to, image.digest));
    expect(refused(server)).toHaveLength(1);
    const read = source.log.filter(({ path }) => path.includes('/blobs/')).map(({ path }) => path);
    expect(new Set(read).size).toBe(read.length);
  });

  test('is not waited for with an answer in hand that takes the only place', async () => {
    const start = Date.now();
    let passed = 0;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => start + passed);
    onTestFinished(() => clock.mockRestore());
    await using server = await byHand({
      challenge: (host) => `Bearer realm="http://${host}/token",service="x"`,
      grant: () => ({ token: 't', expires_in: 60 }),
      accepts(_, { method }) {
        if (method === 'PUT') passed += 100_000;
        return true;
      },
    });
    await using registry = client({ perHost: 1 });
    const from = registry.content(repository(server.host, 'a'), 'source');
    const to = registry.content(repository(server.host, 'b'), 'destination');
    const blobs = ['one', 'two'].map((text) => {
      const content = text.repeat(1000);
      return { mediaType: 'a/b', digest: server.putBlob('a', content), size: content.length };
    });
    const sent = await Promise.all(blobs.map((blob) => to.putBlob(blob, () => from.blob(blob))));
    expect(sent.map(({ ok }) => ok)).toEqual([true, true]);
  });
});
