import { describe, expect, test } from 'vitest';
import { mediaType, type Descriptor } from '../oci/model.ts';
import type { Repository } from '../reference.ts';
import { seedImage } from '../testing/sample-images.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../testing/scripted-registry.ts';
import type { Attachment } from './model.ts';
import { fallbackTag } from './referrers.ts';
import { client, failureOf, lines, must, pinned, repository } from './test-client.ts';
import { expectClear } from './traps/pair.ts';

function attachment(name: string): Attachment {
  return {
    artifactType: mediaType.bundle,
    annotations: { b: 'two', a: name },
    bytes: Buffer.from(`{"bundle":"${name}"}`),
  };
}

function subjectOf(server: ScriptedRegistry, image: Descriptor): Descriptor & { readonly repository: Repository } {
  return { ...image, repository: repository(server.host, 'a') };
}

describe.each([{ referrersApi: true }, { referrersApi: false }])('attach, %o', ({ referrersApi }) => {
  test('what is attached is listed with its type and annotations, and can be read', async () => {
    await using server = await startScriptedRegistry({ referrersApi });
    await using registry = client();
    const image = seedImage(server, 'a', 'one');
    const subject = pinned(`${server.host}/a@${image.digest}`);
    expect(must(await registry.referrers(subject, 'destination'))).toEqual([]);
    expect(registry.referrersApi(subject)).toBe(referrersApi);
    const made = must(await registry.attach(subjectOf(server, image), [attachment('x'), attachment('y')]));
    const listed = must(await registry.referrers(subject, 'destination')).map(({ descriptor }) => descriptor);
    expect(new Set(listed.map(({ digest }) => digest))).toEqual(new Set(made.map(({ digest }) => digest)));
    for (const descriptor of listed) {
      expect(descriptor).toMatchObject({ artifactType: mediaType.bundle, annotations: { b: 'two' } });
    }
    const content = must(await registry.manifest(pinned(`${server.host}/a@${made[0]?.digest}`), 'destination'));
    if (content?.kind !== 'manifest') throw new Error('an artifact is a manifest');
    expect(content.value.subject).toEqual(image);
    const [layer] = content.value.layers;
    if (layer === undefined) throw new Error('it has one layer');
    expect(Buffer.from(must(await registry.readBlob(subject, layer, 'destination'))).toString()).toBe('{"bundle":"x"}');
    expect(server.tags('a')).toEqual(referrersApi ? [] : [fallbackTag(image.digest)]);
  });

  test('attaching the same twice adds nothing', async () => {
    await using server = await startScriptedRegistry({ referrersApi });
    await using registry = client();
    const image = seedImage(server, 'a', 'one');
    const first = must(await registry.attach(subjectOf(server, image), [attachment('x')]));
    expect(must(await registry.attach(subjectOf(server, image), [attachment('x')]))).toEqual(first);
    expect(must(await registry.referrers(pinned(`${server.host}/a@${image.digest}`), 'destination'))).toHaveLength(1);
  });

  test('eight writers at once with latency: all are there, twenty times out of twenty', async () => {
    let turn = 0;
    await using server = await startScriptedRegistry({ referrersApi, latency: () => (turn = (turn * 7 + 3) % 5) });
    await using reader = client();
    for (let round = 0; round < 20; round += 1) {
      const image = seedImage(server, 'a', `round ${round}`);
      // Clients of their own, as plugins may have: what keeps them apart must not be one client's.
      const clients = Array.from({ length: 8 }, () => client());
      const made = await Promise.all(
        clients.map((each, at) => each.attach(subjectOf(server, image), [attachment(`x${at}`)])),
      );
      for (const each of clients) await each.close();
      const listed = must(await reader.referrers(pinned(`${server.host}/a@${image.digest}`), 'destination'));
      expect(listed.map(({ descriptor }) => descriptor.digest).toSorted(), `round ${round}`).toEqual(
        made
          .flatMap(must)
          .map(({ digest }) => digest)
          .toSorted(),
      );
    }
  });
});

describe('the referrers API', () => {
  test('where there is one, a listing is one request', async () => {
    await using server = await startScriptedRegistry({ referrersApi: true });
    await using registry = client();
    const image = seedImage(server, 'a', 'one');
    must(await registry.referrers(pinned(`${server.host}/a@${image.digest}`), 'destination'));
    expect(lines(server)).toEqual([`GET /v2/a/referrers/${image.digest}`]);
  });

  test('where there is none, that is remembered for the repository', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    const image = seedImage(server, 'a', 'one');
    const subject = pinned(`${server.host}/a@${image.digest}`);
    expect(registry.referrersApi(subject)).toBeUndefined();
    must(await registry.referrers(subject, 'destination'));
    must(await registry.referrers(subject, 'destination'));
    const tag = `GET /v2/a/manifests/${fallbackTag(image.digest)}`;
    expect(lines(server)).toEqual([`GET /v2/a/referrers/${image.digest}`, tag, tag]);
  });

  test('a list without entries is empty, in whatever way that is said', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    const subject = pinned(`${server.host}/a@${seedImage(server, 'a', 'one').digest}`);
    const answered = (body: string) => {
      const headers = { 'content-type': mediaType.ociIndex };
      server.onRequest = () => ({ kind: 'answer', status: 200, headers, body });
      return registry.referrers(subject, 'source');
    };
    for (const said of ['', ',"manifests":null', ',"manifests":[]']) {
      expect(must(await answered(`{"schemaVersion":2${said}}`)), said).toEqual([]);
    }
    expect(registry.referrersApi(subject)).toBe(true);
    for (const body of ['', 'null', '{"manifests":{}}']) {
      const failure = failureOf(await answered(body));
      expect(failure.message, body).toContain('sent no valid list');
      expectClear(failure);
    }
  });

  test('all pages are read', async () => {
    await using server = await startScriptedRegistry({ referrersApi: true, pageSize: 2 });
    await using registry = client();
    const image = seedImage(server, 'a', 'one');
    must(await registry.attach(subjectOf(server, image), ['1', '2', '3', '4', '5'].map(attachment)));
    expect(must(await registry.referrers(pinned(`${server.host}/a@${image.digest}`), 'source'))).toHaveLength(5);
  });

  test('a web page in its place means that there is none; a server error is a failure', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client({ retries: 0 });
    const image = seedImage(server, 'a', 'one');
    const subject = pinned(`${server.host}/a@${image.digest}`);
    server.onRequest = ({ path }) => (path.includes('/referrers/') ? { kind: 'answer', status: 500 } : undefined);
    expect(failureOf(await registry.referrers(subject, 'source'))).toMatchObject({ class: 'transient' });
    server.onRequest = ({ path }) =>
      path.includes('/referrers/')
        ? { kind: 'answer', status: 200, headers: { 'content-type': 'text/html' }, body: '<p>' }
        : undefined;
    expect(must(await registry.referrers(subject, 'source'))).toEqual([]);
  });
});

test.each([401, 403])('a registry that answers %i to what it does not know is asked for the tag', async (status) => {
  await using server = await startScriptedRegistry();
  await using registry = client();
  const image = seedImage(server, 'a', 'one');
  const subject = pinned(`${server.host}/a@${image.digest}`);
  server.onRequest = ({ path }) => (path.includes('/referrers/') ? { kind: 'answer', status } : undefined);
  expect(must(await registry.referrers(subject, 'source'))).toEqual([]);
  must(await registry.attach(subjectOf(server, image), [attachment('1')]));
  expect(must(await registry.referrers(subject, 'source'))).toHaveLength(1);
  // Where nothing may be read, that is a failure, and never an image without signatures.
  server.onRequest = () => ({ kind: 'answer', status });
  expect(failureOf(await registry.referrers(subject, 'source'))).toMatchObject({ class: 'permanent', status });
});

describe('the index under the fallback tag', () => {
  test('keeps entries of others as they are, and loses those to drop', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    const image = seedImage(server, 'a', 'one');
    const tag = fallbackTag(image.digest);
    const [old] = must(await registry.attach(subjectOf(server, image), [attachment('old')]));
    if (old === undefined) throw new Error('one was attached');
    const foreign = { ...seedImage(server, 'a', 'foreign'), other: 'e30=', annotations: { by: 'others' } };
    server.putManifest(
      'a',
      { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: [foreign, old], annotations: { kept: 'yes' } },
      tag,
    );
    const [made] = must(await registry.attach(subjectOf(server, image), [attachment('new')], new Set([old.digest])));
    const index = JSON.parse(Buffer.from(server.manifest('a', tag)?.bytes ?? []).toString());
    expect(index.manifests).toEqual([foreign, made]);
    expect(index.annotations).toEqual({ kept: 'yes' });
  });

  test('is read, and added to, without what somebody got wrong in it', async () => {
    await using server = await startScriptedRegistry({ sparse: true });
    await using registry = client();
    const image = seedImage(server, 'a', 'one');
    const subject = pinned(`${server.host}/a@${image.digest}`);
    const good = seedImage(server, 'a', 'good');
    const wrong = [{ ...good, digest: 'sha256:zz' }, null];
    const tag = fallbackTag(image.digest);
    server.putManifest('a', { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: [...wrong, good] }, tag);
    const listed = async () =>
      must(await registry.referrers(subject, 'source')).map(({ descriptor }) => descriptor.digest);
    expect(await listed()).toEqual([good.digest]);
    const [made] = must(await registry.attach(subjectOf(server, image), [attachment('x')]));
    expect(await listed()).toEqual([good.digest, made?.digest]);
    const index = JSON.parse(Buffer.from(server.manifest('a', tag)?.bytes ?? []).toString());
    expect(index.manifests.slice(0, 2)).toEqual(wrong);
  });

  test('is written again when another writer elsewhere has overwritten it', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    const image = seedImage(server, 'a', 'one');
    const tag = fallbackTag(image.digest);
    const foreign = seedImage(server, 'a', 'foreign');
    // The other writer's index, made before ours was there, arrives just before we read again.
    server.onRequest = ({ method, path, earlier }) => {
      if (method === 'GET' && path.endsWith(tag) && earlier === 1) {
        server.putManifest('a', { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: [foreign] }, tag);
      }
      return undefined;
    };
    const [made] = must(await registry.attach(subjectOf(server, image), [attachment('x')]));
    const listed = must(await registry.referrers(pinned(`${server.host}/a@${image.digest}`), 'destination'));
    expect(listed.map(({ descriptor }) => descriptor.digest)).toEqual([foreign.digest, made?.digest]);
  });

  test('that never keeps ours is a transient failure, not a loop', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    const image = seedImage(server, 'a', 'one');
    const tag = fallbackTag(image.digest);
    server.onRequest = ({ method, path }) => {
      if (method === 'GET' && path.endsWith(tag)) {
        server.putManifest('a', { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: [] }, tag);
      }
      return undefined;
    };
    expect(failureOf(await registry.attach(subjectOf(server, image), [attachment('x')]))).toMatchObject({
      class: 'transient',
      side: 'destination',
    });
  });

  test('that is somebody’s image is left alone', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    const image = seedImage(server, 'a', 'one');
    const other = seedImage(server, 'a', 'other', { tag: fallbackTag(image.digest) });
    expect(failureOf(await registry.attach(subjectOf(server, image), [attachment('x')]))).toMatchObject({
      class: 'permanent',
    });
    expect(server.manifest('a', fallbackTag(image.digest))?.digest).toBe(other.digest);
  });
});
