import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { copy } from '../registry/copy.ts';
import { client, failureOf, must, repository } from '../registry/test-client.ts';
import { startScriptedRegistry } from '../testing/scripted-registry.ts';
import { sha256, StreamFailure } from './digest.ts';
import { openLayout } from './layout.ts';
import { mediaType, type Descriptor } from './model.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function newLayout() {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-layout-'));
  folders.push(folder);
  const write = async (path: string, content: string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  };
  const blob = async (type: string, content: string): Promise<Descriptor> => {
    await write(`blobs/${sha256(content).replace(':', '/')}`, content);
    return { mediaType: type, digest: sha256(content), size: Buffer.byteLength(content) };
  };
  const image = async (name: string): Promise<Descriptor> =>
    blob(
      mediaType.ociManifest,
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaType.ociManifest,
        config: await blob(mediaType.ociConfig, JSON.stringify({ name })),
        layers: [await blob('application/vnd.oci.image.layer.v1.tar', `layer of ${name}`)],
      }),
    );
  const index = (manifests: readonly Descriptor[]) =>
    write('index.json', JSON.stringify({ schemaVersion: 2, manifests }));
  await write('oci-layout', '{"imageLayoutVersion":"1.0.0"}');
  return { folder, write, blob, image, index };
}

const AMD64 = { os: 'linux', architecture: 'amd64' };

describe('the root', () => {
  test('is the one descriptor without platform, as buildx writes it', async () => {
    const made = await newLayout();
    const image = await made.image('one');
    await made.index([image]);
    const layout = must(await openLayout(made.folder));
    expect(layout.root).toEqual(image);
    expect(must(await layout.content.manifest(image.digest))?.descriptor).toEqual(image);
  });

  test('is the one descriptor that has a name in the layout, as newer builders write it with its platform', async () => {
    const made = await newLayout();
    const image = await made.image('one');
    const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
    await made.index([{ ...image, platform: AMD64, annotations }]);
    expect(must(await openLayout(made.folder)).root).toMatchObject(image);
    await made.index([{ ...image, platform: AMD64 }]);
    expect(must(await openLayout(made.folder)).root.mediaType).toBe(mediaType.ociIndex);
  });

  test('is index.json itself where its entries have platforms, as apko writes it; it can be pushed', async () => {
    const made = await newLayout();
    const children = [
      { ...(await made.image('one')), platform: AMD64 },
      { ...(await made.image('two')), platform: { os: 'linux', architecture: 'arm64' } },
    ];
    await made.index(children);
    const layout = must(await openLayout(made.folder));
    const bytes = JSON.stringify({ schemaVersion: 2, manifests: children });
    expect(layout.root).toEqual({ mediaType: mediaType.ociIndex, digest: sha256(bytes), size: bytes.length });
    await using server = await startScriptedRegistry();
    await using registry = client();
    must(await copy(layout.content, registry.content(repository(server.host, 'a'), 'destination'), layout.root.digest));
    expect(Buffer.from(server.manifest('a', layout.root.digest)?.bytes ?? []).toString()).toBe(bytes);
    expect(server.tags('a')).toEqual([]);
  });
});

describe('refused', () => {
  test('what is no layout, or holds no image', async () => {
    expect(failureOf(await openLayout('/does/not/exist', 'apko'))).toMatchObject({
      reason: 'tool',
      tool: 'apko',
      class: 'permanent',
    });
    const made = await newLayout();
    expect(failureOf(await openLayout(made.folder)).message).toContain('has no file "index.json"');
    await made.index([]);
    expect(failureOf(await openLayout(made.folder)).message).toContain('holds no image');
    await made.write('oci-layout', '{"imageLayoutVersion":"2"}');
    expect(failureOf(await openLayout(made.folder)).message).toContain('oci-layout');
  });

  test('blobs with other bytes, and manifests too', async () => {
    const made = await newLayout();
    const image = await made.image('one');
    await made.index([image]);
    const layout = must(await openLayout(made.folder));
    const layer = await made.blob('a/b', 'right');
    await made.write(`blobs/${layer.digest.replace(':', '/')}`, 'wrong');
    const stream = must(await layout.content.blob(layer));
    await expect(async () => {
      for await (const _ of stream);
    }).rejects.toThrow(StreamFailure);
    await made.write(`blobs/${layer.digest.replace(':', '/')}`, 'longer');
    expect(failureOf(await layout.content.blob(layer)).message).toContain('6 bytes');
    await made.write(`blobs/${image.digest.replace(':', '/')}`, '{}');
    expect(failureOf(await layout.content.manifest(image.digest)).message).toContain('other bytes');
  });

  test('links, of files and of folders, even to right bytes', async () => {
    const made = await newLayout();
    const image = await made.image('one');
    await made.index([image]);
    const layout = must(await openLayout(made.folder));
    const layer = await made.blob('a/b', 'right');
    const file = join(made.folder, 'blobs', layer.digest.replace(':', '/'));
    await rename(file, join(made.folder, 'elsewhere'));
    await symlink(join(made.folder, 'elsewhere'), file);
    expect(failureOf(await layout.content.blob(layer)).message).toContain('symbolic link');
    await rename(join(made.folder, 'blobs'), join(made.folder, 'others'));
    await symlink(join(made.folder, 'others'), join(made.folder, 'blobs'));
    expect(failureOf(await layout.content.manifest(image.digest)).message).toContain('no real folder');
  });

  test('a missing manifest is undefined, a missing blob a failure', async () => {
    const made = await newLayout();
    await made.index([await made.image('one')]);
    const layout = must(await openLayout(made.folder));
    expect(must(await layout.content.manifest(sha256('missing')))).toBeUndefined();
    failureOf(await layout.content.blob({ mediaType: 'a/b', digest: sha256('missing'), size: 7 }));
  });
});
