/** Access, redirects and uploads. The numbers are those of the table beside this file. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { seedImage } from '../../testing/sample-images.ts';
import {
  startScriptedRegistry,
  type Action,
  type ScriptedRegistry,
  type ScriptedRequest,
} from '../../testing/scripted-registry.ts';
import { copy } from '../copy.ts';
import { client, failureOf, logins, must } from '../test-client.ts';
import { COPIED, is, pair, type PairOptions } from './pair.ts';

const LIMIT = { timeout: 10_000 };
const ANN = { kind: 'password', username: 'ann', secret: 'canary' } as const;

/** Another server, gone after the test. */
async function another(): Promise<ScriptedRegistry> {
  const server = await startScriptedRegistry();
  onTestFinished(() => server.close());
  return server;
}

/** A source whose blobs are read from a store, and what has to be put there. */
async function withStore(options: PairOptions = {}) {
  const store = await another();
  const made = await pair(options);
  made.source.onRequest = (request) => {
    if (!is.blobRead(request)) return undefined;
    const digest = request.path.split('/').at(-1) ?? '';
    store.putBlob('from', made.source.blob('from', digest) ?? '');
    return { kind: 'answer', status: 307, headers: { location: `http://${store.host}${request.path}?signature=x` } };
  };
  return { ...made, store };
}

test('15: tokens are for one repository each, and none is asked for twice', LIMIT, async () => {
  const tokens = { users: { ann: 'canary' }, anonymous: false };
  const { source, destination, registry, sync } = await pair({
    source: { tokens },
    destination: { tokens },
    client: { credentials: { ...logins(), login: async () => ({ ok: true, value: ANN }) } },
  });
  expect(await sync()).toMatchObject(COPIED);
  const other = { registry: source.host, path: 'other' };
  must(await registry.tags(other, 'source'));
  const asked = [...source.log, ...destination.log].filter(({ path }) => path === '/token').map(({ url }) => url);
  expect(asked.map((url) => new URLSearchParams(url.split('?')[1]).getAll('scope'))).toEqual(
    expect.arrayContaining([['repository:from:pull'], ['repository:other:pull']]),
  );
  expect(new Set(asked).size).toBe(asked.length);
});

describe('16: storage that a registry sends us to', LIMIT, () => {
  test('never sees credentials, which it would refuse', async () => {
    const { sync, store } = await withStore({
      source: { basic: { username: 'ann', password: 'canary' } },
      client: { credentials: { ...logins(), login: async () => ({ ok: true, value: ANN }) } },
    });
    store.onRequest = ({ headers }) =>
      headers.authorization === undefined
        ? undefined
        : { kind: 'answer', status: 400, body: 'Only one auth mechanism allowed' };
    expect(await sync()).toMatchObject(COPIED);
    expect(store.log.length).toBeGreaterThan(3);
  });

  test('that sends on for ever is one failure', async () => {
    const { source, sync } = await pair({
      onSource: (request) =>
        is.blobRead(request)
          ? { kind: 'answer', status: 307, headers: { location: `${request.path}?again=${request.earlier}` } }
          : undefined,
    });
    expect(failureOf(await sync())).toMatchObject({
      class: 'permanent',
      message: expect.stringContaining(`${source.host} redirects`) as unknown,
    });
  });
});

test('17: an address of storage that is no longer good is asked for anew', LIMIT, async () => {
  const { sync, store } = await withStore();
  store.onRequest = ({ earlier }) =>
    earlier === 0 ? { kind: 'answer', status: 403, body: '<Error><Code>AccessDenied</Code></Error>' } : undefined;
  expect(await sync()).toMatchObject(COPIED);
});

describe('19: ways to say that something is not there', LIMIT, () => {
  const answers: Readonly<Record<string, Action>> = {
    'a web page': { kind: 'answer', status: 404, headers: { 'content-type': 'text/html' }, body: '<h1>Not here</h1>' },
    'no such repository': { kind: 'answer', status: 404, body: '{"errors":[{"code":"NAME_UNKNOWN"}]}' },
    'a code with another status': { kind: 'answer', status: 400, body: '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}' },
    'no body': { kind: 'answer', status: 404 },
  };

  test.each(Object.entries(answers))('%s', async (name, answer) => {
    const codeIsInBody = name === 'a code with another status';
    const { sync } = await pair({
      onDestination: (request) => {
        // The answer to a HEAD has no body, so it cannot say it there.
        if (request.method === 'HEAD') return codeIsInBody ? { kind: 'answer', status: 404 } : answer;
        return undefined;
      },
    });
    expect(await sync()).toMatchObject(COPIED);
  });

  test('403 at the source is one failure that says what may be the matter', async () => {
    const { source, sync } = await pair({ onSource: () => ({ kind: 'answer', status: 403 }) });
    expect(failureOf(await sync())).toMatchObject({
      class: 'permanent',
      side: 'source',
      hint: expect.stringContaining(`docker login ${source.host}`) as unknown,
    });
  });

  test('403 for all that the destination is asked', async () => {
    const { sync } = await pair({ onDestination: () => ({ kind: 'answer', status: 403 }) });
    expect(failureOf(await sync())).toMatchObject({ class: 'permanent', side: 'destination', status: 403 });
  });
});

describe('20: where an upload goes', LIMIT, () => {
  test.each([
    ['absolute', (location: string, host: string) => `http://${host}${location}`],
    ['without its scheme', (location: string, host: string) => `//${host}${location}`],
    ['with a query of its own that is signed', (location: string) => `${location}&signature=a%2Fb%3D`],
  ])('%s', async (_, rewrite) => {
    const { destination, sync } = await pair();
    destination.onRequest = (request) =>
      is.uploadBegin(request) ? { kind: 'relocate', to: (location) => rewrite(location, destination.host) } : undefined;
    expect(await sync()).toMatchObject(COPIED);
    const puts = destination.log.filter(is.uploadPart).map(({ url }) => url);
    expect(puts.every((url) => /\?_state=a%2Fb(?:&signature=a%2Fb%3D)?&digest=sha256%3A/.test(url))).toBe(true);
  });

  test('to a host of its own, without credentials', async () => {
    const uploads = await another();
    const { source, destination, sync } = await pair({
      destination: { basic: { username: 'ann', password: 'canary' } },
      client: { credentials: { ...logins(), login: async () => ({ ok: true, value: ANN }) } },
    });
    destination.onRequest = (request) =>
      is.uploadBegin(request) && request.headers.authorization !== undefined
        ? { kind: 'answer', status: 202, headers: { location: `http://${uploads.host}/store?key=${request.earlier}` } }
        : undefined;
    uploads.onRequest = ({ url }) => {
      // What that host is sent, the registry has.
      const digest = new URLSearchParams(url.split('?')[1]).get('digest') ?? '';
      destination.putBlob('to', source.blob('from', digest) ?? '');
      return { kind: 'answer', status: 201 };
    };
    expect(await sync()).toMatchObject(COPIED);
    expect(uploads.log.map(({ method, headers }) => [method, headers.authorization])).toEqual(
      Array.from({ length: 5 }, () => ['PUT', undefined]),
    );
  });
});

test(
  '21: what is sent says its type and its length, and a request without a body that it has none',
  LIMIT,
  async () => {
    const { destination, sync } = await pair();
    expect(await sync()).toMatchObject(COPIED);
    const sent = destination.log.filter((each) => is.uploadPart(each) || is.uploadBegin(each));
    expect(sent.length).toBeGreaterThan(5);
    for (const { method, headers } of sent) {
      expect(headers['transfer-encoding']).toBeUndefined();
      expect(headers['content-length']).toMatch(method === 'POST' ? /^0$/ : /^\d+$/);
      if (method !== 'POST') expect(headers['content-type']).toBe('application/octet-stream');
    }
  },
);

test('22: a registry that takes no parts gets each blob whole', LIMIT, async () => {
  const { destination, sync } = await pair({
    onDestination: ({ method }) => {
      if (method === 'PATCH') return { kind: 'answer', status: 400, body: '{"errors":[{"code":"UNSUPPORTED"}]}' };
      return method === 'POST' ? { kind: 'with', headers: { 'oci-chunk-min-length': '5242880' } } : undefined;
    },
  });
  expect(await sync()).toMatchObject(COPIED);
  expect(destination.log.filter(({ method }) => method === 'PATCH')).toEqual([]);
});

describe('23: what breaks off goes on where it was', LIMIT, () => {
  const cut = (request: { readonly earlier: number } & Parameters<typeof is.blobRead>[0]): Action | undefined =>
    is.blobRead(request) && request.earlier === 0 ? { kind: 'truncate' } : undefined;

  test('a download', async () => {
    const { source, sync } = await pair({ onSource: cut });
    expect(await sync()).toMatchObject(COPIED);
    const ranges = source.log.filter(is.blobRead).map(({ headers }) => headers.range);
    expect(ranges.filter((range) => range !== undefined).length).toBeGreaterThan(3);
  });

  test('a download from a server that knows no ranges, and begins again', async () => {
    const { sync } = await pair({ source: { ranges: false }, onSource: cut });
    expect(await sync()).toMatchObject(COPIED);
  });

  test('a download of which another part comes than was asked for is one failure', async () => {
    const { source, sync } = await pair();
    source.onRequest = (request) =>
      cut(request) ??
      (request.headers.range === undefined
        ? undefined
        : { kind: 'with', headers: { 'content-range': 'bytes 0-99/100' } });
    expect(failureOf(await sync())).toMatchObject({ side: 'source' });
  });

  test('an upload, from what the registry says it has', async () => {
    const { destination, sync } = await pair({
      onDestination: (request) =>
        request.method === 'PUT' && is.uploadPart(request) && is.first(request)
          ? { kind: 'cut', after: 1000 }
          : undefined,
    });
    expect(await sync()).toMatchObject(COPIED);
    expect(destination.log.filter((each) => each.method === 'GET' && each.path.includes('/uploads/'))).not.toEqual([]);
  });

  test('an upload that the registry has forgotten begins anew', async () => {
    const { sync } = await pair({
      onDestination: (request) => {
        if (!request.path.includes('/uploads/') || request.method === 'POST') return undefined;
        if (request.method === 'GET') return { kind: 'answer', status: 404 };
        return is.first(request) && request.path.endsWith('/1') ? { kind: 'reset' } : undefined;
      },
    });
    expect(await sync()).toMatchObject(COPIED);
  });
});

test('24: an upload that fails for good is cancelled at the registry', LIMIT, async () => {
  const { destination, sync } = await pair({
    onSource: (request) => (is.blobRead(request) ? { kind: 'lie' } : undefined),
  });
  expect(failureOf(await sync())).toMatchObject({ class: 'permanent', side: 'source' });
  const begun = destination.log.filter(({ method }) => method === 'POST').length;
  const ended = destination.log.filter(({ method }) => method === 'DELETE').length;
  expect([begun > 0, ended]).toEqual([true, begun]);
});

describe('25: mounting from another repository of the host', LIMIT, () => {
  /** Source and destination are one host. */
  async function oneHost(onMount?: Action) {
    // It takes manifests whose parts are missing, so that they are there is our own merit.
    const server = await startScriptedRegistry({ sparse: true });
    onTestFinished(() => server.close());
    const registry = client({ retries: 0 });
    onTestFinished(() => registry.close());
    const image = seedImage(server, 'from', 'one', { tag: 'v1', layerSize: 50_000 });
    server.onRequest = (request) => (is.mount(request) ? onMount : undefined);
    const from = registry.content({ registry: server.host, path: 'from' }, 'source');
    const to = registry.content({ registry: server.host, path: 'to' }, 'destination');
    const copied = must(await copy(from, to, image.digest));
    expect(server.stored('to').blobs).toHaveLength(3);
    return copied;
  }

  test('sends nothing', async () => {
    expect(await oneHost()).toMatchObject({ blobs: 0, bytes: 0 });
  });

  test.each([202, 401, 403, 404, 405, 400, 500, 501])(
    'that is answered with %i: the bytes are sent',
    async (status) => {
      expect((await oneHost({ kind: 'answer', status })).blobs).toBe(3);
    },
  );

  test('of another blob than was asked for is none: the bytes are sent', async () => {
    const headers = { 'docker-content-digest': `sha256:${'0'.repeat(64)}` };
    expect((await oneHost({ kind: 'answer', status: 201, headers })).blobs).toBe(3);
  });

  test.each(['MANIFEST_INVALID', 'UNKNOWN'])('that was not done, as %s says: the bytes are sent', async (code) => {
    const { destination, sync } = await pair({
      destination: { sparse: true },
      onDestination: (request) => {
        if (is.mount(request)) return { kind: 'answer', status: 201 };
        const lacks = is.put(request) && destination.stored('to').blobs.length < 8;
        return lacks ? { kind: 'answer', status: 400, body: `{"errors":[{"code":"${code}"}]}` } : undefined;
      },
    });
    expect(await sync()).toMatchObject(COPIED);
  });
});

describe('26: a repository that has to be made first', LIMIT, () => {
  test.each<[string, Action]>([
    ['is said not to be known', { kind: 'answer', status: 404, body: '{"errors":[{"code":"NAME_UNKNOWN"}]}' }],
    ['cuts the connection', { kind: 'reset' }],
  ])('%s', async (_, action) => {
    const { sync } = await pair({
      client: { retries: 1 },
      onDestination: (request) => (request.method === 'POST' ? action : undefined),
    });
    expect(failureOf(await sync())).toMatchObject({ side: 'destination', hint: expect.any(String) as unknown });
  });
});

test(
  '27: an upload that was given up because the source was slow is opened again once there is something to send',
  LIMIT,
  async () => {
    const given = new Set<string>();
    const { destination, sync } = await pair({
      onDestination: (request) => {
        if (!is.uploadPart(request) || given.size >= 2 || given.has(request.path)) return undefined;
        given.add(request.path);
        return { kind: 'answer', status: 404, body: '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}' };
      },
    });
    expect(await sync()).toMatchObject(COPIED);
    expect(destination.log.filter(({ method }) => method === 'POST').length).toBeGreaterThan(5);
  },
);

describe('answers to an upload that say it otherwise', LIMIT, () => {
  const big = (source: ScriptedRegistry) => seedImage(source, 'from', 'big', { tag: 'v1', layerSize: 1_500_000 });
  const tooLarge = (request: ScriptedRequest): boolean =>
    request.method === 'PUT' && is.uploadPart(request) && Number(request.headers['content-length']) > 600_000;

  test.each<[string, boolean, Action]>([
    ['that it is stored', false, { kind: 'with', status: 201, headers: {} }],
    ['that all is well', false, { kind: 'with', status: 200, headers: {} }],
    ['not where it goes on', true, { kind: 'without', headers: ['location'] }],
  ])('of a part: %s', async (_, oneAddress, action) => {
    const { destination, sync } = await pair({
      seed: big,
      destination: { oneAddress },
      onDestination: (request) => {
        if (tooLarge(request)) return { kind: 'answer', status: 413 };
        return request.method === 'PATCH' ? action : undefined;
      },
    });
    expect(await sync()).toMatchObject(COPIED);
    expect(destination.log.filter(({ method }) => method === 'PATCH').length).toBeGreaterThan(2);
  });

  test.each([200, 202, 204])('of the whole: %i', async (status) => {
    const { sync } = await pair({
      onDestination: (request) =>
        request.method === 'PUT' && is.uploadPart(request) ? { kind: 'with', status, headers: {} } : undefined,
    });
    expect(await sync()).toMatchObject(COPIED);
  });

  test('of the whole, by who does not have it', async () => {
    const { sync } = await pair({
      client: { retries: 1 },
      onDestination: (request) =>
        request.method === 'PUT' && is.uploadPart(request) ? { kind: 'answer', status: 204 } : undefined,
    });
    expect(failureOf(await sync())).toMatchObject({
      side: 'destination',
      message: expect.stringContaining('does not have it') as unknown,
    });
  });
});
