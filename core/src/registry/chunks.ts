/** Parts of streams. */

/** Without the first `start` bytes. Closing it closes what it reads, also before the first chunk. */
export function without(start: number, chunks: AsyncIterator<Uint8Array>): AsyncIterator<Uint8Array> {
  if (start === 0) return chunks;
  let left = start;
  return {
    async next() {
      for (;;) {
        const step = await chunks.next();
        if (step.done === true) return step;
        const skipped = Math.min(left, step.value.byteLength);
        left -= skipped;
        if (skipped === 0) return step;
        if (skipped < step.value.byteLength) return { done: false, value: step.value.subarray(skipped) };
      }
    },
    async return() {
      await chunks.return?.();
      return { done: true, value: undefined };
    },
  };
}
