/** The registry client does the same on the scripted registry, which the fast tests trust, and on real ones. */
import { afterAll, describe, expect, test } from 'vitest';
import { sha256 } from '../core/src/oci/digest.ts';
import { mediaType, type Descriptor } from '../core/src/oci/model.ts';
import { formatPinned, parseReference, pin, type Pinned, type Tag } from '../core/src/reference.ts';
import { copy } from '../core/src/registry/copy.ts';
import { fallbackTag } from '../core/src/registry/referrers.ts';
import { client, must } from '../core/src/registry/test-client.ts';
import { seedImage, startScriptedRegistry } from '../core/src/testing/index.ts';
import { crane, freshPath, world } from './world.ts';

const PLATFORMS = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64' },
];

const stack = new AsyncDisposableStack();
afterAll(() => stack.disposeAsync());

/** `referrersApi`: it lists referrers by itself. `announces`: it also says so when one is stored, so that no index is kept. */
const registries = {
  'the scripted registry': {
    referrersApi: false,
    announces: false,
    start: async () => stack.use(await startScriptedRegistry()).host,
  },
  'the scripted registry with referrers API': {
    referrersApi: true,
    announces: true,
    start: async () => stack.use(await startScriptedRegistry({ referrersApi: true })).host,
  },
  'the CNCF registry': { referrersApi: false, announces: false, start: async () => world().destination.host },
  'a real registry with referrers API': {
    referrersApi: true,
    announces: false,
    start: async () => world().referrers?.host ?? '',
  },
};

describe.each(Object.entries(registries))('%s', (_, { referrersApi, announces, start }) => {
  /** Copies a two-platform image into a fresh repository. */
  async function pushed() {
    const host = await start();
    const source = stack.use(await startScriptedRegistry());
    const registry = stack.use(client());
    const image = seedImage(source, 'from', 'one', { platforms: PLATFORMS, layerSize: 200_000 });
    const repository = { registry: host, path: freshPath('client') };
    const from = registry.content({ registry: source.host, path: 'from' }, 'source');
    const copied = must(await copy(from, registry.content(repository, 'destination'), image.digest));
    return { registry, repository, image, copied, subject: pin(repository, image.digest) };
  }

  test('an image is pushed by digest, untagged, and read back', async () => {
    const { registry, repository, image, copied, subject } = await pushed();
    expect(copied.blobs).toBe(5);
    expect(must(await registry.head(subject, 'destination'))?.digest).toBe(image.digest);
    expect(must(await registry.tags(repository, 'destination'))).toEqual([]);
    const index = must(await registry.manifest(subject, 'destination'));
    if (index?.kind !== 'index') throw new Error('an index was pushed');
    for (const child of index.value.manifests) {
      const manifest = must(await registry.manifest(pin(repository, child.digest), 'destination'));
      if (manifest?.kind !== 'manifest') throw new Error('its children are images');
      for (const part of [manifest.value.config, ...manifest.value.layers]) {
        expect(sha256(must(await registry.readBlob(repository, part, 'destination')))).toBe(part.digest);
      }
    }
  });

  test('blobs are mounted, and what is there is not sent', async () => {
    const { registry, repository, image } = await pushed();
    const other = { registry: repository.registry, path: freshPath('mounted') };
    const from = registry.content(repository, 'source');
    const to = registry.content(other, 'destination');
    expect(must(await copy(from, to, image.digest))).toMatchObject({ blobs: 0, bytes: 0 });
    expect(must(await copy(from, to, image.digest))).toMatchObject({ blobs: 0, bytes: 0 });
    expect(must(await registry.head(pin(other, image.digest), 'destination'))?.digest).toBe(image.digest);
  });

  test('a tag is moved with the very bytes', async () => {
    const { registry, repository, image, subject } = await pushed();
    const tagged = must(parseReference(`${repository.registry}/${repository.path}:stable`));
    expect(must(await registry.head(tagged, 'destination'))).toBeUndefined();
    must(await registry.tag(subject, 'stable' as Tag));
    expect(must(await registry.head(tagged, 'destination'))?.digest).toBe(image.digest);
    expect(must(await registry.tags(repository, 'destination'))).toEqual(['stable']);
  });

  test('eight writers attach at once, and all of it is listed and readable', async () => {
    const { registry, repository, image, subject } = await pushed();
    const clients = Array.from({ length: 8 }, () => stack.use(client()));
    const numbered = (at: number) => ({
      artifactType: mediaType.bundle,
      annotations: { number: String(at) },
      bytes: Buffer.from(`{"at":${at}}`),
    });
    const results = await Promise.all(clients.map((each, at) => each.attach({ ...image, repository }, [numbered(at)])));
    const made = results.flatMap(must);
    const listed = must(await registry.referrers(subject, 'destination')).map(({ descriptor }) => descriptor);
    expect(numbers(listed)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
    expect(new Set(listed.map(({ digest }) => digest))).toEqual(new Set(made.map(({ digest }) => digest)));
    expect(registry.referrersApi(repository)).toBe(referrersApi);
    const tags = must(await registry.tags(repository, 'destination'));
    expect(tags).toEqual(announces ? [] : [fallbackTag(image.digest)]);
    expect(await readLayers(registry, subject, listed)).toEqual(made.map((_, at) => `{"at":${at}}`));
  });

  test('what an older one replaced leaves the list where we keep it', async () => {
    const { registry, repository, image, subject } = await pushed();
    const attachment = (text: string) => ({
      artifactType: mediaType.bundle,
      annotations: {},
      bytes: Buffer.from(text),
    });
    const [old] = must(await registry.attach({ ...image, repository }, [attachment('old')]));
    if (old === undefined) throw new Error('one was attached');
    must(await registry.attach({ ...image, repository }, [attachment('new')], new Set([old.digest])));
    expect(must(await registry.referrers(subject, 'destination'))).toHaveLength(referrersApi ? 2 : 1);
  });
});

test('crane reads what was pushed', async () => {
  const registry = stack.use(client());
  const source = stack.use(await startScriptedRegistry());
  const image = seedImage(source, 'from', 'one', { platforms: PLATFORMS });
  const repository = { registry: world().destination.host, path: freshPath('crane') };
  must(
    await copy(
      registry.content({ registry: source.host, path: 'from' }, 'source'),
      registry.content(repository, 'destination'),
      image.digest,
    ),
  );
  const output = await crane('manifest', formatPinned(pin(repository, image.digest)));
  expect(sha256(output.stdout)).toBe(image.digest);
});

function numbers(descriptors: readonly Descriptor[]): readonly string[] {
  return descriptors.map(({ annotations }) => annotations?.['number'] ?? 'none').toSorted();
}

async function readLayers(
  registry: ReturnType<typeof client>,
  subject: Pinned,
  artifacts: readonly Descriptor[],
): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const { digest } of artifacts) {
    const content = must(await registry.manifest(pin(subject, digest), 'destination'));
    const layer = content?.kind === 'manifest' ? content.value.layers[0] : undefined;
    if (layer !== undefined) {
      texts.push(Buffer.from(must(await registry.readBlob(subject, layer, 'destination'))).toString());
    }
  }
  return texts.toSorted();
}
