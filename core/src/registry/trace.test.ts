/** Exactly which requests a copy costs, as the registries see them. A request more is a regression. */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ScriptedRegistry } from '../testing/scripted-registry.ts';
import { client } from './test-client.ts';
import { image, index, pair, sync, trace, got, sent } from './test-trace.ts';

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
