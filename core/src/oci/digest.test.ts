import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Digest } from '../reference.ts';
import { digestLike, sha256, StreamFailure, verified, type Mismatch } from './digest.ts';

async function* chunksOf(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

function check(parts: readonly Uint8Array[], digest: Digest, size: number) {
  return verified(chunksOf(parts), { digest, size }, (kind: Mismatch) => ({
    reason: 'cancelled',
    class: 'cancelled',
    message: kind,
  }));
}

async function read(stream: AsyncIterable<Uint8Array>): Promise<{ readonly bytes: Buffer; readonly failure?: string }> {
  const seen: Uint8Array[] = [];
  try {
    for await (const chunk of stream) seen.push(chunk);
  } catch (error) {
    if (error instanceof StreamFailure) return { bytes: Buffer.concat(seen), failure: error.failure.message };
    throw error;
  }
  return { bytes: Buffer.concat(seen) };
}

const SHA512 = `sha512:${'0'.repeat(128)}` as Digest;

test('right bytes pass in whatever chunks they come, by either algorithm', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 }),
      fc.boolean(),
      async (parts, long) => {
        const whole = Buffer.concat(parts);
        const digest = long ? digestLike(SHA512, whole) : sha256(whole);
        expect(await read(check(parts, digest, whole.byteLength))).toEqual({ bytes: whole });
      },
    ),
  );
});

test('wrong bytes never come through whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 6 }),
      async (parts) => {
        const whole = Buffer.concat(parts);
        const other = await read(check(parts, sha256('other'), whole.byteLength));
        expect(other.failure).toBe('wrong');
        expect(other.bytes.byteLength).toBeLessThan(whole.byteLength);
        expect((await read(check(parts, sha256(whole), whole.byteLength + 1))).failure).toBe('short');
        expect((await read(check(parts, sha256(whole), whole.byteLength - 1))).failure).toBe('wrong');
      },
    ),
  );
});

test('a stream that nobody reads to its end closes its source, even if it never began', async () => {
  let closed = 0;
  const source: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: false, value: new Uint8Array(1) }),
      return: async () => ((closed += 1), { done: true, value: undefined }),
    }),
  };
  const stream = verified(source, { digest: SHA512, size: 9 }, () => ({
    reason: 'cancelled',
    class: 'cancelled',
    message: '',
  }));
  await stream[Symbol.asyncIterator]().return?.();
  expect(closed).toBe(1);
});
