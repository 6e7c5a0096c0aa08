/** Parts of streams. Closing one closes what it reads, also before the first chunk. */
import { watched } from '../oci/streams.ts';

/** Without the first `start` bytes. */
export function without(start: number, stream: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  if (start === 0) return stream;
  return watched(stream, (chunks) => {
    let left = start;
    return async () => {
      for (;;) {
        const step = await chunks.next();
        if (step.done === true) return step;
        const skipped = Math.min(left, step.value.byteLength);
        left -= skipped;
        if (skipped === 0) return step;
        if (skipped < step.value.byteLength) return { done: false, value: step.value.subarray(skipped) };
      }
    };
  });
}

/** The same chunks; `count` is told the bytes of each. */
export function counted(stream: AsyncIterable<Uint8Array>, count: (bytes: number) => void): AsyncIterable<Uint8Array> {
  return watched(stream, (chunks) => async () => {
    const step = await chunks.next();
    if (step.done !== true) count(step.value.byteLength);
    return step;
  });
}

/** Hands out a stream piece by piece: each ends after so many bytes, or where the stream does. */
export function inPieces(stream: AsyncIterable<Uint8Array>): {
  readonly take: (bytes: number) => AsyncIterable<Uint8Array>;
  readonly close: () => Promise<void>;
} {
  const chunks = stream[Symbol.asyncIterator]();
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
