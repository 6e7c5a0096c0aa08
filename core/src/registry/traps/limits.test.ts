/** Limits, lists, and what only a client on Node has to mind. The numbers are those of the table beside this file. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { sha256 } from '../../oci/digest.ts';
import { mediaType } from '../../oci/model.ts';
import { seedImage } from '../../testing/sample-images.ts';
import { startScriptedRegistry, type Action, type ScriptedOptions } from '../../testing/scripted-registry.ts';
import { realClock, type Clock } from '../clock.ts';
import { copy } from '../copy.ts';
import { client, failureOf, logins, must, pinned, reference } from '../test-client.ts';
import { COPIED, is, pair } from './pair.ts';

const LIMIT = { timeout: 10_000 };

/** Time goes by twenty times as fast. */
const fast: Clock = {
  ...realClock,
  now: () => performance.now() * 20,
  sleep: (ms, signal) => realClock.sleep(ms / 20, signal),
};

/** A server with one image in `a`, and a client of it. */
async function served(options: ScriptedOptions = {}) {
  const server = await startScriptedRegistry(options);
  const registry = client();
  onTestFinished(async () => {
    await registry.close();
    await server.close();
  });
  const image = seedImage(server, 'a', 'one', { tag: 'v1' });
  return { server, registry, repository: { registry: server.host, path: 'a' }, image };
}

test('18: Docker Hub is spoken to where it is, whatever it is called', LIMIT, async () => {
  const hub = await startScriptedRegistry({ onRequest: () => ({ kind: 'answer', status: 404 }) });
  const before = process.env['HTTP_PROXY'];
  process.env['HTTP_PROXY'] = `http://${hub.host}`;
  onTestFinished(async () => {
    if (before === undefined) delete process.env['HTTP_PROXY'];
    else process.env['HTTP_PROXY'] = before;
    await hub.close();
  });
  await using registry = client({ plainHttp: () => true });
  for (const name of ['docker.io/library/alpine:3', 'index.docker.io/library/alpine:3', 'registry-1.docker.io/a/b:3']) {
    must(await registry.head(reference(name), 'destination'));
  }
  expect(hub.log.map(({ url }) => url)).toEqual([
    'http://registry-1.docker.io/v2/library/alpine/manifests/3',
    'http://registry-1.docker.io/v2/library/alpine/manifests/3',
    'http://registry-1.docker.io/v2/a/b/manifests/3',
  ]);
});

describe('28: too many requests', LIMIT, () => {
  test.each([
    ['in seconds', '0'],
    ['as a date', new Date(Date.now() - 1000).toUTCString()],
  ])('are sent again when it is time, which is said %s', async (_, retryAfter) => {
    const later: Action = { kind: 'answer', status: 429, headers: { 'retry-after': retryAfter } };
    const { sync } = await pair({
      client: { clock: fast },
      onSource: (request) => (is.first(request) ? later : undefined),
      onDestination: (request) => (is.first(request) ? later : undefined),
    });
    expect(await sync()).toMatchObject(COPIED);
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ['does not say when to come back', {}],
    ['says 0', { 'retry-after': '0' }],
    ['says a time that is over', { 'retry-after': new Date(Date.now() - 60_000).toUTCString() }],
  ])('a second fail nothing, and are few, at a registry that %s', async (_, headers) => {
    const [perSecond, burst] = [10, 5];
    let [left, then, refused] = [burst, fast.now(), 0];
    const platforms = Array.from({ length: 48 }, (_, index) => ({ os: 'linux', architecture: `a${index}` }));
    const { destination, sync } = await pair({
      client: { clock: fast, perHost: 8, rampUp: true },
      seed: (source) => seedImage(source, 'from', 'new', { platforms, tag: 'v1' }),
      onDestination: () => {
        left = Math.min(burst, left + ((fast.now() - then) / 1000) * perSecond) - 1;
        then = fast.now();
        if (left >= 0) return undefined;
        left += 1;
        refused += 1;
        return { kind: 'answer', status: 429, headers };
      },
    });
    expect(await sync()).toMatchObject(COPIED);
    expect(refused / destination.log.length).toBeLessThan(0.15);
  });

  test('of which one more may be sent in an hour is one failure, at once', async () => {
    const { source, sync } = await pair({
      onSource: () => ({ kind: 'answer', status: 429, headers: { 'retry-after': '3600' } }),
    });
    expect(failureOf(await sync())).toMatchObject({ side: 'source', status: 429 });
    expect(source.log).toHaveLength(1);
  });

  test('and a limit of pulls is one failure that says so, and is not asked again', async () => {
    const body = JSON.stringify({
      errors: [{ code: 'TOOMANYREQUESTS', message: 'You have reached your unauthenticated pull rate limit.' }],
    });
    const { source, sync } = await pair({
      onSource: (request) => (request.method === 'GET' ? { kind: 'answer', status: 429, body } : undefined),
    });
    const failure = failureOf(await sync());
    expect(failure).toMatchObject({ class: 'permanent', side: 'source', status: 429 });
    expect(failure.message).toContain('pulls');
    expect(source.log.filter(({ method }) => method === 'GET')).toHaveLength(1);
  });
});

test('29: a connection that was closed meanwhile is no reason to wait', LIMIT, async () => {
  const { sync } = await pair({
    onSource: (request) => (is.first(request) && request.method !== 'PUT' ? { kind: 'reset' } : undefined),
    onDestination: (request) => (is.first(request) && request.method === 'HEAD' ? { kind: 'reset' } : undefined),
  });
  expect(await sync()).toMatchObject(COPIED);
});

describe('30: lists of tags', LIMIT, () => {
  const list = (tags: unknown): Action => ({ kind: 'answer', status: 200, body: JSON.stringify({ name: 'a', tags }) });

  test.each<[string, Action, readonly string[]]>([
    ['tags: null', list(null), []],
    ['no such repository', { kind: 'answer', status: 404, body: '{"errors":[{"code":"NAME_UNKNOWN"}]}' }, []],
    ['names that are no tags', list(['ok', '-x', 'a b', 7, '']), ['ok']],
    ['unsorted and twice', list(['b', 'a', 'b']), ['a', 'b']],
  ])('%s', async (_, action, expected) => {
    const { server, registry, repository } = await served();
    server.onRequest = () => action;
    expect(must(await registry.tags(repository, 'source'))).toEqual(expected);
  });

  test('in pages whose links are relative, absolute, relative to the page, or name the registry otherwise', async () => {
    const path = '/v2/a/tags/list?last=';
    const names = [
      'http://HOST',
      'https://HOST',
      'http://localhost:5000',
      'http://registry.internal',
      '//a:b@10.0.0.1',
    ];
    for (const link of [path, 'list?last=', ...names.map((name) => name + path)]) {
      const { server, registry, repository } = await served();
      for (const tag of ['v2', 'v3', 'v4']) seedImage(server, 'a', tag, { tag });
      const all = ['v1', 'v2', 'v3', 'v4'];
      server.onRequest = ({ url }) => {
        const last = new URLSearchParams(url.split('?')[1]).get('last');
        const at = last === null ? 0 : all.indexOf(last) + 1;
        const next = `<${link.replace('HOST', server.host)}${all[at]}>; rel="next"`;
        return { ...list(all.slice(at, at + 1)), headers: at < 3 ? { link: next } : {} } as Action;
      };
      expect(must(await registry.tags(repository, 'source')), link).toEqual(all);
    }
  });
});

describe('31: lists of referrers', LIMIT, () => {
  test('of a registry that takes the fallback tag for the digest are empty', async () => {
    const { server, registry, image } = await served();
    const stored = server.manifest('a', image.digest);
    server.onRequest = ({ path }) =>
      path.includes('/manifests/sha256-')
        ? {
            kind: 'answer',
            status: 200,
            headers: { 'content-type': stored?.type ?? '' },
            body: Buffer.from(stored?.bytes ?? []).toString('utf8'),
          }
        : undefined;
    expect(must(await registry.referrers(pinned(`${server.host}/a@${image.digest}`), 'source'))).toEqual([]);
  });

  test.each([true, false])('name each once, however often it is listed (by the API: %s)', async (referrersApi) => {
    const { server, registry, image } = await served({ referrersApi });
    const one = { mediaType: mediaType.ociManifest, digest: sha256('one'), size: 3, annotations: { said: 'first' } };
    const other = { mediaType: mediaType.ociManifest, digest: sha256('other'), size: 5 };
    const again = Array.from({ length: 3000 }, () => ({ ...one, annotations: { said: 'later' } }));
    const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: [one, other, ...again] });
    const asked = referrersApi ? '/referrers/' : '/manifests/sha256-';
    server.onRequest = ({ path }) =>
      path.includes(asked)
        ? { kind: 'answer', status: 200, headers: { 'content-type': mediaType.ociIndex }, body }
        : undefined;
    const listed = must(await registry.referrers(pinned(`${server.host}/a@${image.digest}`), 'source'));
    expect(listed.map(({ descriptor }) => descriptor)).toEqual([one, other]);
  });

  test('where an API that lists nothing is not the same as none', async () => {
    const { server, registry, image } = await served({ referrersApi: true });
    const subject = pinned(`${server.host}/a@${image.digest}`);
    expect(must(await registry.referrers(subject, 'source'))).toEqual([]);
    expect(registry.referrersApi(subject)).toBe(true);
  });
});

test('33: a warning of a registry is shown once', LIMIT, async () => {
  const shown: string[] = [];
  const { source, sync } = await pair({
    client: { notice: (message: string) => void shown.push(message) },
    onSource: () => ({ kind: 'with', headers: { warning: '299 - "this registry ends in June"' } }),
  });
  expect(await sync()).toMatchObject(COPIED);
  expect(shown).toEqual([`${source.host} says: this registry ends in June`]);
});

describe('34: a registry whose tags cannot be changed', LIMIT, () => {
  test('is not asked to take anything again', async () => {
    const { destination, registry, image, sync } = await pair();
    expect(await sync()).toMatchObject(COPIED);
    const before = destination.log.length;
    const from = registry.content({ registry: destination.host, path: 'to' }, 'source');
    const to = registry.content({ registry: destination.host, path: 'to' }, 'destination');
    must(await copy(from, to, image.digest));
    const writes = destination.log.slice(before).filter(({ method }) => method === 'PUT' || method === 'PATCH');
    expect(writes).toEqual([]);
  });

  test('and refuses it, is one failure', async () => {
    const body =
      '{"errors":[{"code":"TAG_INVALID","message":"The image tag \'v1\' already exists and cannot be overwritten"}]}';
    const { sync } = await pair({
      onDestination: ({ method, path }) =>
        method === 'PUT' && path.endsWith('/v1') ? { kind: 'answer', status: 400, body } : undefined,
    });
    expect(failureOf(await sync())).toMatchObject({
      class: 'permanent',
      side: 'destination',
      message: expect.stringContaining('cannot be overwritten') as unknown,
    });
  });
});

describe('35: what only Node has to mind', LIMIT, () => {
  test('a body that was streamed once is read again for a login that comes late', async () => {
    const login = async () => ({ ok: true, value: { kind: 'password', username: 'ann', secret: 'p' } }) as const;
    const { destination, sync } = await pair({
      destination: { tokens: { users: { ann: 'p' }, anonymous: false } },
      client: { credentials: { ...logins(), login } },
    });
    const challenge = `Bearer realm="http://${destination.host}/token",scope="repository:to:pull,push"`;
    destination.onRequest = (request) =>
      is.uploadPart(request) && is.first(request)
        ? { kind: 'answer', status: 401, headers: { 'www-authenticate': challenge } }
        : undefined;
    expect(await sync()).toMatchObject(COPIED);
    const parts = destination.log.filter(is.uploadPart).map(({ url }) => url);
    expect(parts).toHaveLength(2 * new Set(parts).size);
  });

  test('and for a redirect in the middle of an upload', async () => {
    const { destination, sync } = await pair();
    destination.onRequest = (request) =>
      is.uploadPart(request) && !request.url.includes('moved=')
        ? { kind: 'answer', status: 307, headers: { location: `${request.url}&moved=1` } }
        : undefined;
    expect(await sync()).toMatchObject(COPIED);
  });

  test('answers that nobody reads do not keep their connections', async () => {
    const page = '<p>nothing here</p>'.repeat(20_000);
    const { sync } = await pair({
      client: { perHost: 1 },
      onDestination: (request) =>
        is.mount(request)
          ? { kind: 'answer', status: 405, headers: { 'content-type': 'text/html' }, body: page }
          : undefined,
    });
    expect(await sync()).toMatchObject(COPIED);
  });
});
