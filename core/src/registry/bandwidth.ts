/** How fast bytes may flow: https://en.wikipedia.org/wiki/Token_bucket, shared by all transfers that take from it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { watched } from '../oci/streams.ts';

/** Seconds' worth of bytes that may come at once after a rest. */
const BURST = 0.25;

/** Takes so many bytes that have flowed, and says how many milliseconds to wait before the next. */
export type Bucket = (bytes: number, now: number) => number;

/** `rate` in bytes a second. */
export function createBucket(rate: number): Bucket {
  const most = rate * BURST;
  let left = most;
  let then = Number.NEGATIVE_INFINITY;
  return (bytes, now) => {
    left = Math.min(most, left + ((now - then) / 1000) * rate) - bytes;
    then = now;
    return left >= 0 ? 0 : (-left / rate) * 1000;
  };
}

/** The same stream, no faster than the buckets let it. */
export function throttled(
  stream: AsyncIterable<Uint8Array>,
  buckets: readonly Bucket[],
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  if (buckets.length === 0) return stream;
  return watched(stream, (chunks) => async () => {
    const chunk = await chunks.next();
    if (chunk.done !== true) {
      const now = performance.now();
      const wait = Math.max(...buckets.map((bucket) => bucket(chunk.value.byteLength, now)));
      // When it is cancelled, the stream itself says so at its next chunk.
      if (wait > 0) await sleep(wait, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    }
    return chunk;
  });
}
