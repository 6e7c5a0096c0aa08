/** Hosts with manners of their own, knowledge that is wrong, sources that fail for some, and layers from elsewhere. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sha256 } from '../oci/digest.ts';
import { mediaType } from '../oci/model.ts';
import type { Digest } from '../reference.ts';
import { startScriptedRegistry, type ScriptedOptions } from '../testing/scripted-registry.ts';
import { copy } from './copy.ts';
import { failureOf, lines, must, repository } from './test-client.ts';
import { names, blob, image, pair, sync, trace, got, sent, LAYER } from './test-trace.ts';

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

  test('is not asked for at any number of addresses', async () => {
    const { foreign, run, at, publisher } = await world();
    publisher.onRequest = () => ({ kind: 'answer', status: 404 });
    const addresses = Array.from({ length: 50 }, (_, each) => `${at}?${each}`);
    expect(failureOf(await run(foreign(addresses).digest))).toMatchObject({ class: 'permanent', side: 'source' });
    expect(publisher.log).toHaveLength(8);
  });

  test('is checked as every other', async () => {
    const { foreign, run, at, publisher, destination } = await world();
    publisher.onRequest = () => ({ kind: 'lie' });
    expect(failureOf(await run(foreign([at]).digest))).toMatchObject({ class: 'permanent', host: publisher.host });
    expect(destination.blob('to', sha256('foreign'))).toBeUndefined();
  });
});
