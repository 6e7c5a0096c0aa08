/** Blobs that are larger than what stands before a registry lets through in one request. */
import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sha256 } from '../oci/digest.ts';
import type { Descriptor } from '../oci/model.ts';
import { startScriptedRegistry, type Action, type ScriptedRequest } from '../testing/scripted-registry.ts';
import { smallerBody } from './body-limits.ts';
import { client, failureOf, must, repository } from './test-client.ts';

const MIB = 1024 * 1024;

async function behind(onRequest: (request: ScriptedRequest) => Action | undefined) {
  const server = await startScriptedRegistry({ onRequest });
  const registry = client();
  onTestFinished(async () => {
    await registry.close();
    await server.close();
  });
  const to = registry.content(repository(server.host, 'a'), 'destination');
  return {
    async put(size: number) {
      const bytes = randomBytes(size);
      const blob: Descriptor = { mediaType: 'a/b', digest: sha256(bytes), size };
      const from = server.log.length;
      async function* chunks(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < size; at += 60_000) yield bytes.subarray(at, at + 60_000);
      }
      const result = await to.putBlob(blob, async () => ({ ok: true, value: chunks() }));
      if (result.ok) expect(Buffer.from(server.blob('a', blob.digest) ?? []).equals(bytes)).toBe(true);
      const sent = server.log.slice(from).map(({ method, headers }) => `${method} ${headers['content-length'] ?? ''}`);
      return { result, sent };
    },
  };
}

/** A proxy that lets `most` bytes through. */
const atMost =
  (most: number, then?: Action) =>
  ({ method, headers }: ScriptedRequest): Action | undefined =>
    Number(headers['content-length'] ?? 0) > most
      ? { kind: 'answer', status: 413, body: '<html>Request Entity Too Large</html>' }
      : method === 'POST'
        ? then
        : undefined;

describe('a blob that is too large for one request', () => {
  test('is sent in parts that fit, and the next one at once', async () => {
    const { put } = await behind(atMost(MIB));
    const first = await put(9 * MIB);
    must(first.result);
    const part = `PATCH ${MIB / 2}`;
    // Each refusal is followed by the question what the registry has.
    expect(first.sent).toEqual([
      'POST 0',
      `PUT ${9 * MIB}`,
      'GET ',
      `PATCH ${8 * MIB}`,
      'GET ',
      ...Array.from({ length: 18 }, () => part),
      'PUT 0',
    ]);
    const second = await put(MIB + 1);
    must(second.result);
    expect(second.sent).toEqual(['POST 0', part, part, 'PATCH 1', 'PUT 0']);
    expect((await put(1000)).sent).toEqual(['POST 0', 'PUT 1000']);
  });

  test('has no parts below what the registry takes', async () => {
    const { put } = await behind(atMost(MIB, { kind: 'with', headers: { 'oci-chunk-min-length': String(MIB) } }));
    const { result, sent } = await put(2 * MIB + 5);
    must(result);
    expect(sent.filter((line) => line.startsWith('PATCH'))).toEqual([`PATCH ${MIB}`, `PATCH ${MIB}`, 'PATCH 5']);
  });

  test('is one failure where nothing fits', async () => {
    const { put } = await behind(atMost(1000));
    const { result, sent } = await put(9 * MIB);
    const hint = expect.stringContaining('client_max_body_size') as unknown;
    expect(failureOf(result)).toMatchObject({ class: 'permanent', side: 'destination', status: 413, hint });
    expect(sent.filter((line) => /^(?:PUT|PATCH)/.test(line))).toHaveLength(3);
  });

  test('that a gateway gave up on twice is sent in parts', async () => {
    const { put } = await behind(({ method, headers }) =>
      method === 'PUT' && headers['content-length'] !== '0' ? { kind: 'answer', status: 504 } : undefined,
    );
    const { result, sent } = await put(MIB);
    must(result);
    expect(sent.filter((line) => line.startsWith('PUT'))).toEqual([`PUT ${MIB}`, `PUT ${MIB}`, 'PUT 0']);
  });

  test('goes on with the part that broke off', async () => {
    let parts = 0;
    const limit = atMost(MIB);
    const { put } = await behind((request) => {
      if (request.method === 'PATCH' && limit(request) === undefined && (parts += 1) === 3) {
        return { kind: 'cut', after: 200_000 };
      }
      return limit(request);
    });
    const { result, sent } = await put(2 * MIB);
    must(result);
    expect(sent.filter((line) => line.startsWith('PATCH'))).toEqual([
      ...[MIB / 2, MIB / 2, MIB / 2].map((size) => `PATCH ${size}`),
      // 200,000 bytes of the third have arrived.
      `PATCH ${MIB / 2}`,
      `PATCH ${MIB / 2 - 200_000}`,
    ]);
  });
});

test('sizes get smaller, never below what is taken, and end', () => {
  for (const minimum of [undefined, 5 * MIB]) {
    const sizes: number[] = [];
    for (
      let size = smallerBody(Number.MAX_SAFE_INTEGER, minimum);
      size !== undefined;
      size = smallerBody(size, minimum)
    ) {
      sizes.push(size / MIB);
    }
    expect(sizes).toEqual(minimum === undefined ? [64, 8, 0.5] : [64, 8, 5]);
  }
});
