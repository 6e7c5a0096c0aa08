/** Exactly which requests a copy costs, as the registries see them. A request more is a regression. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sha256 } from '../oci/digest.ts';
import { mediaType, type Descriptor } from '../oci/model.ts';
import { pin, type Digest } from '../reference.ts';
import { startScriptedRegistry, type ScriptedOptions, type ScriptedRegistry } from '../testing/scripted-registry.ts';
import { copy } from './copy.ts';
import type { Registry } from './model.ts';
import { client, failureOf, lines, must, repository } from './test-client.ts';

const LAYER = 'application/vnd.oci.image.layer.v1.tar';

/** What each digest is called in a trace. */
const names = new Map<string, string>();

function blob(registry: ScriptedRegistry, name: string, type = LAYER, bytes = name): Descriptor {
  const digest = registry.putBlob('from', bytes);
  names.set(digest, name);
  return { mediaType: type, digest, size: Buffer.byteLength(bytes) };
}

function image(registry: ScriptedRegistry, name: string, layers: readonly string[]): Descriptor {
  const config = JSON.stringify({ os: 'linux', architecture: 'amd64', name });
  const manifest = registry.putManifest('from', {
    schemaVersion: 2,
    mediaType: mediaType.ociManifest,
    config: blob(registry, `${name} config`, mediaType.ociConfig, config),
    layers: layers.map((layer) => blob(registry, layer)),
  });
  names.set(manifest.digest, name);
  return manifest;
}

function index(registry: ScriptedRegistry, name: string, manifests: readonly Descriptor[]): Descriptor {
  const made = registry.putManifest('from', { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests });
  names.set(made.digest, name);
  return made;
}

async function pair(options: { readonly destination?: ScriptedOptions } = {}) {
  const [source, destination] = await Promise.all([
    startScriptedRegistry(),
    startScriptedRegistry(options.destination ?? {}),
  ]);
  const registry = client();
  onTestFinished(async () => {
    await registry.close();
    await Promise.all([source.close(), destination.close()]);
  });
  return { source, destination, registry };
}

/** As the copy step does it: looked at, copied, read back. */
async function sync(
  { source, destination, registry }: Awaited<ReturnType<typeof pair>>,
  { digest }: Descriptor,
  path = 'to',
): Promise<void> {
  const at = pin(repository(destination.host, path), digest);
  if (must(await registry.head(at, 'destination')) === undefined) {
    const from = registry.content(repository(source.host, 'from'), 'source');
    must(await copy(from, registry.content(at, 'destination'), digest));
  }
  await readBack(registry, at, digest);
}

async function readBack(registry: Registry, at: ReturnType<typeof pin>, digest: Digest): Promise<void> {
  const content = must(await registry.manifest({ ...at, digest }, 'destination'));
  if (content?.kind !== 'index') return;
  for (const child of content.value.manifests) await readBack(registry, at, child.digest);
}

/** `PUT to blob`, `mount to base from to`: sorted, since what is asked at once comes in any order. */
function trace(server: ScriptedRegistry, since = 0): readonly string[] {
  return server.log
    .slice(since)
    .map(({ method, url }) => {
      const { pathname, searchParams } = new URL(url, 'http://x');
      const [, path = '', kind = '', name = ''] = /^\/v2\/(.+?)\/(manifests|blobs)\/(.*)$/.exec(pathname) ?? [];
      const digest = searchParams.get('digest') ?? searchParams.get('mount');
      const what = names.get(digest ?? name) ?? (kind === 'blobs' ? 'upload' : name);
      if (searchParams.has('mount')) return `MOUNT ${path} ${what} from ${searchParams.get('from')}`;
      return `${method} ${path} ${what}`;
    })
    .sort();
}

const got = (...parts: readonly string[]) => parts.map((part) => `GET from ${part}`).sort();
const sent = (path: string, ...parts: readonly string[]) =>
  parts.flatMap((part) => [`MOUNT ${path} ${part} from ${path}`, `PUT ${path} ${part}`]);

describe('an image with five layers', () => {
  const layers = ['a', 'b', 'c', 'd', 'e'];

  test('cold: three requests a blob, and two for the manifest besides the first look', async () => {
    const world = await pair();
    const one = image(world.source, 'one', layers);
    await sync(world, one);
    expect(trace(world.source)).toEqual(got('one', 'one config', ...layers));
    expect(trace(world.destination)).toEqual(
      [`HEAD to one`, ...sent('to', 'one config', ...layers), 'PUT to one'].sort(),
    );
  });

  test('that is there: one request', async () => {
    const world = await pair();
    const one = image(world.source, 'one', layers);
    await sync(world, one);
    const [read, wrote] = [world.source.log.length, world.destination.log.length];
    await sync(world, one);
    expect(trace(world.source, read)).toEqual([]);
    expect(trace(world.destination, wrote)).toEqual(['HEAD to one']);
  });

  test('of which one layer is new: nothing of the others, in the same run', async () => {
    const world = await pair();
    await sync(world, image(world.source, 'one', layers));
    const [read, wrote] = [world.source.log.length, world.destination.log.length];
    await sync(world, image(world.source, 'two', [...layers.slice(0, 4), 'f']));
    expect(trace(world.source, read)).toEqual(got('two', 'two config', 'f'));
    expect(trace(world.destination, wrote)).toEqual(
      ['HEAD to two', ...sent('to', 'two config', 'f'), 'PUT to two'].sort(),
    );
  });

  test('of which one layer is new: one request for each of the others, in a later run', async () => {
    const world = await pair();
    await sync(world, image(world.source, 'one', layers));
    const later = { ...world, registry: client() };
    onTestFinished(() => later.registry.close());
    const wrote = world.destination.log.length;
    await sync(later, image(world.source, 'two', [...layers.slice(0, 4), 'f']));
    const mounted = layers.slice(0, 4).map((layer) => `MOUNT to ${layer} from to`);
    expect(trace(world.destination, wrote)).toEqual(
      ['HEAD to two', ...mounted, ...sent('to', 'two config', 'f'), 'PUT to two'].sort(),
    );
  });

  test('of which four layers are in another repository of the host: one request for each of those', async () => {
    const world = await pair();
    await sync(world, image(world.source, 'one', layers), 'first');
    const [read, wrote] = [world.source.log.length, world.destination.log.length];
    await sync(world, image(world.source, 'two', [...layers.slice(0, 4), 'f']), 'second');
    const mounted = layers.slice(0, 4).map((layer) => `MOUNT second ${layer} from first`);
    expect(trace(world.source, read)).toEqual(got('two', 'two config', 'f'));
    expect(trace(world.destination, wrote)).toEqual(
      ['HEAD second two', ...mounted, ...sent('second', 'two config', 'f'), 'PUT second two'].sort(),
    );
  });

  test('under two tags at once: as one', async () => {
    const world = await pair();
    const one = image(world.source, 'one', layers);
    await Promise.all([sync(world, one), sync(world, one)]);
    expect(trace(world.source)).toEqual(got('one', 'one config', ...layers));
    expect(trace(world.destination)).toEqual(
      ['HEAD to one', ...sent('to', 'one config', ...layers), 'PUT to one'].sort(),
    );
  });

  test('to two repositories at once: each blob is sent once and mounted once', async () => {
    const world = await pair();
    const one = image(world.source, 'one', layers);
    await Promise.all([sync(world, one, 'x'), sync(world, one, 'y')]);
    expect(trace(world.source)).toEqual(got('one', 'one config', ...layers));
    const wrote = trace(world.destination);
    const parts = ['one config', ...layers];
    expect(wrote.filter((line) => line.startsWith('PUT') && !line.endsWith(' one'))).toHaveLength(parts.length);
    // Each is asked for in both repositories, and whoever came second was told where to take it from.
    expect(wrote.filter((line) => line.startsWith('MOUNT'))).toHaveLength(2 * parts.length);
    expect(wrote.filter((line) => /from (?:x|y)$/.test(line) && !/ (x|y) .* from \1$/.test(line))).toHaveLength(
      parts.length,
    );
  });
});

describe('an index', () => {
  const platforms = ['p1', 'p2', 'p3', 'p4'];
  const four = (source: ScriptedRegistry) =>
    index(
      source,
      'index',
      platforms.map((name) => image(source, name, ['base', `${name} layer`])),
    );

  test('of four platforms, cold: no look at what cannot be there', async () => {
    const world = await pair();
    await sync(world, four(world.source));
    const blobs = ['base', ...platforms.flatMap((name) => [`${name} config`, `${name} layer`])];
    expect(trace(world.source)).toEqual(got('index', ...platforms, ...blobs));
    expect(trace(world.destination)).toEqual(
      ['HEAD to index', 'PUT to index', ...platforms.map((name) => `PUT to ${name}`), ...sent('to', ...blobs)].sort(),
    );
  });

  test('of which one platform is new: two requests for each of the others', async () => {
    const world = await pair();
    await sync(world, four(world.source));
    const later = { ...world, registry: client() };
    onTestFinished(() => later.registry.close());
    const fresh = image(world.source, 'p5', ['base', 'p5 layer']);
    const old = platforms.slice(0, 3).map((name) => image(world.source, name, ['base', `${name} layer`]));
    const wrote = world.destination.log.length;
    await sync(later, index(world.source, 'newer', [...old, fresh]));
    const there = platforms.slice(0, 3).flatMap((name) => [`MOUNT to ${name} config from to`, `HEAD to ${name}`]);
    expect(trace(world.destination, wrote)).toEqual(
      [
        'HEAD to newer',
        ...there,
        'MOUNT to base from to',
        ...sent('to', 'p5 config', 'p5 layer'),
        'PUT to p5',
        'PUT to newer',
      ].sort(),
    );
  });

  test('in an index, which names an image twice: each once', async () => {
    const world = await pair();
    const leaf = image(world.source, 'leaf', ['a']);
    const outer = index(world.source, 'outer', [index(world.source, 'inner', [leaf]), leaf]);
    await sync(world, outer);
    expect(trace(world.source)).toEqual(got('outer', 'inner', 'leaf', 'leaf config', 'a'));
    // Whether an inner index is there nothing else tells.
    expect(trace(world.destination)).toEqual(
      [
        'HEAD to outer',
        'HEAD to inner',
        ...sent('to', 'leaf config', 'a'),
        ...['leaf', 'inner', 'outer'].map((name) => `PUT to ${name}`),
      ].sort(),
    );
  });
});

describe('a host that does not mount', () => {
  const refuses: ScriptedOptions = {
    onRequest: ({ url }) => (url.includes('mount=') ? { kind: 'answer', status: 405 } : undefined),
  };

  test('is asked once, and then with HEAD', async () => {
    const world = await pair({ destination: refuses });
    await sync(world, image(world.source, 'one', ['a', 'b']));
    const wrote = trace(world.destination);
    const later = world.destination.log.length;
    expect(wrote.filter((line) => line.startsWith('PUT'))).toHaveLength(4);
    await sync(world, image(world.source, 'two', ['a', 'c']));
    expect(trace(world.destination, later)).toEqual(
      [
        'HEAD to two',
        ...['two config', 'c'].flatMap((part) => [`HEAD to ${part}`, 'POST to upload', `PUT to ${part}`]),
        'PUT to two',
      ].sort(),
    );
  });

  test('but opens an upload instead, is not sent a large blob that it has', async () => {
    const opens = ({ url }: { readonly url: string }) => url.includes('mount=');
    const world = await pair();
    world.destination.onRequest = (request) =>
      opens(request)
        ? {
            kind: 'answer',
            status: 202,
            headers: { location: `/v2/to/blobs/uploads/x${world.destination.log.length}` },
          }
        : undefined;
    const bytes = 'x'.repeat(5 * 1024 * 1024);
    const config = blob(world.source, 'config', mediaType.ociConfig, '{"os":"linux"}');
    const big = blob(world.source, 'big', LAYER, bytes);
    const made = world.source.putManifest('from', {
      schemaVersion: 2,
      mediaType: mediaType.ociManifest,
      config,
      layers: [big],
    });
    names.set(made.digest, 'made');
    world.destination.putBlob('to', bytes);
    world.destination.putBlob('to', '{"os":"linux"}');
    // The small one is sent again, into an upload that is not there in truth: it is opened anew.
    await sync(world, made);
    expect(trace(world.source)).toEqual(got('made', 'config', 'config'));
    expect(trace(world.destination)).toContain('HEAD to big');
    expect(trace(world.destination)).not.toContain('PUT to big');
  });

  test('into other repositories is sent the blob for each of them', async () => {
    const world = await pair();
    world.destination.onRequest = ({ url }) =>
      url.includes('from=x') && url.includes('/y/') ? { kind: 'answer', status: 403 } : undefined;
    const one = image(world.source, 'one', ['a']);
    await sync(world, one, 'x');
    await sync(world, one, 'y');
    expect(trace(world.destination)).toContain('PUT y a');
    const wrote = world.destination.log.length;
    await sync(world, image(world.source, 'two', ['a']), 'z');
    // What does not mount is not asked again.
    expect(trace(world.destination, wrote)).toEqual(
      ['HEAD z two', ...sent('z', 'two config', 'a'), 'PUT z two'].sort(),
    );
  });
});

describe('what goes wrong for one', () => {
  test('does not for those who waited for it: the next one leads', async () => {
    const world = await pair();
    const one = image(world.source, 'one', ['a']);
    const liar = await startScriptedRegistry();
    onTestFinished(() => liar.close());
    image(liar, 'one', ['a']);
    const bad = world.registry.content(repository(liar.host, 'from'), 'source');
    const good = world.registry.content(repository(world.source.host, 'from'), 'source');
    const to = (path: string) => world.registry.content(repository(world.destination.host, path), 'destination');
    const asked = Promise.withResolvers<void>();
    const others = Promise.withResolvers<void>();
    liar.onRequest = async ({ path }) => {
      if (!path.includes('/blobs/')) return undefined;
      asked.resolve();
      await others.promise;
      return { kind: 'lie' };
    };
    const failing = copy(bad, to('x'), one.digest);
    await asked.promise;
    const waiting = [copy(good, to('x'), one.digest), copy(good, to('y'), one.digest)];
    // They have found that somebody sends it when they have read the manifest and looked for it.
    while (lines(world.destination).filter((line) => line.startsWith('HEAD')).length < 2) await setImmediate();
    others.resolve();
    const failed = await failing;
    const copied = await Promise.all(waiting);
    expect(failureOf(failed)).toMatchObject({ side: 'source', class: 'permanent', host: liar.host });
    for (const each of copied) must(each);
    expect(world.destination.manifest('x', one.digest)).toBeDefined();
    expect(world.destination.manifest('y', one.digest)).toBeDefined();
  });

  test('what was believed to be there and is not is found out, looked at and sent', async () => {
    const world = await pair();
    await sync(world, image(world.source, 'one', ['a', 'b']));
    // Somebody removes a layer: the registry says so when the next manifest names it.
    let removed = true;
    world.destination.onRequest = ({ method, path }) => {
      if (method === 'PUT' && path.includes('/manifests/') && removed) {
        return { kind: 'answer', status: 400, body: '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}' };
      }
      if (method !== 'HEAD' || !path.endsWith(sha256('b'))) return undefined;
      removed = false;
      return { kind: 'answer', status: 404 };
    };
    const wrote = world.destination.log.length;
    await sync(world, image(world.source, 'two', ['a', 'b']));
    const again = trace(world.destination, wrote);
    expect(again.filter((line) => line === 'PUT to two')).toHaveLength(2);
    expect(again).toEqual(expect.arrayContaining(['HEAD to a', 'HEAD to b', 'HEAD to two config', 'PUT to b']));
    expect(again).not.toContain('PUT to a');
  });
});

describe('a layer that registries only point to', () => {
  const TYPE = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';

  async function world() {
    const made = await pair();
    const publisher = await startScriptedRegistry();
    onTestFinished(() => publisher.close());
    const foreign = (urls: readonly string[], bytes = 'foreign') => {
      const config = blob(made.source, 'config', mediaType.ociConfig, '{}');
      const layer = { mediaType: TYPE, digest: sha256('foreign'), size: 7, urls };
      publisher.putBlob('windows', bytes);
      return made.source.putManifest('from', {
        schemaVersion: 2,
        mediaType: mediaType.ociManifest,
        config,
        layers: [layer],
      });
    };
    const run = (digest: Digest) =>
      copy(
        made.registry.content(repository(made.source.host, 'from'), 'source'),
        made.registry.content(repository(made.destination.host, 'to'), 'destination'),
        digest,
        { foreignLayers: true },
      );
    return { ...made, publisher, foreign, run, at: `http://${publisher.host}/v2/windows/blobs/${sha256('foreign')}` };
  }

  test('comes from where it is published if that is asked for, without credentials', async () => {
    const { foreign, run, at, destination, publisher } = await world();
    must(await run(foreign(['http://192.0.2.1/x', at]).digest));
    expect(destination.blob('to', sha256('foreign'))).toEqual(Buffer.from('foreign'));
    expect(publisher.log.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  test.each([
    'file:///etc/passwd',
    'http://169.254.169.254/latest',
    'https://10.0.0.1/x',
    'https://u:p@a.example/x',
    'x',
  ])('is not fetched from %s', async (url) => {
    const { foreign, run } = await world();
    expect(failureOf(await run(foreign([url]).digest))).toMatchObject({
      class: 'permanent',
      side: 'source',
      message: expect.stringContaining('no address that may be asked') as string,
    });
  });

  test('is checked as every other', async () => {
    const { foreign, run, at, publisher, destination } = await world();
    publisher.onRequest = () => ({ kind: 'lie' });
    expect(failureOf(await run(foreign([at]).digest))).toMatchObject({ class: 'permanent', host: publisher.host });
    expect(destination.blob('to', sha256('foreign'))).toBeUndefined();
  });
});
