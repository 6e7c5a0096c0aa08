import { describe, expect, onTestFinished, test } from 'vitest';
import { seedImage } from '../testing/sample-images.ts';
import { startScriptedRegistry, type Action, type ScriptedRequest } from '../testing/scripted-registry.ts';
import { client, failureOf, lines, must, reference } from './test-client.ts';
import { COPIED, pair } from './traps/pair.ts';

/** What a source is asked that answers HEADs, or whatever else, as `answerTo` has it. */
async function source(answerTo: (request: ScriptedRequest) => number | undefined) {
  const server = await startScriptedRegistry({
    onRequest(request): Action | undefined {
      const status = answerTo(request);
      return status === undefined ? undefined : { kind: 'answer', status };
    },
  });
  const registry = client({ retries: 1 });
  onTestFinished(async () => {
    await registry.close();
    await server.close();
  });
  for (const tag of ['1', '2']) seedImage(server, 'a', tag, { tag });
  const head = async (name: string) => registry.head(reference(`${server.host}/${name}`), 'source');
  const asked = () => lines(server).map((line) => line.replace('/v2/', '').replace('/manifests/', ':'));
  return { server, head, asked };
}

const refusing = (status: number) => (request: ScriptedRequest) => (request.method === 'HEAD' ? status : undefined);

describe('a source that refuses HEAD with', () => {
  test.each([400, 403, 404, 405, 406, 415, 501])('%i is read, and not asked so again', async (status) => {
    const { head, asked } = await source(refusing(status));
    expect(must(await head('a:1'))).toBeDefined();
    expect(must(await head('a:2'))).toBeDefined();
    expect(must(await head('a:3'))).toBeUndefined();
    expect(asked()).toEqual(['HEAD a:1', 'GET a:1', 'GET a:2', 'GET a:3']);
  });

  // Which may be a moment's: others must not be pulled for it.
  test('500 is read when it has been tried, and asked again for the next', async () => {
    const { head, asked } = await source(refusing(500));
    expect(must(await head('a:1'))).toBeDefined();
    expect(must(await head('a:2'))).toBeDefined();
    expect(asked()).toEqual(['HEAD a:1', 'HEAD a:1', 'GET a:1', 'HEAD a:2', 'HEAD a:2', 'GET a:2']);
  });

  test.each([400, 403, 404, 405, 500])('%i is copied with one pull of each manifest', async (status) => {
    const { source: from, sync } = await pair({
      onSource: ({ method }) => (method === 'HEAD' ? { kind: 'answer', status } : undefined),
    });
    expect(await sync()).toMatchObject(COPIED);
    const pulls = from.log.filter(({ method, path }) => method === 'GET' && path.includes('/manifests/'));
    // The index and an image for each of two platforms.
    expect(pulls).toHaveLength(3);
  });
});

test('what is not there is read for once, and not where a HEAD was answered before', async () => {
  const { server, head, asked } = await source(() => undefined);
  seedImage(server, 'b', 'one', { tag: '1' });
  for (const time of ['once', 'again']) expect(must(await head('a:3')), time).toBeUndefined();
  expect(must(await head('b:1'))).toBeDefined();
  expect(must(await head('b:2'))).toBeUndefined();
  expect(asked()).toEqual(['HEAD a:3', 'GET a:3', 'HEAD a:3', 'HEAD b:1', 'HEAD b:2']);
});

test('a registry that answers HEADs is asked by them, whatever one of them was answered', async () => {
  const { head, asked } = await source(({ method, path }) =>
    method === 'HEAD' && path.endsWith('/2') ? 403 : undefined,
  );
  for (const name of ['a:1', 'a:2', 'a:1']) expect(must(await head(name))).toBeDefined();
  expect(asked()).toEqual(['HEAD a:1', 'HEAD a:2', 'GET a:2', 'HEAD a:1']);
});

test('where both fail, what the GET was answered is told, but for what is not there', async () => {
  const broken = await source(({ method }) => (method === 'HEAD' ? 400 : 403));
  expect(failureOf(await broken.head('a:1'))).toMatchObject({ class: 'permanent', status: 403 });
  const lacking = await source(({ method }) => (method === 'HEAD' ? 404 : 403));
  expect(must(await lacking.head('a:1'))).toBeUndefined();
});

test('a signature that is not there is not read for', async () => {
  const { head, asked } = await source(() => undefined);
  const tag = `sha256-${'0'.repeat(64)}.sig`;
  expect(must(await head(`a:${tag}`))).toBeUndefined();
  expect(asked()).toEqual([`HEAD a:${tag}`]);
});

test('a mirror that lacks a tag is not read for it', async () => {
  await using origin = await startScriptedRegistry();
  await using mirror = await startScriptedRegistry();
  await using registry = client({ mirrors: [{ source: origin.host, mirror: `${mirror.host}/copy`, trusted: true }] });
  seedImage(origin, 'a', 'one', { tag: '1' });
  expect(must(await registry.head(reference(`${origin.host}/a:1`), 'source'))).toBeDefined();
  expect(lines(mirror)).toEqual(['HEAD /v2/copy/a/manifests/1']);
});

test('a destination is not pulled from for what it lacks', async () => {
  await using server = await startScriptedRegistry();
  await using registry = client();
  expect(must(await registry.head(reference(`${server.host}/a:1`), 'destination'))).toBeUndefined();
  expect(lines(server)).toEqual(['HEAD /v2/a/manifests/1']);
});
