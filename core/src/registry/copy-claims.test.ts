/** What an image says of itself that is not so, or too much of. */
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sha256 } from '../oci/digest.ts';
import { mediaType, type Descriptor, type ManifestContent } from '../oci/model.ts';
import type { Digest } from '../reference.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../testing/scripted-registry.ts';
import { copy } from './copy.ts';
import type { Content, WritableContent } from './model.ts';
import { client, failureOf, must, repository } from './test-client.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

describe('what an image says of its parts', () => {
  const layer = (server: ScriptedRegistry, path: string, size = 5) => ({
    mediaType: 'a/b',
    digest: server.putBlob(path, 'layer'),
    size,
  });
  const manifestOf = (server: ScriptedRegistry, layers: readonly object[]) =>
    server.putManifest('from', {
      schemaVersion: 2,
      mediaType: mediaType.ociManifest,
      config: { mediaType: mediaType.ociConfig, digest: server.putBlob('from', '{}'), size: 2 },
      layers,
    });

  async function copied(seed: (source: ScriptedRegistry, destination: ScriptedRegistry) => Digest) {
    const source = await startScriptedRegistry();
    const destination = await startScriptedRegistry();
    const registry = client();
    onTestFinished(() => Promise.all([registry.close(), source.close(), destination.close()]).then(() => {}));
    const digest = seed(source, destination);
    const again = (image: Digest) =>
      copy(
        registry.content(repository(source.host, 'from'), 'source'),
        registry.content(repository(destination.host, 'to'), 'destination'),
        image,
      );
    return { result: await again(digest), source, destination, digest, again };
  }

  test('a blob of two sizes is refused', async () => {
    const { result, destination, digest } = await copied(
      (source) => manifestOf(source, [layer(source, 'from'), layer(source, 'from', 6)]).digest,
    );
    expect(failureOf(result)).toMatchObject({
      side: 'source',
      message: expect.stringContaining('5 bytes, and that it has 6'),
    });
    expect(destination.manifest('to', digest)).toBeUndefined();
  });

  test('a child of two sizes, or of another kind, is refused', async () => {
    for (const lie of [{ size: 1 }, { mediaType: mediaType.ociIndex }]) {
      const { result } = await copied((source) => {
        const child = manifestOf(source, [layer(source, 'from')]);
        const manifests = 'size' in lie ? [child, { ...child, ...lie }] : [{ ...child, ...lie }];
        return source.putManifest('from', { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests }).digest;
      });
      expect(failureOf(result)).toMatchObject({ class: 'permanent', side: 'source' });
    }
  });

  test('a blob that the destination has with another size is sent again, which tells who lies', async () => {
    const { result } = await copied((source, destination) => {
      destination.onRequest = ({ url }) => (url.includes('mount=') ? { kind: 'answer', status: 405 } : undefined);
      layer(destination, 'to');
      return manifestOf(source, [layer(source, 'from', 6)]).digest;
    });
    expect(failureOf(result)).toMatchObject({ class: 'permanent', side: 'source' });
  });

  test('a blob that was sent with one size is not taken for one of another', async () => {
    const { result, source, again } = await copied((from) => manifestOf(from, [layer(from, 'from')]).digest);
    must(result);
    expect(failureOf(await again(manifestOf(source, [layer(source, 'from', 6)]).digest))).toMatchObject({
      side: 'source',
    });
  });
});

describe('an index of many', () => {
  /** Children whose bytes are short, and count for a mebibyte each all the same. */
  function indexOf(count: number) {
    const config: Descriptor = { mediaType: mediaType.empty, digest: sha256('{}'), size: 2 };
    const child = (n: number): Descriptor => ({ mediaType: mediaType.ociManifest, digest: sha256(String(n)), size: 9 });
    const manifests = Array.from({ length: count }, (_, n) => child(n));
    const root: ManifestContent = {
      kind: 'index',
      descriptor: { mediaType: mediaType.ociIndex, digest: sha256('root'), size: 9 },
      bytes: new Uint8Array(9),
      value: { schemaVersion: 2, manifests },
    };
    const read = (digest: Digest): ManifestContent => ({
      kind: 'manifest',
      descriptor: { mediaType: mediaType.ociManifest, digest, size: 9 },
      bytes: new Uint8Array(9),
      value: { schemaVersion: 2, config, layers: [] },
    });
    return { root, read };
  }

  async function run(count: number) {
    const { root, read } = indexOf(count);
    const children: WeakRef<ManifestContent>[] = [];
    const at = { under: 0, most: 0, held: -1, put: 0 };
    const from: Content = {
      async manifest(digest) {
        if (digest === root.descriptor.digest) return { ok: true, value: root };
        at.most = Math.max(at.most, (at.under += 1));
        const content = read(digest);
        children.push(new WeakRef(content));
        return { ok: true, value: content };
      },
      blob: () => Promise.reject(new Error('everything is there')),
    };
    const to: WritableContent = {
      ...from,
      hasManifest: async () => ({ ok: true, value: false }),
      hasBlob: async () => ({ ok: true, value: true }),
      mountBlob: async () => ({ ok: true, value: false }),
      putBlob: () => Promise.reject(new Error('everything is there')),
      async putManifest({ kind }) {
        await setImmediate();
        at.under -= 1;
        at.put += 1;
        if (kind === 'index') {
          collect();
          at.held = children.filter((child) => child.deref() !== undefined).length;
        }
        return { ok: true, value: undefined };
      },
    };
    return { at, result: await copy(from, to, root.descriptor.digest) };
  }

  test('has sixteen of them in memory at once, and none when its own turn comes', async () => {
    const { at, result } = await run(100);
    must(result);
    expect(at).toMatchObject({ most: 16, put: 101, held: 0 });
  });

  test('more than any image has is refused before they are read', async () => {
    const { at, result } = await run(50_001);
    expect(failureOf(result).message).toContain('names more than 50000 manifests and blobs');
    expect(at.put).toBeLessThanOrEqual(16);
  });
});
