/** What never ends, or nearly: answers, lists, hints. The numbers are those of the table beside this file. */
import type { Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { seedImage } from '../../testing/sample-images.ts';
import { startScriptedRegistry, type Action, type ScriptedRequest } from '../../testing/scripted-registry.ts';
import { startRaw } from '../../testing/servers.ts';
import { client, failureOf, pinned, reference, repository } from '../test-client.ts';
import { COPIED, pair } from './pair.ts';

const LIMIT = { timeout: 10_000 };
const DIGEST = `sha256:${'a'.repeat(64)}` as const;

describe('38: an answer that trickles, or never begins', LIMIT, () => {
  /** Each request is answered with `head`, and then with `drop` every few milliseconds for as long as somebody listens. */
  async function trickling(head: string, drop: string) {
    const timers = new Set<NodeJS.Timeout>();
    const answer = (socket: Socket): void => {
      socket.write(head);
      const timer = setInterval(() => void (socket.writable ? socket.write(drop) : clearInterval(timer)), 20);
      timers.add(timer);
    };
    const server = await startRaw((socket) => void socket.on('data', () => answer(socket)));
    const registry = client({ patience: 300, retries: 0, perHost: 1 });
    onTestFinished(async () => {
      timers.forEach((timer) => clearInterval(timer));
      await registry.close();
      await server[Symbol.asyncDispose]();
    });
    return { registry, host: `127.0.0.1:${server.port}` };
  }
  const status = (line: string, length: number) => `HTTP/1.1 ${line}\r\ncontent-length: ${length}\r\n\r\n`;

  test('a manifest', async () => {
    const { registry, host } = await trickling(status('200 OK', 1_000_000), 'x');
    expect(failureOf(await registry.manifest(reference(`${host}/a:1`), 'source'))).toMatchObject({
      class: 'transient',
      message: expect.stringContaining('sends too slowly') as unknown,
    });
  });

  test('a blob', async () => {
    const { registry, host } = await trickling(status('200 OK', 1_000_000), 'x');
    const blob = { mediaType: 'a/b', digest: pinned(`a@${DIGEST}`).digest, size: 1_000_000 };
    expect(failureOf(await registry.readBlob(repository(host, 'a'), blob, 'source'))).toMatchObject({
      message: expect.stringContaining('sends too slowly') as unknown,
    });
  });

  test('what is small, just fast enough for something large', async () => {
    // A mebibyte in twenty seconds, and a patience of a third of one.
    const { registry, host } = await trickling(status('200 OK', 1_000_000), 'x'.repeat(1024));
    const late = { class: 'permanent', message: expect.stringContaining('was not there after') as unknown };
    const blob = { mediaType: 'a/b', digest: pinned(`a@${DIGEST}`).digest, size: 1_000_000 };
    expect(failureOf(await registry.readBlob(repository(host, 'a'), blob, 'source'))).toMatchObject(late);
    expect(failureOf(await registry.manifest(reference(`${host}/a:1`), 'source'))).toMatchObject(late);
    const since = performance.now();
    expect(failureOf(await registry.tags(repository(host, 'a'), 'source'))).toMatchObject(late);
    // As long as for a manifest, though a list may be many times as long.
    expect(performance.now() - since).toBeLessThan(4000);
    const json = { repository: repository(host, 'a'), path: '/v2/a/more' };
    expect(failureOf(await registry.fetchJson(json))).toMatchObject(late);
  });

  test('the text of a refusal', async () => {
    const { registry, host } = await trickling(status('403 Forbidden', 10_000), 'x');
    expect(failureOf(await registry.manifest(reference(`${host}/a:1`), 'source'))).toMatchObject({ status: 403 });
  });

  test('what nobody reads, and would keep the place of others', async () => {
    const { registry, host } = await trickling(status('201 Created', 50_000), 'x');
    const to = registry.content(repository(host, 'a'), 'destination');
    const blob = { mediaType: 'a/b', digest: pinned(`a@${DIGEST}`).digest, size: 1 };
    const answers = await Promise.all([to.mountBlob(blob, to), to.mountBlob(blob, to)]);
    expect(answers).toMatchObject([COPIED, COPIED]);
  });

  test.each([
    ['a status', 'HTTP/1.1 200', ' '],
    ['headers', 'HTTP/1.1 200 OK\r\n', 'a: b\r\n'],
    ['answers that announce another', '', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ])('%s', async (_, head, drop) => {
    const { registry, host } = await trickling(head, drop);
    for (const answer of [
      await registry.head(reference(`${host}/a:1`), 'source'),
      await registry.manifest(reference(`${host}/a:1`), 'source'),
    ]) {
      expect(failureOf(answer)).toMatchObject({ reason: 'registry', class: 'transient' });
    }
  });
});

describe('39: lists and images without end', LIMIT, () => {
  const tags = async (onRequest: (request: ScriptedRequest) => Action) => {
    await using server = await startScriptedRegistry({ onRequest });
    await using registry = client();
    const result = await registry.tags(repository(server.host, 'a'), 'source');
    return { result, requests: server.log.length, host: server.host };
  };

  test('pages that are more than memory should hold', async () => {
    const body = JSON.stringify({ tags: ['a'.repeat(3_900_000)] });
    const { result, requests } = await tags(({ earlier }) => ({
      kind: 'answer',
      status: 200,
      headers: { link: `</v2/a/tags/list?last=${earlier}>; rel="next"` },
      body,
    }));
    expect(failureOf(result).message).toContain('sent a list that does not end');
    expect(requests).toBeLessThan(20);
  });

  test('a page of so many small values that they would take the memory of a hundred', async () => {
    const body = `{"tags":[${'{},'.repeat(1_000_000)}{}]}`;
    const { result } = await tags(() => ({ kind: 'answer', status: 200, body }));
    expect(failureOf(result).message).toContain('sent a list that does not end');
  });

  test('pages that go on at another host', async () => {
    await using other = await startScriptedRegistry();
    const headers = { link: `<http://${other.host}/v2/a/tags/list>; rel="next"` };
    const { result } = await tags(() => ({ kind: 'answer', status: 200, headers, body: '{"tags":["a"]}' }));
    // Its path is asked here, where it is the same page again.
    expect(failureOf(result).message).toContain('sent a list that does not end');
    expect(other.log).toEqual([]);
  });

  test('indexes in indexes, a hundred deep', async () => {
    const { sync } = await pair({
      seed: (source) => {
        let image = seedImage(source, 'from', 'leaf');
        for (let depth = 0; depth < 100; depth += 1) {
          const manifests = [image];
          image = source.putManifest('from', { schemaVersion: 2, mediaType: image.mediaType, manifests }, 'v1');
        }
        return image;
      },
    });
    expect(failureOf(await sync())).toMatchObject({ class: 'permanent', side: 'source' });
  });

  test('a token that no header can hold', async () => {
    await using server = await startScriptedRegistry({
      onRequest: ({ path }) =>
        path === '/token'
          ? { kind: 'answer', status: 200, body: JSON.stringify({ token: 'x'.repeat(70_000) }) }
          : undefined,
      tokens: {},
    });
    await using registry = client();
    expect(failureOf(await registry.head(reference(`${server.host}/a:1`), 'source'))).toMatchObject({
      class: 'permanent',
      message: expect.stringContaining('gave no token') as unknown,
    });
  });
});
