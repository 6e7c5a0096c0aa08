import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { sha256 } from '../oci/digest.ts';
import { givingBack } from './spent.ts';

const KIB = 1024;

async function* from(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

const lengths = (chunks: readonly Uint8Array[]) => chunks.map(({ byteLength }) => byteLength);

test('what is far enough behind is given back, and nothing that may be unsent', async () => {
  const chunks = Array.from({ length: 10 }, () => new Uint8Array(64 * KIB));
  const stream = givingBack(from(chunks))[Symbol.asyncIterator]();
  const seen: number[] = [];
  for (let step = await stream.next(); step.done !== true; step = await stream.next()) {
    seen.push(step.value.byteLength);
    const left = lengths(chunks.slice(0, seen.length)).reduce((sum, length) => sum + length, 0);
    expect(left).toBeGreaterThanOrEqual(Math.min(256 * KIB, seen.length * 64 * KIB));
    expect(left).toBeLessThanOrEqual(384 * KIB);
  }
  expect(seen).toEqual(Array.from({ length: 10 }, () => 64 * KIB));
});

test('a part of a buffer, and a small one, are left to whoever else has them', async () => {
  const shared = new Uint8Array(128 * KIB);
  const chunks = [shared.subarray(0, 64 * KIB), shared.subarray(64 * KIB), new Uint8Array(KIB)];
  const others = Array.from({ length: 8 }, () => new Uint8Array(64 * KIB));
  for await (const chunk of givingBack(from([...chunks, ...others]))) expect(chunk.byteLength).toBeGreaterThan(0);
  expect(lengths(chunks)).toEqual([64 * KIB, 64 * KIB, KIB]);
});

test('closing closes the source', async () => {
  let closed = false;
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: false as const, value: new Uint8Array(1) }),
      return: async () => {
        closed = true;
        return { done: true as const, value: undefined };
      },
    }),
  };
  await givingBack(source)[Symbol.asyncIterator]().return?.();
  expect(closed).toBe(true);
});

test('what is sent arrives as it was, however slowly it is taken', async () => {
  const bytes = randomBytes(16 * 1024 * KIB);
  let taken = 0;
  const take = async (asked: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of asked) {
      chunks.push(chunk as Buffer);
      taken += 1;
      // The sender's socket fills up, so what it has taken stays unsent for a while.
      if (taken % 40 === 0) await sleep(2);
    }
    response.end(sha256(Buffer.concat(chunks)));
  };
  const server = createServer((asked, response) => void take(asked, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a listening server has a port');
  const copies = Array.from({ length: bytes.byteLength / (64 * KIB) }, (_, at) =>
    Uint8Array.from(bytes.subarray(at * 64 * KIB, (at + 1) * 64 * KIB)),
  );
  const answer = await request(`http://127.0.0.1:${address.port}/`, {
    method: 'PUT',
    headers: { 'content-length': String(bytes.byteLength) },
    body: givingBack(from(copies)) as unknown as Uint8Array,
  });
  expect(await answer.body.text()).toBe(sha256(bytes));
  expect(lengths(copies).filter((length) => length === 0).length).toBeGreaterThan(200);
});
