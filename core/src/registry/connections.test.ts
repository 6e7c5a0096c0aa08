/** Certificates, proxies and redirects, against real servers on loopback. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ok } from '../failure.ts';
import type { Digest } from '../reference.ts';
import { startScriptedRegistry } from '../testing/scripted-registry.ts';
import { client, failureOf, must, reference, repository } from './test-client.ts';
import { makeAuthority, startRaw, startTlsRegistry, startTunnelProxy, type Authority } from '../testing/servers.ts';

let authority: Authority;
beforeAll(async () => {
  authority = await makeAuthority();
}, 60_000);

const overTls = { plainHttp: () => false, retries: 0 };

describe('certificates', () => {
  test('of an unknown authority are refused, and the failure says what to do', async () => {
    await using server = await startTlsRegistry(authority.server);
    await using registry = client(overTls);
    const failure = failureOf(await registry.head(reference(`localhost:${server.port}/a:1`), 'source'));
    expect(failure).toMatchObject({ class: 'permanent' });
    expect(failure.message).toContain('its certificate is not trusted');
    expect(failure.hint).toContain('ca of the registry');
    expect(server.paths).toEqual([]);
  });

  test('of an authority that is named for this host are trusted, and for no other host', async () => {
    await using server = await startTlsRegistry(authority.server);
    const named = `localhost:${server.port}`;
    await using registry = client({
      ...overTls,
      hostOptions: (host) => (host === named ? { ca: authority.ca } : undefined),
    });
    expect(must(await registry.head(reference(`${named}/a:1`), 'source'))).toBeUndefined();
    failureOf(await registry.head(reference(`127.0.0.1:${server.port}/a:1`), 'source'));
  });

  test(
    'of an authority that NODE_EXTRA_CA_CERTS names are trusted, also beside one that the settings name',
    { timeout: 60_000 },
    async () => {
      const other = await makeAuthority();
      const folder = await mkdtemp(join(tmpdir(), 'slipway-extra-ca-'));
      try {
        await writeFile(join(folder, 'extra.pem'), authority.ca);
        await using server = await startTlsRegistry(authority.server);
        const script = `
        import { createRegistry } from ${JSON.stringify(join(import.meta.dirname, 'client.ts'))};
        import { parseReference } from ${JSON.stringify(join(import.meta.dirname, '../reference.ts'))};
        const credentials = { login: async () => ({ ok: true }), dockerConfigFor: async () => ({ auths: {} }) };
        for (const hostOptions of [() => undefined, () => ({ ca: process.env.OTHER })]) {
          const registry = createRegistry({ plainHttp: () => false, mirrors: [], credentials, perHost: 2, hostOptions, retries: 0 });
          const answer = await registry.head(parseReference(process.env.REFERENCE).value, 'source');
          console.log(answer.ok);
          await registry.close();
        }`;
        const args = ['--conditions=slipway-source', '--input-type=module', '--eval', script];
        const run = (env: Readonly<Record<string, string>>) =>
          promisify(execFile)(process.execPath, args, {
            env: { REFERENCE: `localhost:${server.port}/a:1`, OTHER: other.ca, ...env },
          });
        expect((await run({ NODE_EXTRA_CA_CERTS: join(folder, 'extra.pem') })).stdout).toBe('true\ntrue\n');
        expect((await run({})).stdout).toBe('false\nfalse\n');
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  );

  test('that are ours are shown to whoever asks for them', async () => {
    await using server = await startTlsRegistry({ ...authority.server, ca: authority.ca, requestCert: true });
    const host = `localhost:${server.port}`;
    const { ca } = authority;
    await using stranger = client({ ...overTls, hostOptions: () => ({ ca }) });
    const refused = failureOf(await stranger.head(reference(`${host}/a:1`), 'source'));
    expect(JSON.stringify(refused)).toMatch(/our certificate|closed the connection/);
    await using registry = client({ ...overTls, hostOptions: () => ({ ca, ...authority.client }) });
    expect(must(await registry.head(reference(`${host}/a:1`), 'source'))).toBeUndefined();
  });
});

describe('a proxy', () => {
  /** The names are unknown to everybody but the proxy, so that only through it there is an answer. */
  const through = (env: Readonly<Record<string, string>>, ca = authority.ca) =>
    client({ ...overTls, env, hostOptions: () => ({ ca }) });

  test('is a tunnel for TLS, whose certificates are those of the registry', async () => {
    await using server = await startTlsRegistry(authority.server);
    await using proxy = await startTunnelProxy('ann:s%cret');
    await using registry = through({ HTTPS_PROXY: `http://ann:s%25cret@127.0.0.1:${proxy.port}` });
    const host = `registry.test:${server.port}`;
    expect(must(await registry.head(reference(`${host}/a:1`), 'destination'))).toBeUndefined();
    expect(proxy.asked).toEqual([host]);
    expect(server.paths).toEqual(['/v2/a/manifests/1']);
    await using distrusting = client({ ...overTls, env: { HTTPS_PROXY: `ann:s%25cret@127.0.0.1:${proxy.port}` } });
    expect(failureOf(await distrusting.head(reference(`${host}/a:1`), 'source')).message).toContain('not trusted');
  });

  test('that wants another login is named, and the login is not', async () => {
    await using proxy = await startTunnelProxy('ann:right');
    await using registry = through({ HTTPS_PROXY: `http://ann:canary-secret@127.0.0.1:${proxy.port}` });
    const failure = failureOf(await registry.head(reference('registry.test/a:1'), 'source'));
    expect(failure).toMatchObject({ class: 'permanent' });
    expect(failure.message).toContain('the proxy wants a login (407)');
    expect(failure.hint).toContain('HTTPS_PROXY');
    expect(JSON.stringify(failure)).not.toContain('canary');
    expect(JSON.stringify(failure)).not.toContain(Buffer.from('ann:canary-secret').toString('base64'));
  });

  test.each([
    ['http://127.0.0.1:1', 'cannot talk to registry.test: the proxy refuses connections'],
    ['http://proxy.invalid:3128', "cannot talk to registry.test: the proxy's host name "],
  ])('that is not there is blamed, and not the registry: %s', async (address, message) => {
    await using registry = through({ HTTPS_PROXY: address });
    const failure = failureOf(await registry.head(reference('registry.test/a:1'), 'source'));
    expect(failure.message).toContain(message);
    expect(failure.hint).toContain('HTTPS_PROXY');
  });

  test('is not asked for what NO_PROXY names, nor for loopback', async () => {
    await using server = await startTlsRegistry(authority.server);
    await using proxy = await startTunnelProxy();
    const NO_PROXY = 'other, .test,0.0.0.0/8';
    await using registry = through({ HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, NO_PROXY });
    failureOf(await registry.head(reference(`registry.test:${server.port}/a:1`), 'source'));
    // Of this machine, though no address of it is named so.
    failureOf(await registry.head(reference(`0.0.0.0:${server.port}/a:1`), 'source'));
    must(await registry.head(reference(`localhost:${server.port}/a:1`), 'source'));
    expect(proxy.asked).toEqual([]);
  });

  test('of plain HTTP only is no proxy for TLS', async () => {
    await using proxy = await startTunnelProxy();
    await using registry = through({ http_proxy: `http://127.0.0.1:${proxy.port}` });
    failureOf(await registry.head(reference('registry.test/a:1'), 'source'));
    expect(proxy.asked).toEqual([]);
  });

  test.each(['http://', 'ftp://proxy.example', 'http://%zz@proxy.example', 'http://a b'])(
    'that is written as %s is a failure that names the variable',
    async (address) => {
      await using registry = through({ HTTPS_PROXY: address });
      const failure = failureOf(await registry.head(reference('registry.test/a:1'), 'source'));
      expect(failure).toMatchObject({ class: 'permanent' });
      expect(failure.message).toContain('HTTPS_PROXY is not an address');
    },
  );
});

test('a registry on the internet does not lead into our network', async () => {
  await using inside = await startScriptedRegistry();
  // The proxy answers for the registry, since nobody can be on the internet here.
  await using outside = await startScriptedRegistry({
    onRequest: () => ({ kind: 'answer', status: 307, headers: { location: `http://${inside.host}/secret` } }),
  });
  const digest = inside.putBlob('a', 'bytes');
  const read = async (named: readonly string[]) => {
    await using registry = client({
      plainHttp: () => true,
      env: { HTTP_PROXY: `http://${outside.host}` },
      hostOptions: (host) => (named.includes(host) ? {} : undefined),
      retries: 0,
    });
    const where = repository('registry.example', 'a');
    return failureOf(await registry.readBlob(where, { mediaType: 'a/b', digest, size: 5 }, 'source'));
  };
  expect((await read([])).message).toContain('not to be reached from there');
  expect(inside.log).toEqual([]);
  await read([inside.host]);
  expect(inside.log.length).toBeGreaterThan(0);
});

describe('a registry that is named with the port that it has anyway', () => {
  const host = 'registry.example:80';
  const digest = `sha256:${'a'.repeat(64)}` as Digest;
  const blob = { mediaType: 'a/b', digest, size: 5 };
  async function behindProxy() {
    const proxy = await startScriptedRegistry();
    const registry = client({ plainHttp: (name) => name === host, env: { HTTP_PROXY: `http://${proxy.host}` } });
    onTestFinished(async () => {
      await registry.close();
      await proxy.close();
    });
    return { registry, log: proxy.log };
  }

  test('is itself, and no storage that a redirect led to', async () => {
    const { registry, log } = await behindProxy();
    failureOf(await registry.readBlob(repository(host, 'a'), blob, 'source'));
    expect(log).toHaveLength(1);
  });

  test('is meant by addresses without it', async () => {
    const { registry, log } = await behindProxy();
    failureOf(await registry.fetchJson({ url: 'http://registry.example/data.json' }));
    const elsewhere = { ...blob, urls: ['http://registry.example/layer'] };
    failureOf((await registry.content(repository(host, 'a'), 'source').foreignBlob?.(elsewhere)) ?? ok(undefined));
    expect(log.map(({ url }) => url)).toEqual(['http://registry.example/data.json', 'http://registry.example/layer']);
  });
});

test.each(['HEAD', 'GET'])(
  '%s ends at once when it is cancelled, also while it waits for a connection',
  async (method) => {
    // It takes connections, and never says that there is a tunnel.
    const connected = Promise.withResolvers<void>();
    await using silent = await startRaw(() => connected.resolve());
    const controller = new AbortController();
    await using registry = client({
      ...overTls,
      env: { HTTPS_PROXY: `http://127.0.0.1:${silent.port}` },
      signal: controller.signal,
    });
    const image = reference('registry.test/a:1');
    const asked = method === 'HEAD' ? registry.head(image, 'source') : registry.manifest(image, 'source');
    await connected.promise;
    const before = performance.now();
    controller.abort();
    expect(failureOf(await asked).reason).toBe('cancelled');
    expect(performance.now() - before).toBeLessThan(1000);
  },
);

test.each([
  // Two take turns: the first is not quite free yet when the next request comes.
  ['as it should', '', 2],
  // The bytes that nobody asked for must not be taken for the next answer.
  ['with a body', 'hello', 10],
])('a server that answers HEAD %s needs so many connections for ten', async (_, body, connections) => {
  let taken = 0;
  const head = [
    'HTTP/1.1 200 OK',
    'content-type: application/vnd.oci.image.index.v1+json',
    `docker-content-digest: sha256:${'a'.repeat(64)}`,
    'content-length: 5',
    '\r\n',
  ].join('\r\n');
  await using server = await startRaw((socket) => {
    taken += 1;
    socket.on('data', () => socket.write(`${head}${body}`));
  });
  await using registry = client();
  for (let each = 0; each < 10; each += 1) {
    expect(must(await registry.head(reference(`127.0.0.1:${server.port}/a:1`), 'source'))?.digest).toMatch(
      /^sha256:a+$/,
    );
  }
  expect(taken).toBe(connections);
});

test.each([
  ['no status', 'hello there', 'is not HTTP'],
  ['a length below zero', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n', 'is not HTTP'],
  ['headers without end', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(20_000)}`, 'the headers of its answer have no end'],
  [
    'another protocol',
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    'closed the connection',
  ],
])('an answer that makes no sense is told as such: %s', async (_, answer, said) => {
  await using server = await startRaw((socket) => socket.on('data', () => socket.write(answer)));
  await using registry = client({ retries: 0 });
  const image = reference(`127.0.0.1:${server.port}/a:1`);
  for (const asked of [await registry.head(image, 'source'), await registry.manifest(image, 'source')]) {
    expect(failureOf(asked)).toMatchObject({ reason: 'registry', message: expect.stringContaining(said) as unknown });
  }
});
