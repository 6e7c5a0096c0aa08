import { describe, expect, test } from 'vitest';
import { sha256 } from '../oci/digest.ts';
import { mediaType, type Descriptor } from '../oci/model.ts';
import { pin, type Tag } from '../reference.ts';
import { seedImage } from '../testing/sample-images.ts';
import { startScriptedRegistry } from '../testing/scripted-registry.ts';
import { client, failureOf, lines, must, pinned, reference, repository } from './test-client.ts';

const BOTH = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64' },
];

/** What a HEAD says of it. */
function named({ digest, mediaType: type }: Descriptor) {
  return { digest, mediaType: type };
}

describe('head', () => {
  test('is one HEAD request, by tag or by digest', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    const image = seedImage(server, 'a/b', 'one', { tag: '1' });
    expect(must(await registry.head(reference(`${server.host}/a/b:1`), 'source'))).toEqual(named(image));
    expect(must(await registry.head(reference(`${server.host}/a/b:1@${image.digest}`), 'source'))).toEqual(
      named(image),
    );
    expect(lines(server)).toEqual(['HEAD /v2/a/b/manifests/1', `HEAD /v2/a/b/manifests/${image.digest}`]);
    expect(registry.requests.get(server.host)).toBe(2);
  });

  test('is enough where the registry does not say its length', async () => {
    await using server = await startScriptedRegistry({
      onRequest: () => ({ kind: 'without', headers: ['content-length'] }),
    });
    await using registry = client();
    const image = seedImage(server, 'a/b', 'one', { tag: '1' });
    expect(must(await registry.head(reference(`${server.host}/a/b:1`), 'source'))).toEqual(named(image));
    expect(lines(server)).toEqual(['HEAD /v2/a/b/manifests/1']);
  });

  test('reads and hashes the manifest where the registry does not say its digest', async () => {
    await using server = await startScriptedRegistry({
      onRequest: () => ({ kind: 'without', headers: ['docker-content-digest'] }),
    });
    await using registry = client();
    const image = seedImage(server, 'a/b', 'one', { tag: '1' });
    expect(must(await registry.head(reference(`${server.host}/a/b:1`), 'source'))).toEqual(named(image));
    expect(lines(server)).toEqual(['HEAD /v2/a/b/manifests/1', 'GET /v2/a/b/manifests/1']);
  });

  test.each([405, 501])('reads it as well where HEAD is answered with %i', async (status) => {
    await using server = await startScriptedRegistry({
      onRequest: ({ method }) => (method === 'HEAD' ? { kind: 'answer', status } : undefined),
    });
    await using registry = client();
    const image = seedImage(server, 'a/b', 'one', { tag: '1' });
    expect(must(await registry.head(reference(`${server.host}/a/b:1`), 'source'))).toEqual(named(image));
    expect(must(await registry.head(reference(`${server.host}/a/b:2`), 'source'))).toBeUndefined();
  });

  test('is undefined for what is not there', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    expect(must(await registry.head(reference(`${server.host}/a/b:1`), 'destination'))).toBeUndefined();
    expect(must(await registry.manifest(reference(`${server.host}/a/b:1`), 'destination'))).toBeUndefined();
  });

  test('refuses a registry that names another digest than the one asked for', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    const one = seedImage(server, 'a/b', 'one');
    const digest = sha256('another');
    server.onRequest = () => ({
      kind: 'answer',
      status: 200,
      headers: { 'docker-content-digest': digest, 'content-type': mediaType.ociManifest },
    });
    const failure = failureOf(await registry.head(pin(repository(server.host, 'a/b'), one.digest), 'source'));
    expect(failure).toMatchObject({ reason: 'registry', class: 'permanent', side: 'source', host: server.host });
  });
});

describe('manifest', () => {
  test('keeps the exact bytes', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    const image = seedImage(server, 'a/b', 'one', { tag: '1', platforms: BOTH });
    const content = must(await registry.manifest(reference(`${server.host}/a/b:1`), 'source'));
    expect(content?.kind).toBe('index');
    expect(content?.descriptor).toEqual(image);
    expect(sha256(content?.bytes ?? '')).toBe(image.digest);
    expect(server.log[0]?.headers['accept']).toBe(
      `${mediaType.ociIndex}, ${mediaType.ociManifest}, ${mediaType.dockerList}, ${mediaType.dockerManifest}`,
    );
  });

  test('with wrong bytes is a permanent failure that is not tried again', async () => {
    await using server = await startScriptedRegistry({ onRequest: () => ({ kind: 'lie' }) });
    await using registry = client();
    const image = seedImage(server, 'a/b', 'one', { tag: '1' });
    for (const name of [`a/b@${image.digest}`, 'a/b:1']) {
      const failure = failureOf(await registry.manifest(reference(`${server.host}/${name}`), 'source'));
      expect(failure).toMatchObject({ class: 'permanent', side: 'source' });
      expect(failure.message).toContain('sent wrong bytes');
    }
    expect(server.log).toHaveLength(2);
  });

  test('in schema 1 is refused', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    server.putManifest(
      'a/b',
      { schemaVersion: 1, name: 'a/b' },
      '1',
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
    );
    const name = reference(`${server.host}/a/b:1`);
    for (const answer of [await registry.head(name, 'source'), await registry.manifest(name, 'source')]) {
      const failure = failureOf(answer);
      expect(failure.class).toBe('permanent');
      expect(failure.message).toContain('schema 1');
    }
  });

  test('that is too large is refused without reading it all', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    server.putManifest('a/b', `{"schemaVersion":2,"filler":"${'x'.repeat(4 * 1024 * 1024)}"}`, '1');
    expect(failureOf(await registry.manifest(reference(`${server.host}/a/b:1`), 'source'))).toMatchObject({
      class: 'permanent',
    });
  });
});

describe('a manifest that is put with 202', () => {
  const MANIFEST = Buffer.from('{"schemaVersion":2,"manifests":[]}');
  const descriptor = { mediaType: mediaType.ociIndex, digest: sha256(MANIFEST), size: MANIFEST.byteLength };
  const content = { kind: 'index', descriptor, bytes: MANIFEST, value: { schemaVersion: 2, manifests: [] } } as const;

  test.each([true, false])('counts if it is there afterwards: %s', async (kept) => {
    await using server = await startScriptedRegistry();
    server.onRequest = ({ method }) => {
      if (method !== 'PUT') return undefined;
      if (kept) server.putManifest('a', MANIFEST.toString(), undefined, mediaType.ociIndex);
      return { kind: 'answer', status: 202 };
    };
    await using registry = client();
    const put = await registry.content(repository(server.host, 'a'), 'destination').putManifest(content);
    expect(put.ok).toBe(kept);
    if (!put.ok) expect(put.failure).toMatchObject({ class: 'permanent', status: 202 });
  });
});

describe('refusals', () => {
  test.each([401, 403])('%i says how to log in, and whose side it was', async (status) => {
    await using server = await startScriptedRegistry({ onRequest: () => ({ kind: 'answer', status }) });
    await using registry = client();
    const failure = failureOf(await registry.head(reference(`${server.host}/a/b:1`), 'destination'));
    expect(failure).toMatchObject({ reason: 'registry', class: 'permanent', side: 'destination', status });
    expect(failure.hint).toContain(`docker login ${server.host}`);
    expect(server.log).toHaveLength(1);
  });

  test('an error text from a stranger cannot draw on the terminal', async () => {
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'no\u001b[31m\nentry' }] });
    await using server = await startScriptedRegistry({ onRequest: () => ({ kind: 'answer', status: 400, body }) });
    await using registry = client();
    const failure = failureOf(await registry.manifest(reference(`${server.host}/a/b:1`), 'source'));
    expect(failure.message).toContain('400 DENIED: no [31m entry');
    expect(failure.message).not.toMatch(/\p{Cc}/u);
  });

  test('a host that does not listen is a transient failure', async () => {
    const server = await startScriptedRegistry();
    await server.close();
    await using registry = client({ retries: 0 });
    expect(failureOf(await registry.head(reference(`${server.host}/a/b:1`), 'source'))).toMatchObject({
      class: 'transient',
      host: server.host,
    });
  });

  test('an aborted signal ends what waits, as cancelled', async () => {
    const controller = new AbortController();
    await using server = await startScriptedRegistry({ onRequest: () => new Promise(() => {}) });
    await using registry = client({ signal: controller.signal, perHost: 1 });
    const running = [1, 2, 3].map((tag) => registry.head(reference(`${server.host}/a/b:${tag}`), 'source'));
    await expect.poll(() => server.log.length).toBe(1);
    controller.abort();
    for (const result of await Promise.all(running)) expect(failureOf(result).reason).toBe('cancelled');
  });
});

describe('tags', () => {
  test('are read over all pages, and only valid ones', async () => {
    await using server = await startScriptedRegistry({ pageSize: 2 });
    await using registry = client();
    for (const tag of ['3', '1', '2', '--help', 'a b']) seedImage(server, 'a/b', 'one', { tag });
    expect(must(await registry.tags(repository(server.host, 'a/b'), 'source'))).toEqual(['1', '2', '3']);
    expect(server.log).toHaveLength(3);
  });

  test('a link that does not say what it is for leads to the next page', async () => {
    await using server = await startScriptedRegistry({
      onRequest: ({ path }) =>
        path !== '/v2/a/tags/list'
          ? undefined
          : { kind: 'answer', status: 200, headers: { link: '</v2/b/tags/list>' }, body: '{"tags":["1"]}' },
    });
    seedImage(server, 'b', 'two', { tag: '2' });
    await using registry = client();
    expect(must(await registry.tags(repository(server.host, 'a'), 'source'))).toEqual(['1', '2']);
  });

  test('of a repository that is not there are none', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    expect(must(await registry.tags(repository(server.host, 'a/b'), 'source'))).toEqual([]);
  });

  test('pages that lead in a circle end in a failure', async () => {
    const headers = { link: '</v2/a/b/tags/list?n=1>; rel="next"' };
    await using server = await startScriptedRegistry({
      onRequest: () => ({ kind: 'answer', status: 200, headers, body: '{"tags":["1"]}' }),
    });
    await using registry = client();
    expect(failureOf(await registry.tags(repository(server.host, 'a/b'), 'source')).message).toContain('does not end');
  });

  test('are moved by putting the very bytes, with one request when they are known', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    const image = seedImage(server, 'a/b', 'one');
    const subject = pinned(`${server.host}/a/b@${image.digest}`);
    must(await registry.tag(subject, 'x' as Tag));
    const known = must(await registry.manifest(subject, 'destination'));
    const before = server.log.length;
    must(await registry.tag(subject, 'y' as Tag, known));
    expect(server.log.length - before).toBe(1);
    expect([server.manifest('a/b', 'x')?.digest, server.manifest('a/b', 'y')?.digest]).toEqual([
      image.digest,
      image.digest,
    ]);
  });

  test('are never moved to another manifest than the subject', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    const image = seedImage(server, 'a/b', 'one');
    const other = seedImage(server, 'a/b', 'two');
    const known = must(await registry.manifest(pinned(`${server.host}/a/b@${other.digest}`), 'destination'));
    failureOf(await registry.tag(pinned(`${server.host}/a/b@${image.digest}`), 'x' as Tag, known));
    expect(server.tags('a/b')).toEqual([]);
  });
});

test('at most perHost requests are in flight to one host', async () => {
  let now = 0;
  let most = 0;
  await using server = await startScriptedRegistry({
    onRequest: async () => {
      most = Math.max(most, (now += 1));
      await new Promise((resolve) => setTimeout(resolve, 10));
      now -= 1;
      return undefined;
    },
  });
  await using registry = client({ perHost: 3 });
  await Promise.all(
    Array.from({ length: 20 }, (_, at) => registry.head(reference(`${server.host}/a/b:${at}`), 'source')),
  );
  expect(most).toBeLessThanOrEqual(3);
  expect(most).toBeGreaterThan(1);
});
