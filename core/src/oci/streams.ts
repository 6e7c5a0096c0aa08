/** Streams of bytes, made of others and of what is in memory. */
import type { Result } from '../failure.ts';
import { StreamFailure } from './digest.ts';

type Next = () => Promise<IteratorResult<Uint8Array>>;

/**
 * The same stream, with what `nextOf` does whenever a chunk is asked for. No generator, which would not close what it reads unless
 * somebody has begun to read it.
 */
export function watched(
  stream: AsyncIterable<Uint8Array>,
  nextOf: (chunks: AsyncIterator<Uint8Array>) => Next,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const chunks = stream[Symbol.asyncIterator]();
      return {
        next: nextOf(chunks),
        async return() {
          await chunks.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** A stream that is opened when its first bytes are asked for. Opened sooner, nobody would close it if writing fails before that. */
export async function* openedLate(
  open: () => Promise<Result<AsyncIterable<Uint8Array>>>,
): AsyncGenerator<Uint8Array, undefined> {
  const stream = await open();
  if (!stream.ok) throw new StreamFailure(stream.failure);
  yield* stream.value;
}

export async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
