import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../oci/digest.ts';
import { formatPinned, pin } from '../reference.ts';
import { seedImage } from '../testing/sample-images.ts';
import { startScriptedRegistry } from '../testing/scripted-registry.ts';
import { copy } from './copy.ts';
import { mirrorLocations } from './mirrors.ts';
import { client, failureOf, must, reference, repository } from './test-client.ts';

const digest = sha256('x');

test('a mirror covers whole parts of a path, and the rest is appended', () => {
  const mirrors = [
    { source: 'docker.io', mirror: 'm.example/hub', trusted: false },
    { source: 'docker.io/lib', mirror: 'm.example/lib', trusted: false },
    { source: 'docker.io/library/alpine', mirror: 'localhost:5000/base', trusted: true },
    { source: 'quay.io', mirror: 'm.example/quay', trusted: false },
  ];
  const locations = mirrorLocations(mirrors, pin({ registry: 'docker.io', path: 'library/alpine' }, digest));
  expect(locations.map(formatPinned)).toEqual([
    `m.example/hub/library/alpine@${digest}`,
    `localhost:5000/base@${digest}`,
    `docker.io/library/alpine@${digest}`,
  ]);
});

test('the origin is always last, and the digest is everywhere the same', () => {
  const part = fc.stringMatching(/^[a-z0-9]{1,5}$/);
  const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  const mirror = fc.record({
    source: path.map((text) => `h.example/${text}`),
    mirror: fc.oneof(
      path.map((text) => `m.example/${text}`),
      fc.string(),
    ),
    trusted: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(mirror, { maxLength: 5 }), path, (mirrors, text) => {
      const origin = pin({ registry: 'h.example', path: text }, digest);
      const locations = mirrorLocations(mirrors, origin);
      expect(locations.at(-1)).toEqual(origin);
      expect(locations.every((place) => place.digest === digest)).toBe(true);
      expect(
        locations
          .slice(0, -1)
          .every(
            ({ registry }) => registry !== 'h.example' || mirrors.some((each) => each.mirror.startsWith('h.example')),
          ),
      ).toBe(true);
    }),
  );
});

describe('with a mirror', () => {
  async function pair(trusted: boolean, tag = '1') {
    const origin = await startScriptedRegistry();
    const mirror = await startScriptedRegistry();
    const destination = await startScriptedRegistry();
    const registry = client({ retries: 1, mirrors: [{ source: origin.host, mirror: `${mirror.host}/copy`, trusted }] });
    const image = seedImage(origin, 'a', 'one', { tag });
    seedImage(mirror, 'copy/a', 'one', { tag });
    const stack = new AsyncDisposableStack();
    for (const each of [origin, mirror, destination, registry]) stack.use(each);
    return { origin, mirror, destination, registry, image, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }

  test('bytes come from it by digest, and tags from the origin', async () => {
    await using world = await pair(false);
    const { origin, mirror, registry, image } = world;
    must(await registry.manifest(reference(`${origin.host}/a@${image.digest}`), 'source'));
    expect([origin.log.length, mirror.log.length]).toEqual([0, 1]);
    must(await registry.head(reference(`${origin.host}/a:1`), 'source'));
    expect([origin.log.length, mirror.log.length]).toEqual([1, 1]);
  });

  test('a trusted one says what a tag names; what it lacks, the origin says', async () => {
    await using world = await pair(true);
    const { origin, mirror, registry } = world;
    must(await registry.head(reference(`${origin.host}/a:1`), 'source'));
    expect([origin.log.length, mirror.log.length]).toEqual([0, 1]);
    seedImage(origin, 'b', 'two', { tag: '1' });
    must(await registry.head(reference(`${origin.host}/b:1`), 'source'));
    expect([origin.log.length, mirror.log.length]).toEqual([1, 2]);
  });

  test('a trusted one says which tags there are; of a repository that it lacks, or where it fails, the origin does', async () => {
    await using world = await pair(true);
    const { origin, mirror, registry } = world;
    origin.onRequest = () => ({ kind: 'reset' });
    seedImage(mirror, 'copy/a', 'two', { tag: '2' });
    expect(must(await registry.tags(repository(origin.host, 'a'), 'source'))).toEqual(['1', '2']);
    expect(origin.log).toEqual([]);
    expect((await registry.tags(repository(origin.host, 'a'), 'source', { exact: true })).ok).toBe(false);
    expect(failureOf(await registry.tags(repository(origin.host, 'b'), 'source'))).toMatchObject({ host: origin.host });
    origin.onRequest = () => undefined;
    seedImage(origin, 'b', 'one', { tag: '3' });
    expect(must(await registry.tags(repository(origin.host, 'b'), 'source'))).toEqual(['3']);
    mirror.onRequest = () => ({ kind: 'answer', status: 403 });
    expect(must(await registry.tags(repository(origin.host, 'a'), 'source'))).toEqual(['1']);
    origin.onRequest = () => ({ kind: 'reset' });
    expect(failureOf(await registry.tags(repository(origin.host, 'a'), 'source')).message).toContain(
      `of its mirrors: ${mirror.host}`,
    );
  });

  test('one that is not trusted says nothing of tags, nor does any of a destination', async () => {
    await using world = await pair(false);
    const { origin, mirror, registry } = world;
    expect(must(await registry.tags(repository(origin.host, 'a'), 'source'))).toEqual(['1']);
    expect(mirror.log).toEqual([]);
    await using trusting = await pair(true);
    must(await trusting.registry.tags(repository(trusting.origin.host, 'a'), 'destination'));
    expect(trusting.mirror.log).toEqual([]);
  });

  test('destinations are never read from it', async () => {
    await using world = await pair(true);
    const { origin, mirror, registry, image } = world;
    must(await registry.head(reference(`${origin.host}/a:1`), 'destination'));
    must(await registry.head(reference(`${origin.host}/a@${image.digest}`), 'destination'));
    expect(mirror.log).toEqual([]);
  });

  test.each(['lie', 'truncate', 'reset'] as const)(
    'one that does %s is passed over, and the copy is right',
    async (kind) => {
      await using world = await pair(false);
      const { origin, mirror, destination, registry, image } = world;
      mirror.onRequest = () => ({ kind });
      const from = registry.content(repository(origin.host, 'a'), 'source');
      must(await copy(from, registry.content(repository(destination.host, 'b'), 'destination'), image.digest));
      expect(destination.manifest('b', image.digest)).toBeDefined();
    },
  );

  test.each([401, 403, 404, 429, 500, 502, 504])('one that answers %i is passed over', async (status) => {
    await using world = await pair(true);
    const { origin, mirror, registry, image } = world;
    mirror.onRequest = () => ({ kind: 'answer', status, headers: { 'retry-after': '0' } });
    expect(must(await registry.head(reference(`${origin.host}/a:1`), 'source'))?.digest).toBe(image.digest);
    expect(must(await registry.manifest(reference(`${origin.host}/a@${image.digest}`), 'source'))).toBeDefined();
  });

  test.each([{ kind: 'reset' }, { kind: 'answer', status: 503 }] as const)(
    'one that is down ($kind) holds up nobody for long, however many images there are',
    async (down) => {
      await using world = await pair(true);
      const { origin, mirror, registry } = world;
      mirror.onRequest = () => down;
      for (let image = 0; image < 10; image += 1) seedImage(origin, 'a', `image ${image}`, { tag: `t${image}` });
      for (let image = 0; image < 10; image += 1)
        must(await registry.head(reference(`${origin.host}/a:t${image}`), 'source'));
      expect([origin.log.length, mirror.log.length]).toEqual([10, 2]);
    },
  );

  test('one that is down as a mirror is written to with the usual patience', async () => {
    await using world = await pair(true);
    const { origin, mirror, registry } = world;
    mirror.onRequest = () => ({ kind: 'answer', status: 503 });
    must(await registry.head(reference(`${origin.host}/a:1`), 'source'));
    const before = mirror.log.length;
    const written = await registry.head(reference(`${mirror.host}/copy/a:1`), 'destination');
    expect([written.ok, mirror.log.length - before]).toEqual([false, 2]);
  });

  test('where it and the origin both fail, both are named, and what mends the mirror is said', async () => {
    await using world = await pair(false);
    const { origin, mirror, registry, image } = world;
    mirror.onRequest = () => ({ kind: 'answer', status: 403 });
    origin.onRequest = () => ({ kind: 'reset' });
    const failure = failureOf(await registry.manifest(reference(`${origin.host}/a@${image.digest}`), 'source'));
    expect(failure).toMatchObject({ host: origin.host });
    expect(failure.message).toContain(`of its mirrors: ${mirror.host}`);
    expect(failure.hint).toContain(`docker login ${mirror.host}`);
  });
});
