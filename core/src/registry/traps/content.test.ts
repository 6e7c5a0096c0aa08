/** What registries send: digests, types, manifests. The numbers are those of the table beside this file. */
import { createHash } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mediaType, type Descriptor } from '../../oci/model.ts';
import type { Digest } from '../../reference.ts';
import { seedImage } from '../../testing/sample-images.ts';
import { imageKinds } from '../../testing/sample-kinds.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../../testing/scripted-registry.ts';
import { copy } from '../copy.ts';
import { fallbackTag } from '../referrers.ts';
import { failureOf, must } from '../test-client.ts';
import { COPIED, is, pair } from './pair.ts';

const LIMIT = { timeout: 10_000 };
const GONE = { kind: 'answer', status: 404 } as const;
const TYPES = [mediaType.ociIndex, mediaType.ociManifest, mediaType.dockerList, mediaType.dockerManifest];

describe('1: a registry that does not say digests', LIMIT, () => {
  test('has its manifests hashed', async () => {
    const { sync } = await pair({
      onSource: () => ({ kind: 'without', headers: ['docker-content-digest'] }),
      onDestination: () => ({ kind: 'without', headers: ['docker-content-digest'] }),
    });
    expect(await sync()).toMatchObject(COPIED);
  });

  test('is not believed when it says a wrong one', async () => {
    const wrong = `sha256:${'0'.repeat(64)}`;
    const { sync } = await pair({
      onSource: (request) =>
        is.manifest(request) ? { kind: 'with', headers: { 'docker-content-digest': wrong } } : undefined,
    });
    // What it says is asked for, and is not there.
    expect(failureOf(await sync())).toMatchObject({ class: 'permanent', side: 'source' });
  });
});

test('2: every request for a manifest accepts the same, in one line, on both sides', LIMIT, async () => {
  const { source, destination, sync } = await pair();
  expect(await sync()).toMatchObject(COPIED);
  const reads = [...source.log, ...destination.log].filter((each) => is.manifest(each) && each.method !== 'PUT');
  const accepted = new Set(reads.map(({ headers }) => headers.accept));
  expect(reads.length).toBeGreaterThan(3);
  expect([...accepted]).toEqual([TYPES.join(', ')]);
});

test('3: a manifest of Docker’s schema 1 is refused by its name', LIMIT, async () => {
  const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
  const { sync } = await pair({
    seed: (source) => source.putManifest('from', { schemaVersion: 1, name: 'a', fsLayers: [] }, 'v1', type),
  });
  expect(failureOf(await sync())).toMatchObject({
    class: 'permanent',
    message: expect.stringContaining('schema 1') as unknown,
  });
});

describe('4: every kind of index and manifest is copied', LIMIT, () => {
  test.each(Object.entries(imageKinds))('%s', async (_, kind) => {
    const { sync } = await pair({ seed: (source) => tagged(source, kind(source, 'from').digest) });
    expect(await sync()).toMatchObject(COPIED);
  });

  // As crane, regctl and ORAS copy it; skopeo refuses it.
  test('an index that also names what is no manifest', async () => {
    const { sync } = await pair({
      seed: (source) =>
        indexOf(source, [
          { mediaType: 'text/plain', digest: source.putBlob('from', 'a note'), size: 6 },
          seedImage(source, 'from', 'noted'),
        ]),
    });
    expect(await sync()).toMatchObject(COPIED);
  });
});

test('5: bytes that are not as anybody would write them stay as they are', LIMIT, async () => {
  const config = (source: ScriptedRegistry) => source.putBlob('from', '{"os":"linux","architecture":"amd64"}');
  const { destination, image, sync } = await pair({
    seed: (source) =>
      source.putManifest(
        'from',
        `\n{ "layers":[ ],\t"config" : {"size":37,"digest":"${config(source)}","mediaType":"${mediaType.ociConfig}"},` +
          `"schemaVersion":2.0, "annotations":{"b":"\\u00e9","a":"1"} }  \n`,
        'v1',
        mediaType.ociManifest,
      ),
  });
  expect(await sync()).toMatchObject(COPIED);
  expect(destination.manifest('to', 'v1')?.digest).toBe(image.digest);
});

test('7: an index whose children are missing fails, and says where', LIMIT, async () => {
  const { source, sync } = await pair({
    seed: (from) => {
      const child = imageKinds['a single manifest']?.(from, 'from');
      const gone = { mediaType: mediaType.ociManifest, digest: `sha256:${'1'.repeat(64)}`, size: 10 };
      return from.putManifest(
        'from',
        { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: [child, gone] },
        'v1',
      );
    },
  });
  const failure = failureOf(await sync());
  expect(failure).toMatchObject({ class: 'permanent', side: 'source', host: source.host });
  expect(failure.message).toContain('has no manifest sha256:1111');
});

test('7: a manifest whose blob is missing fails, and what helps is not another name', LIMIT, async () => {
  const { source, sync } = await pair({ onSource: (request) => (is.blobRead(request) ? GONE : undefined) });
  expect(failureOf(await sync())).toMatchObject({
    class: 'permanent',
    side: 'source',
    hint: `the image is incomplete at ${source.host}, which lacks a part that its manifest names: push it there again`,
  });
});

test(
  '7: an image of hundreds of blobs fails with the first that is missing, and the others are left alone',
  LIMIT,
  async () => {
    const { source, destination, sync } = await pair({
      seed: (from) => {
        const part = (at: number) => ({
          mediaType: 'application/vnd.oci.image.layer.v1.tar',
          digest: `sha256:${String(at).padStart(64, '0')}`,
          size: 1,
        });
        const config = { mediaType: mediaType.ociConfig, digest: from.putBlob('from', '{}'), size: 2 };
        const layers = Array.from({ length: 600 }, (_, at) => part(at));
        return from.putManifest('from', { schemaVersion: 2, mediaType: mediaType.ociManifest, config, layers }, 'v1');
      },
    });
    expect(failureOf(await sync())).toMatchObject({ class: 'permanent', side: 'source' });
    expect(source.log.length).toBeLessThan(300);
    expect(destination.log.length).toBeLessThan(900);
  },
);

describe('8: layers that are published elsewhere', LIMIT, () => {
  async function foreign(fetched: boolean, held = false) {
    const store = await startScriptedRegistry();
    onTestFinished(() => store.close());
    const layer = store.putBlob('away', 'far away');
    const made = await pair({
      source: { tokens: { users: {} } },
      copy: { foreignLayers: fetched },
      seed: (source) => {
        const config = source.putBlob('from', '{}');
        if (held) source.putBlob('from', 'far away');
        return source.putManifest(
          'from',
          {
            schemaVersion: 2,
            mediaType: mediaType.dockerManifest,
            config: { mediaType: mediaType.dockerConfig, digest: config, size: 2 },
            layers: [
              {
                mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
                digest: layer,
                size: 8,
                urls: [`http://${store.host}/v2/away/blobs/${layer}`],
              },
            ],
          },
          'v1',
        );
      },
    });
    must(await made.sync());
    return { ...made, store, layer };
  }

  test('are left alone', async () => {
    const { store, source, destination, layer } = await foreign(false);
    expect(store.log).toEqual([]);
    expect(source.log.filter(({ path }) => path.includes(layer))).toEqual([]);
    expect(destination.blob('to', layer)).toBeUndefined();
  });

  test('are taken from the source where it has them, as after a copy that fetched them', async () => {
    const { store, destination, layer } = await foreign(true, true);
    expect(store.log).toEqual([]);
    expect(destination.blob('to', layer)).toBeDefined();
  });

  test('are fetched for an image that was copied without them, and nothing else is asked for', async () => {
    const { source, destination, registry, image, layer } = await foreign(false);
    const from = registry.content({ registry: source.host, path: 'from' }, 'source');
    const to = registry.content({ registry: destination.host, path: 'to' }, 'destination');
    const fetched = async () => {
      const before = destination.log.length;
      const copied = must(await copy(from, to, image.digest, { foreignLayers: true }));
      return [
        copied.blobs,
        destination.log
          .slice(before)
          .filter(({ path }) => !path.includes(layer))
          .map(({ method }) => method),
      ];
    };
    expect(await fetched()).toEqual([1, ['POST', 'PUT']]);
    expect(destination.blob('to', layer)).toBeDefined();
    expect(await fetched()).toEqual([0, []]);
  });

  test('are fetched without credentials where that is asked for', async () => {
    const { store, destination, layer } = await foreign(true);
    expect(store.log.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    expect(destination.blob('to', layer)).toBeDefined();
  });
});

describe('9: digests of other algorithms', LIMIT, () => {
  const like = `sha512:${'0'.repeat(128)}` as Digest;

  function sha512(from: ScriptedRegistry) {
    const config = { mediaType: mediaType.ociConfig, digest: from.putBlob('from', '{}', like), size: 2 };
    const manifest = { schemaVersion: 2, mediaType: mediaType.ociManifest, config, layers: [] };
    const child = from.putManifest('from', manifest, undefined, undefined, like);
    const index = { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: [child] };
    return from.putManifest('from', index, 'v1', undefined, like);
  }

  test('sha512 is copied and tagged by its own digest, and its fallback tag is cut to what a tag can hold', async () => {
    const { destination, source, sync } = await pair({ seed: sha512 });
    const { root } = must(await sync());
    const bytes = source.manifest('from', 'v1')?.bytes ?? new Uint8Array();
    expect(root.descriptor.digest).toBe(`sha512:${createHash('sha512').update(bytes).digest('hex')}`);
    expect(destination.manifest('to', 'v1')?.digest).toBe(root.descriptor.digest);
    expect(fallbackTag(root.descriptor.digest)).toBe(root.descriptor.digest.replace(':', '-').slice(0, 71));
  });

  test('sha512 cannot be tagged where tags mean sha256, which is said', async () => {
    const { sync } = await pair({ seed: sha512, destination: { tagParameter: false } });
    expect(failureOf(await sync())).toMatchObject({
      class: 'permanent',
      side: 'destination',
      message: expect.stringContaining('its tags name manifests by sha256 alone') as unknown,
    });
  });

  test('an algorithm that nobody checks is refused', async () => {
    const config = { mediaType: mediaType.ociConfig, digest: `md5:${'0'.repeat(32)}`, size: 2 };
    const { sync } = await pair({
      seed: (source) =>
        source.putManifest('from', { schemaVersion: 2, mediaType: mediaType.ociManifest, config, layers: [] }, 'v1'),
    });
    expect(failureOf(await sync())).toMatchObject({
      class: 'permanent',
      message: expect.stringContaining('no valid sha256 or sha512 digest at config') as unknown,
    });
  });
});

describe('10: manifests that are too large', LIMIT, () => {
  test('for us', async () => {
    const { sync } = await pair({
      seed: (source) => source.putManifest('from', manifestOf(source, 'A'.repeat(4 * 1024 * 1024)), 'v1'),
    });
    expect(failureOf(await sync())).toMatchObject({ class: 'permanent', side: 'source' });
  });

  test.each([
    [413, 'SIZE_INVALID'],
    // As the CNCF registry says it.
    [400, 'MANIFEST_INVALID'],
  ])('for the destination, which says %i', async (status, code) => {
    const body = JSON.stringify({ errors: [{ code, message: 'http: request body too large' }] });
    const { sync } = await pair({
      seed: (source) => source.putManifest('from', manifestOf(source, 'A'.repeat(100_000)), 'v1'),
      onDestination: (request) =>
        is.manifest(request) && request.method === 'PUT' ? { kind: 'answer', status, body } : undefined,
    });
    expect(failureOf(await sync())).toMatchObject({
      class: 'permanent',
      side: 'destination',
      message: expect.stringContaining('too large') as unknown,
    });
  });
});

describe('11: the type of a manifest', LIMIT, () => {
  test('may have parameters', async () => {
    const { sync } = await pair({
      onSource: (request) =>
        is.manifest(request) && request.path.endsWith('v1')
          ? { kind: 'with', headers: { 'content-type': `${mediaType.ociIndex}; charset=utf-8` } }
          : undefined,
    });
    expect(await sync()).toMatchObject(COPIED);
  });

  test('may be missing in its body', async () => {
    const { sync } = await pair({
      seed: (source) => {
        const { mediaType: _, ...untyped } = manifestOf(source, 'untyped');
        return source.putManifest('from', untyped, 'v1', mediaType.ociManifest);
      },
    });
    expect(await sync()).toMatchObject(COPIED);
  });

  test('must not contradict its body', async () => {
    const { sync } = await pair({
      onSource: (request) =>
        is.manifest(request) && request.method === 'GET'
          ? { kind: 'with', headers: { 'content-type': mediaType.dockerManifest } }
          : undefined,
    });
    expect(failureOf(await sync())).toMatchObject({ class: 'permanent', side: 'source' });
  });
});

test('12: a tag that moves while it is copied is copied as it was, and is the last thing written', LIMIT, async () => {
  const { source, destination, image, sync } = await pair();
  source.onRequest = (request) => {
    if (is.manifest(request) && request.method === 'GET' && is.first(request)) {
      source.putManifest('from', manifestOf(source, 'moved'), 'v1');
    }
    return undefined;
  };
  expect(must(await sync()).root.descriptor.digest).toBe(image.digest);
  expect(destination.manifest('to', 'v1')?.digest).toBe(image.digest);
  const writes = destination.log.filter(({ method }) => method === 'PUT').map(({ path }) => path);
  expect(writes.at(-1)).toBe('/v2/to/manifests/v1');
  expect(writes.slice(0, -1).filter((path) => /manifests\/(?!sha256:)/.test(path))).toEqual([]);
});

describe('13: a manifest whose parts the destination does not see', LIMIT, () => {
  const unknown = {
    kind: 'answer',
    status: 404,
    body: '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry"}]}',
  } as const;
  const isRoot = ({ method, path }: { readonly method: string; readonly path: string }, digest: string) =>
    method === 'PUT' && path.endsWith(digest);

  test('yet: they are looked at again, and it is sent once more', async () => {
    const { destination, image, sync } = await pair();
    destination.onRequest = (request) => (isRoot(request, image.digest) && is.first(request) ? unknown : undefined);
    expect(await sync()).toMatchObject(COPIED);
  });

  test('ever: one failure, and no loop', async () => {
    const { destination, image, sync } = await pair();
    destination.onRequest = (request) => (isRoot(request, image.digest) ? unknown : undefined);
    // What it took, and does not show yet, it may show to a later try.
    expect(failureOf(await sync())).toMatchObject({
      class: 'transient',
      side: 'destination',
      code: 'MANIFEST_BLOB_UNKNOWN',
      hint: expect.stringContaining('only after a moment') as unknown,
    });
    expect(destination.log.filter((request) => isRoot(request, image.digest)).length).toBeLessThan(6);
  });
});

function manifestOf(source: ScriptedRegistry, note: string) {
  const config = { mediaType: mediaType.ociConfig, digest: source.putBlob('from', '{}'), size: 2 };
  return { schemaVersion: 2, mediaType: mediaType.ociManifest, config, layers: [], annotations: { note } };
}

function indexOf(source: ScriptedRegistry, manifests: readonly Descriptor[]) {
  return source.putManifest('from', { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests }, 'v1');
}

function tagged(source: ScriptedRegistry, digest: Digest) {
  const stored = source.manifest('from', digest);
  if (stored === undefined) throw new Error('it was just put there');
  return source.putManifest('from', Buffer.from(stored.bytes).toString('utf8'), 'v1', stored.type);
}
