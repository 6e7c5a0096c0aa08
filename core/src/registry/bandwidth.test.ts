import { expect, test } from 'vitest';
import { createBucket, throttled } from './bandwidth.ts';

test('a bucket lets a little through at once, and then as much as its rate', () => {
  const bucket = createBucket(1000);
  expect([bucket(250, 0), bucket(100, 0), bucket(100, 0)]).toEqual([0, 100, 200]);
  // After a rest no more than at the beginning.
  expect([bucket(250, 10_000), bucket(1, 10_000)]).toEqual([0, 1]);
});

test('all streams of a host share its rate, and the slowest of several buckets decides', async () => {
  const bytes = new Uint8Array(10_000);
  async function* source() {
    for (let chunk = 0; chunk < 10; chunk += 1) yield bytes;
  }
  const [own, all] = [createBucket(1_000_000), createBucket(500_000)];
  const before = performance.now();
  const sizes = await Promise.all(
    [[own, all], [all]].map(async (buckets) => {
      let size = 0;
      for await (const chunk of throttled(source(), buckets, undefined)) size += chunk.byteLength;
      return size;
    }),
  );
  expect(sizes).toEqual([100_000, 100_000]);
  // 200 kB at 500 kB/s, the first 125 kB at once.
  expect(performance.now() - before).toBeGreaterThan(140);
});

test('a slowed stream ends when it is cancelled, and closes its source', async () => {
  const controller = new AbortController();
  let closed = false;
  async function* source() {
    try {
      for (;;) yield new Uint8Array(1_000_000);
    } finally {
      closed = true;
    }
  }
  const stream = throttled(source(), [createBucket(1)], controller.signal);
  setImmediate(() => controller.abort());
  for await (const _ of stream) break;
  expect(closed).toBe(true);
});

test('without buckets it is the very stream', () => {
  const stream = (async function* () {})();
  expect(throttled(stream, [], undefined)).toBe(stream);
});
