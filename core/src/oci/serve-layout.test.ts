import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { parsePlace } from '../location.ts';
import { pin } from '../reference.ts';
import { copy } from '../registry/copy.ts';
import { client, failureOf, must, repository } from '../registry/test-client.ts';
import { seedImage } from '../testing/sample-images.ts';
import { startScriptedRegistry } from '../testing/scripted-registry.ts';
import { createLayouts } from './layouts.ts';
import { mediaType } from './model.ts';
import { createLayoutServer } from './serve-layout.ts';
import { blobPath } from './layout.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function served() {
  await using registry = await startScriptedRegistry();
  const remote = client();
  const folder = await mkdtemp(join(tmpdir(), 'slipway-served-'));
  folders.push(folder);
  const layouts = createLayouts(folder);
  const place = must(parsePlace('oci:./out'));
  const image = seedImage(registry, 'from', 'one', { platforms: [{ os: 'linux', architecture: 'arm64' }] });
  const from = remote.content(repository(registry.host, 'from'), 'source');
  must(await copy(from, layouts.content(place, 'destination'), image.digest));
  const attachment = { artifactType: 'text/plain', annotations: { a: 'b' }, bytes: new TextEncoder().encode('x') };
  const [referrer] = must(await layouts.attach({ ...image, repository: place }, [attachment]));
  const server = createLayoutServer(layouts);
  return {
    folder,
    image,
    place,
    remote,
    referrer,
    server,
    async [Symbol.asyncDispose]() {
      await server.close();
      await remote[Symbol.asyncDispose]();
    },
  };
}

describe('a served layout', () => {
  test('is read as a registry is: manifests, blobs, referrers', async () => {
    await using one = await served();
    const { repository: name, release } = await one.server.serve(one.place);
    expect(name.registry).toMatch(/^127\.0\.0\.1:\d+$/);
    await using destination = await startScriptedRegistry();
    const to = one.remote.content(repository(destination.host, 'to'), 'destination');
    must(await copy(one.remote.content(name, 'source'), to, one.image.digest));
    expect(destination.manifest('to', one.image.digest)).toBeDefined();
    const listed = must(await one.remote.referrers(pin(name, one.image.digest), 'source'));
    expect(listed.map(({ descriptor }) => descriptor)).toEqual([one.referrer]);
    const head = must(await one.remote.head(pin(name, one.image.digest), 'source'));
    expect(head).toEqual({ digest: one.image.digest, mediaType: mediaType.ociManifest });
    release();
  });

  test('is read only, by the name it was given, for as long as it is used', async () => {
    await using one = await served();
    const first = await one.server.serve(one.place);
    const url = `http://${first.repository.registry}/v2/${first.repository.path}/manifests/${one.image.digest}`;
    const status = async (at: string, init?: RequestInit) => (await fetch(at, init)).status;
    expect(await status(url)).toBe(200);
    for (const method of ['PUT', 'POST', 'DELETE', 'PATCH']) expect(await status(url, { method })).toBe(405);
    expect(await status(url.replace(first.repository.path, 'layout/guess'))).toBe(404);
    expect(await status(url.replace(one.image.digest, 'latest'))).toBe(404);
    expect(await status(url.replace('/manifests/', '/blobs/').replace('sha256:', '..%2f'))).toBe(404);
    const second = await one.server.serve(one.place);
    expect(second.repository).toEqual(first.repository);
    first.release();
    expect(await status(url)).toBe(200);
    second.release();
    expect(await status(url)).toBe(404);
    await one.server.close();
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  test('sends no blob whole that is not what its digest says', async () => {
    await using one = await served();
    const { repository: name } = await one.server.serve(one.place);
    const manifest = must(await one.remote.manifest(pin(name, one.image.digest), 'source'));
    const layer = manifest?.kind === 'manifest' ? manifest.value.layers[0] : undefined;
    if (layer === undefined) throw new Error('no layer');
    const file = join(one.folder, 'out', blobPath(layer.digest));
    await writeFile(file, (await readFile(file)).fill(1));
    const url = `http://${name.registry}/v2/${name.path}/blobs/${layer.digest}`;
    await expect(fetch(url).then((response) => response.arrayBuffer())).rejects.toThrow(/fetch failed|terminated/);
    expect(failureOf(await one.remote.readBlob(name, layer, 'source'))).toMatchObject({ reason: 'registry' });
  });
});
