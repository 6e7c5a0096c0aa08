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

/** The same chunks; `count` is told the bytes of each. */
export function counted(chunks: AsyncIterator<Uint8Array>, count: (bytes: number) => void): AsyncIterator<Uint8Array> {
  return {
    async next() {
      const step = await chunks.next();
      if (step.done !== true) count(step.value.byteLength);
      return step;
    },
    async return() {
      await chunks.return?.();
      return { done: true, value: undefined };
    },
  };
}

/** Hands out a stream piece by piece: each ends after so many bytes, or where the stream does. */
export function inPieces(chunks: AsyncIterator<Uint8Array>): {
  readonly take: (bytes: number) => AsyncIterable<Uint8Array>;
  readonly close: () => Promise<void>;
} {
  let rest: Uint8Array = new Uint8Array();
  return {
    async *take(bytes) {
      for (let left = bytes; left > 0;) {
        if (rest.byteLength === 0) {
          const step = await chunks.next();
          if (step.done === true) return;
          rest = step.value;
        }
        const piece = rest.subarray(0, left);
        rest = rest.subarray(piece.byteLength);
        left -= piece.byteLength;
        if (piece.byteLength > 0) yield piece;
      }
    },
    close: async () => void (await chunks.return?.()),
  };
}
