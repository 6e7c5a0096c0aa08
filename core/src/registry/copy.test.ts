import { describe, expect, test } from 'vitest';
import { sha256 } from '../oci/digest.ts';
import { mediaType } from '../oci/model.ts';
import { seedImage } from '../testing/sample-images.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../testing/scripted-registry.ts';
import { copy } from './copy.ts';
import type { Registry } from './model.ts';
import { client, failureOf, lines, logins, must, repository } from './test-client.ts';

const BOTH = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64', variant: 'v8' },
];

function sides(registry: Registry, source: ScriptedRegistry, destination: ScriptedRegistry) {
  return [
    registry.content(repository(source.host, 'from'), 'source'),
    registry.content(repository(destination.host, 'to'), 'destination'),
  ] as const;
}

describe('copy', () => {
  test('sends blobs before manifests and children before the index, each once, and no tag', async () => {
    await using source = await startScriptedRegistry();
    await using destination = await startScriptedRegistry();
    await using registry = client();
    const image = seedImage(source, 'from', 'one', { platforms: BOTH });
    let seen = 0;
    const [from, to] = sides(registry, source, destination);
    const copied = must(await copy(from, to, image.digest, { onBytes: (bytes) => (seen += bytes) }));
    expect(copied.root.descriptor).toEqual(image);
    // Two configs, one shared layer, one layer each.
    expect(copied.blobs).toBe(5);
    expect(copied.bytes).toBe(seen);
    expect(destination.tags('to')).toEqual([]);
    const puts = lines(destination).filter((line) => line.startsWith('PUT'));
    expect(puts.filter((line) => line.includes('/blobs/'))).toHaveLength(5);
    expect(puts.at(-1)).toBe(`PUT /v2/to/manifests/${image.digest}`);
    // The scripted registry takes no manifest whose parts are missing, so that it is there proves the order.
    expect(destination.manifest('to', image.digest)).toBeDefined();
    expect(lines(source).filter((line) => line.includes('/blobs/'))).toHaveLength(5);
  });

  test('sends nothing that is there', async () => {
    await using source = await startScriptedRegistry();
    await using destination = await startScriptedRegistry();
    await using registry = client();
    const image = seedImage(source, 'from', 'one', { platforms: BOTH });
    const [from, to] = sides(registry, source, destination);
    must(await copy(from, to, image.digest));
    const before = destination.log.length;
    expect(must(await copy(from, to, image.digest))).toMatchObject({ blobs: 0, bytes: 0 });
    expect(
      lines(destination)
        .slice(before)
        .filter((line) => !line.startsWith('HEAD')),
    ).toEqual([]);
  });

  test('finishes an index that is there without its children', async () => {
    await using source = await startScriptedRegistry();
    await using destination = await startScriptedRegistry();
    await using registry = client();
    const image = seedImage(source, 'from', 'one', { platforms: BOTH });
    const index = source.manifest('from', image.digest);
    destination.putManifest('to', Buffer.from(index?.bytes ?? []).toString(), undefined, index?.type);
    const [from, to] = sides(registry, source, destination);
    expect(must(await copy(from, to, image.digest)).blobs).toBe(5);
  });

  test('mounts within one registry: one request a blob and no bytes', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    const image = seedImage(server, 'from', 'one');
    const [from, to] = sides(registry, server, server);
    expect(must(await copy(from, to, image.digest))).toMatchObject({ blobs: 0, bytes: 0 });
    expect(lines(server).filter((line) => line.includes('/blobs/'))).toEqual(
      Array.from({ length: 3 }, () => 'POST /v2/to/blobs/uploads/'),
    );
  });

  test('uses the upload that a refused mount has opened', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    // What is not in the other repository cannot be mounted from it.
    const from = registry.content(repository(server.host, 'from'), 'source');
    const to = registry.content(repository(server.host, 'to'), 'destination');
    const layer = { mediaType: 'a/b', digest: server.putBlob('elsewhere', 'x'), size: 1 };
    expect(must(await to.mountBlob(layer, from))).toBe(false);
    must(await to.putBlob(layer, async () => ({ ok: true, value: chunks('x') })));
    expect(lines(server).filter((line) => line.startsWith('POST'))).toHaveLength(1);
    expect(server.blob('to', layer.digest)).toBeDefined();
  });

  test('copies indexes in indexes, artifacts and empty blobs, and leaves foreign layers where they are', async () => {
    await using source = await startScriptedRegistry();
    await using destination = await startScriptedRegistry();
    await using registry = client();
    const config = { mediaType: mediaType.empty, digest: source.putBlob('from', '{}'), size: 2 };
    const empty = { mediaType: 'text/plain', digest: source.putBlob('from', ''), size: 0 };
    const foreign = {
      mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
      digest: sha256('away'),
      size: 4,
      urls: ['https://away.example/x'],
    };
    const artifact = source.putManifest('from', {
      schemaVersion: 2,
      mediaType: mediaType.ociManifest,
      artifactType: 'a/b',
      config,
      layers: [empty, foreign],
    });
    const inner = source.putManifest('from', {
      schemaVersion: 2,
      mediaType: mediaType.ociIndex,
      manifests: [artifact],
    });
    const outer = source.putManifest('from', {
      schemaVersion: 2,
      mediaType: mediaType.ociIndex,
      manifests: [inner, artifact],
    });
    const [from, to] = sides(registry, source, destination);
    expect(must(await copy(from, to, outer.digest)).blobs).toBe(2);
    expect(destination.blob('to', foreign.digest)).toBeUndefined();
    expect(lines(source).filter((line) => line.endsWith(artifact.digest))).toHaveLength(1);
  });

  test.each(['source', 'destination'] as const)(
    'wrong bytes of a blob, side %s, are a permanent failure and leave no manifest',
    async (side) => {
      await using source = await startScriptedRegistry();
      await using destination = await startScriptedRegistry();
      await using registry = client();
      const image = seedImage(source, 'from', 'one', { layerSize: 300_000 });
      const lie = ({ path }: { readonly path: string }) =>
        path.includes('/blobs/') ? ({ kind: 'lie' } as const) : undefined;
      if (side === 'source') source.onRequest = lie;
      else {
        destination.onRequest = ({ method }) =>
          method === 'PUT'
            ? { kind: 'answer', status: 400, body: '{"errors":[{"code":"DIGEST_INVALID"}]}' }
            : undefined;
      }
      const [from, to] = sides(registry, source, destination);
      expect(failureOf(await copy(from, to, image.digest))).toMatchObject({
        reason: 'registry',
        class: 'permanent',
        side,
      });
      expect(destination.manifest('to', image.digest)).toBeUndefined();
      expect(lines(destination).filter((line) => line.startsWith('PUT') && line.includes('/manifests/'))).toEqual([]);
    },
  );

  test('wrong bytes are never received whole by the destination', async () => {
    await using source = await startScriptedRegistry();
    await using destination = await startScriptedRegistry();
    await using registry = client();
    const bytes = 'x'.repeat(500_000);
    const layer = { mediaType: 'a/b', digest: source.putBlob('from', bytes), size: bytes.length };
    source.onRequest = () => ({ kind: 'lie' });
    const [from, to] = sides(registry, source, destination);
    failureOf(await to.putBlob(layer, () => from.blob(layer)));
    // A request is answered once its body is there: the upload's PUT never was.
    expect(destination.blob('to', layer.digest)).toBeUndefined();
    expect(lines(source)).toHaveLength(1);
  });

  test('a blob that breaks off is fetched again', async () => {
    await using source = await startScriptedRegistry();
    await using destination = await startScriptedRegistry();
    await using registry = client();
    const image = seedImage(source, 'from', 'one', { layerSize: 300_000 });
    source.onRequest = ({ path, earlier }) =>
      path.includes('/blobs/') && earlier === 0 ? { kind: 'truncate' } : undefined;
    const [from, to] = sides(registry, source, destination);
    must(await copy(from, to, image.digest));
    expect(destination.manifest('to', image.digest)).toBeDefined();
  });

  test('one that always breaks off is a transient failure of the source', async () => {
    await using source = await startScriptedRegistry();
    await using destination = await startScriptedRegistry();
    await using registry = client({ retries: 1 });
    const image = seedImage(source, 'from', 'one', { layerSize: 300_000 });
    source.onRequest = ({ path }) => (path.includes('/blobs/') ? { kind: 'truncate' } : undefined);
    const [from, to] = sides(registry, source, destination);
    expect(failureOf(await copy(from, to, image.digest))).toMatchObject({ class: 'transient', side: 'source' });
    expect(destination.manifest('to', image.digest)).toBeUndefined();
  });

  test('a manifest that the source lacks is a failure that names the source', async () => {
    await using source = await startScriptedRegistry();
    await using destination = await startScriptedRegistry();
    await using registry = client();
    const [from, to] = sides(registry, source, destination);
    expect(failureOf(await copy(from, to, sha256('nothing'), { source: source.host }))).toMatchObject({
      class: 'permanent',
      side: 'source',
      host: source.host,
    });
  });

  test('a destination that wants a login first gets it, also in the middle', async () => {
    await using source = await startScriptedRegistry();
    await using destination = await startScriptedRegistry({
      tokens: { users: { ann: 'p' }, anonymous: false, uses: 6 },
    });
    await using registry = client({
      credentials: logins({ [destination.host]: { kind: 'password', username: 'ann', secret: 'p' } }),
    });
    const image = seedImage(source, 'from', 'one', { platforms: BOTH });
    const [from, to] = sides(registry, source, destination);
    must(await copy(from, to, image.digest));
    expect(destination.manifest('to', image.digest)).toBeDefined();
    expect(lines(destination).filter((line) => line === 'GET /token').length).toBeGreaterThan(2);
  });

  test('many blobs between repositories of one slow host, one request at a time, do not wait for each other for ever', async () => {
    await using server = await startScriptedRegistry({ latency: 1 });
    await using registry = client({ perHost: 1 });
    const image = seedImage(server, 'from', 'one', { platforms: BOTH, layerSize: 100_000 });
    // No mounting: every blob is read from the host that it is sent to.
    server.onRequest = ({ url }) => (url.includes('mount=') ? { kind: 'answer', status: 405 } : undefined);
    const [from, to] = sides(registry, server, server);
    expect(must(await copy(from, to, image.digest)).blobs).toBe(5);
  });

  test('an aborted copy ends as cancelled', async () => {
    await using source = await startScriptedRegistry();
    await using destination = await startScriptedRegistry();
    await using registry = client();
    const image = seedImage(source, 'from', 'one', { platforms: BOTH });
    const controller = new AbortController();
    const [from, to] = sides(registry, source, destination);
    const running = copy(from, to, image.digest, { signal: controller.signal, onBytes: () => controller.abort() });
    expect(failureOf(await running).reason).toBe('cancelled');
    expect(destination.manifest('to', image.digest)).toBeUndefined();
  });
});

async function* chunks(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
