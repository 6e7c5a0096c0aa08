import { describe, expect, test } from 'vitest';
import { sha256 } from '../oci/digest.ts';
import type { Descriptor } from '../oci/model.ts';
import { startScriptedRegistry } from '../testing/scripted-registry.ts';
import { client, failureOf, lines, logins, must, repository } from './test-client.ts';
import { is, pair } from './traps/pair.ts';

const TEXT = 'the bytes';
const BLOB: Descriptor = { mediaType: 'text/plain', digest: sha256(TEXT), size: TEXT.length };
const ANN = { kind: 'password', username: 'ann', secret: 'canary-secret' } as const;

async function* bytes(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(TEXT);
}

const open = async () => ({ ok: true, value: bytes() }) as const;

describe('an upload', () => {
  test('is one POST and one PUT that says its length', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    must(await registry.content(repository(server.host, 'a'), 'destination').putBlob(BLOB, open));
    expect(server.log.map(({ method }) => method)).toEqual(['POST', 'PUT']);
    expect(server.log[0]?.headers['content-length']).toBe('0');
    expect(server.log[1]?.headers).toMatchObject({
      'content-length': String(TEXT.length),
      'content-type': 'application/octet-stream',
    });
    expect(server.log[1]?.url).toContain('?_state=a%2Fb&digest=sha256%3A');
  });

  test('to a host of its own carries no credentials there', async () => {
    await using storage = await startScriptedRegistry({ onRequest: () => ({ kind: 'answer', status: 201 }) });
    await using server = await startScriptedRegistry({ basic: { username: 'ann', password: ANN.secret } });
    const location = `http://${storage.host}/upload?signed=1`;
    server.onRequest = ({ headers }) =>
      headers.authorization === undefined ? undefined : { kind: 'answer', status: 202, headers: { location } };
    await using registry = client({ credentials: logins({ [server.host]: ANN }) });
    must(await registry.content(repository(server.host, 'a'), 'destination').putBlob(BLOB, open));
    expect(lines(storage)).toEqual(['PUT /upload']);
    expect(storage.log[0]?.headers.authorization).toBeUndefined();
  });

  test('is not sent to an address that is not safe', async () => {
    const location = 'http://192.0.2.1/upload';
    await using server = await startScriptedRegistry({
      onRequest: () => ({ kind: 'answer', status: 202, headers: { location } }),
    });
    await using registry = client();
    const put = await registry.content(repository(server.host, 'a'), 'destination').putBlob(BLOB, open);
    expect(failureOf(put)).toMatchObject({ class: 'permanent', side: 'destination' });
  });

  test('uses what a refused mount has opened, also when it is cut', async () => {
    await using server = await startScriptedRegistry({
      onRequest: ({ method, earlier }) => (method === 'PUT' && earlier === 0 ? { kind: 'reset' } : undefined),
    });
    await using registry = client();
    const from = registry.content(repository(server.host, 'from'), 'source');
    const to = registry.content(repository(server.host, 'to'), 'destination');
    expect(must(await to.mountBlob(BLOB, from))).toBe(false);
    must(await to.putBlob(BLOB, open));
    expect(server.log.map(({ method }) => method)).toEqual(['POST', 'PUT', 'GET', 'PUT']);
    expect(server.blob('to', BLOB.digest)).toBeDefined();
  });

  test('whose source cannot be opened fails as the source does, without more tries', async () => {
    await using server = await startScriptedRegistry();
    await using source = await startScriptedRegistry();
    await using registry = client({ retries: 1 });
    source.onRequest = () => ({ kind: 'answer', status: 503, headers: { 'retry-after': '0' } });
    const from = registry.content(repository(source.host, 'a'), 'source');
    const to = registry.content(repository(server.host, 'a'), 'destination');
    expect(failureOf(await to.putBlob(BLOB, () => from.blob(BLOB)))).toMatchObject({ side: 'source', status: 503 });
    expect(source.log).toHaveLength(2);
  });
});

test.each([405, 501])('a host that knows no HEAD (%i) and mounts nothing is sent all blobs', async (status) => {
  const { sync } = await pair({
    client: { retries: 0 },
    onDestination: (request) =>
      request.method === 'HEAD' || is.mount(request) ? { kind: 'answer', status } : undefined,
  });
  expect(await sync()).toMatchObject({ ok: true, value: { blobs: 5 } });
});

describe('a blob in memory', () => {
  test('is read whole, and again when it breaks off', async () => {
    await using server = await startScriptedRegistry({
      onRequest: ({ earlier }) => (earlier === 0 ? { kind: 'truncate' } : undefined),
    });
    await using registry = client();
    server.putBlob('a', TEXT);
    const read = await registry.readBlob(repository(server.host, 'a'), BLOB, 'source');
    expect(Buffer.from(must(read)).toString()).toBe(TEXT);
  });

  test('is refused when it is larger than allowed, or other than it should be', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    server.putBlob('a', TEXT);
    const at = repository(server.host, 'a');
    expect(failureOf(await registry.readBlob(at, BLOB, 'source', 3)).message).toContain('larger than 3 bytes');
    expect(server.log).toHaveLength(0);
    server.onRequest = () => ({ kind: 'lie' });
    expect(failureOf(await registry.readBlob(at, BLOB, 'source')).message).toContain('wrong bytes');
    server.onRequest = undefined;
    expect(failureOf(await registry.readBlob(at, { ...BLOB, size: 3 }, 'source'))).toMatchObject({
      class: 'permanent',
    });
  });

  test('that is not there is a permanent failure of its side', async () => {
    await using server = await startScriptedRegistry();
    await using registry = client();
    const read = await registry.readBlob(repository(server.host, 'a'), BLOB, 'source');
    expect(failureOf(read)).toMatchObject({ class: 'permanent', side: 'source', status: 404, code: 'BLOB_UNKNOWN' });
  });
});

test.each<[string, Readonly<Record<string, string>>, boolean]>([
  ['another length', { 'content-length': '5' }, false],
  ['another length of packed bytes', { 'content-length': '5', 'content-encoding': 'gzip' }, true],
  ['0 where it knows none', { 'content-length': '0' }, true],
])('whether a blob is there, where the answer says %s', async (_, headers, there) => {
  await using server = await startScriptedRegistry({ onRequest: () => ({ kind: 'answer', status: 200, headers }) });
  await using registry = client();
  const content = registry.content(repository(server.host, 'a'), 'source');
  expect(must(await content.hasBlob(BLOB))).toBe(there);
});
