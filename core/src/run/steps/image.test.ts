import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readPlatforms } from '../../lock/platforms.ts';
import { sha256 } from '../../oci/digest.ts';
import { createLayouts } from '../../oci/layouts.ts';
import { formatPlatform, mediaType, type Descriptor } from '../../oci/model.ts';
import { layoutScheme, pin } from '../../reference.ts';
import { client, failureOf, must } from '../../registry/test-client.ts';
import { seedImage } from '../../testing/sample-images.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../../testing/scripted-registry.ts';
import { isGone, readImage } from './image.ts';

async function served() {
  const server = await startScriptedRegistry();
  const registry = client();
  onTestFinished(async () => {
    await registry.close();
    await server.close();
  });
  const at = (image: Descriptor) => pin({ registry: server.host, path: 'a' }, image.digest);
  return { server, registry, at };
}

function index(server: ScriptedRegistry, manifests: readonly Descriptor[]): Descriptor {
  return server.putManifest('a', { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests });
}

describe('an image', () => {
  test('of indexes that each name the next a thousand times is read once', async () => {
    const { server, registry, at } = await served();
    let top = seedImage(server, 'a', 'leaf');
    for (let depth = 0; depth < 3; depth += 1)
      top = index(
        server,
        Array.from({ length: 1000 }, () => top),
      );
    const image = must(await readImage(registry, at(top)));
    expect(image.children.map(({ platform }) => platform)).toEqual([{ os: 'linux', architecture: 'amd64' }]);
    expect(image.size).toBeLessThan(10_000);
    expect(must(await readPlatforms(registry, at(top)))).toEqual(['linux/amd64']);
    expect(server.log.filter(({ path }) => path.includes('/manifests/'))).toHaveLength(4);
  });

  test('that stands for two platforms is read for both', async () => {
    const { server, registry, at } = await served();
    const leaf = seedImage(server, 'a', 'leaf');
    const variants = ['v6', 'v7'].map((variant) => ({ os: 'linux', architecture: 'arm', variant }));
    const top = index(
      server,
      variants.map((platform) => ({ ...leaf, platform })),
    );
    const { children } = must(await readImage(registry, at(top)));
    expect(children.map(({ platform }) => platform)).toEqual(variants);
  });

  test('of an artifact in an index in an index has all of their manifests, and not those of no platform', async () => {
    const { server, registry, at } = await served();
    const config = { mediaType: mediaType.empty, digest: server.putBlob('a', '{}'), size: 2 };
    const artifact = server.putManifest('a', { schemaVersion: 2, artifactType: 'a/b', config, layers: [] });
    const note = { ...seedImage(server, 'a', 'note'), platform: { os: 'unknown', architecture: 'unknown' } };
    const inner = index(server, [artifact]);
    const top = index(server, [inner, note]);
    const image = must(await readImage(registry, at(top)));
    expect(image.children).toEqual([]);
    expect(image.manifests).toEqual([top.digest, inner.digest, artifact.digest]);
  });

  test('in an index in eight others is read, in one more it is refused, as it is not copied either', async () => {
    const { server, registry, at } = await served();
    let top = seedImage(server, 'a', 'leaf');
    for (let depth = 0; depth < 8; depth += 1) top = index(server, [top]);
    expect(must(await readImage(registry, at(top))).children).toHaveLength(1);
    const deeper = await readImage(registry, at(index(server, [top])));
    expect(!deeper.ok && deeper.failure).toMatchObject({ class: 'permanent', side: 'destination' });
  });

  test('of a platform whose config is none is not left out', async () => {
    const { server, registry, at } = await served();
    const config = { mediaType: 'application/octet-stream', digest: server.putBlob('a', 'x'), size: 1 };
    const odd = server.putManifest('a', { schemaVersion: 2, mediaType: mediaType.ociManifest, config, layers: [] });
    const platform = { os: 'linux', architecture: 'arm64' };
    const top = index(server, [seedImage(server, 'a', 'leaf'), { ...odd, platform }]);
    const { children } = must(await readImage(registry, at(top)));
    expect(children.map((child) => child.opaque ?? false)).toEqual([false, true]);
    expect(children[1]).toMatchObject({ digest: odd.digest, platform });
    // Without a platform it is an artifact, which nobody runs.
    expect(must(await readImage(registry, at(index(server, [odd])))).children).toEqual([]);
  });

  test('whose index names what is not there is gone', async () => {
    const { registry, server, at } = await served();
    const top = index(server, [
      { mediaType: mediaType.ociManifest, digest: at(seedImage(server, 'b', 'x')).digest, size: 1 },
    ]);
    const read = await readImage(registry, at(top));
    expect(!read.ok && isGone(read.failure)).toBe(true);
  });

  test.each(['no JSON', '[]', '"linux"', '\ufeff{"os":"linux"}', `{"x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`])(
    'whose config is %s is no image of any platform',
    async (config) => {
      const { server, registry, at } = await served();
      const digest = server.putBlob('a', config);
      const descriptor = { mediaType: mediaType.ociConfig, digest, size: Buffer.byteLength(config) };
      const top = server.putManifest('a', { schemaVersion: 2, config: descriptor, layers: [] });
      expect(must(await readImage(registry, at(top))).children).toEqual([]);
      expect(must(await readPlatforms(registry, at(top)))).toEqual([]);
    },
  );

  test.each([
    ['names a key twice', '{"architecture":"arm64","os":"windows","os":"linux"}'],
    ['is deep', `{"architecture":"arm64","os":"linux","x":${'['.repeat(1000)}${']'.repeat(1000)}}`],
    ['is not all UTF-8', Buffer.from('{"architecture":"arm64","os":"linux","author":"\xe9"}', 'latin1')],
  ])('whose config %s can be run, and is not left out', async (_, config) => {
    const { server, registry, at } = await served();
    const digest = server.putBlob('a', config);
    const descriptor = { mediaType: mediaType.ociConfig, digest, size: config.length };
    const odd = server.putManifest('a', { schemaVersion: 2, config: descriptor, layers: [] });
    const top = index(server, [seedImage(server, 'a', 'leaf'), odd]);
    const { children } = must(await readImage(registry, at(top)));
    expect(children.map(({ platform }) => formatPlatform(platform))).toEqual(['linux/amd64', 'linux/arm64']);
    expect(must(await readPlatforms(registry, at(top)))).toEqual(['linux/amd64', 'linux/arm64']);
  });

  test('whose config names a platform that is no name is read as if it named none', async () => {
    const { server, registry, at } = await served();
    const config = '{"os":"linux\\u001b[31m","architecture":"a\\ud800","variant":"v\\n"}';
    const digest = server.putBlob('a', config);
    const descriptor = { mediaType: mediaType.ociConfig, digest, size: config.length };
    const top = server.putManifest('a', { schemaVersion: 2, config: descriptor, layers: [] });
    const { children } = must(await readImage(registry, at(top)));
    expect(children.map(({ platform }) => platform)).toEqual([{ os: 'linux', architecture: 'amd64' }]);
  });

  test('beside which its index names what is no manifest is read without that', async () => {
    const { server, registry, at } = await served();
    const note = { mediaType: 'text/plain', digest: server.putBlob('a', 'a note'), size: 6 };
    const top = index(server, [note, seedImage(server, 'a', 'leaf')]);
    expect(must(await readImage(registry, at(top))).children).toHaveLength(1);
    expect(must(await readPlatforms(registry, at(top)))).toEqual(['linux/amd64']);
  });
});

test('that is not in a layout is said of the layout, by its name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-image-'));
  const layouts = createLayouts(folder);
  onTestFinished(async () => {
    await layouts.close();
    await rm(folder, { recursive: true });
  });
  const read = await readImage(layouts, pin({ registry: layoutScheme, path: 'out' }, sha256('nothing')));
  expect(failureOf(read)).toMatchObject({
    host: 'oci:./out',
    message: `oci:./out does not have oci:./out@${sha256('nothing')}`,
  });
});
