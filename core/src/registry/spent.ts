/**
 * Gives back the memory of what was sent. Chunks of a socket are fresh 64 KiB buffers that would wait for the garbage collector,
 * 100 MB of them and more; given back at once, the next read gets the same memory, which is still in the processor's cache: a
 * quarter of the time of a large copy.
 */

import { watched } from '../oci/streams.ts';

/**
 * Bytes that were asked for after a chunk before it is given back. The sender asks for more only while less than its socket's high-water
 * mark of 64 KiB is unsent, so a chunk this far behind has left.
 */
const BEHIND = 256 * 1024;
/** Smaller ones may be parts of buffers that others use too. */
const WHOLE = 16 * 1024;

/** The same chunks; each is empty some time after it was taken, so it must be sent and not kept. */
export function givingBack(stream: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return watched(stream, (chunks) => {
    const taken: Uint8Array[] = [];
    let behind = 0;
    return async () => {
      const step = await chunks.next();
      if (step.done === true) return step;
      for (let oldest = taken[0]; oldest !== undefined; oldest = taken[0]) {
        if (behind - oldest.byteLength < BEHIND) break;
        taken.shift();
        behind -= oldest.byteLength;
        giveBack(oldest);
      }
      taken.push(step.value);
      behind += step.value.byteLength;
      return step;
    };
  });
}

/** Only what has a buffer of its own. */
function giveBack(chunk: Uint8Array): void {
  const { buffer, byteLength } = chunk;
  if (byteLength < WHOLE || buffer.byteLength !== byteLength || !(buffer instanceof ArrayBuffer)) return;
  buffer.transfer(0);
}
