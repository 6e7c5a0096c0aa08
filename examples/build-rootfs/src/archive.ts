/** An archive that is there already: its own bytes are the layer. */
import { configFailure, fail, ok, type ConfigFailure, type Result } from '@slipway/core';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** In bytes, unpacked: a small file can unpack to any size. */
const MAX_BYTES = 16 * 1024 ** 3;

/** The bytes of a TAR archive, unpacked if it is compressed by gzip. `name` is for failures. */
export async function archiveBytes(
  path: string,
  name: string,
  signal: AbortSignal,
): Promise<Result<AsyncIterable<Uint8Array>, ConfigFailure>> {
  const unpacked = bytesOf(path, signal);
  const chunks = unpacked[Symbol.asyncIterator]();
  let first: IteratorResult<Uint8Array, void>;
  try {
    first = await chunks.next();
  } catch {
    signal.throwIfAborted();
    return fail(configFailure(`"${name}" cannot be unpacked`, 'make it again'));
  }
  // https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06, the field "magic".
  if (first.done === true || Buffer.from(first.value).toString('latin1', 257, 262) !== 'ustar') {
    await chunks.return(undefined);
    return fail(configFailure(`"${name}" is no TAR archive`, 'make it with tar, and name it .tar, .tar.gz or .tgz'));
  }
  return ok(resumed(first.value, chunks));
}

async function* resumed(first: Uint8Array, rest: AsyncGenerator<Uint8Array, void>): AsyncGenerator<Uint8Array, void> {
  yield first;
  yield* rest;
}

async function* bytesOf(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  await using file = await open(path);
  const head = Buffer.alloc(2);
  await file.read(head, 0, 2, 0);
  const raw = file.createReadStream({ autoClose: false, start: 0 });
  const gzip = head[0] === 0x1f && head[1] === 0x8b;
  // Errors of either stream end the loop below, so there is nothing to do in the callback.
  const chunks = gzip ? pipeline(raw, createGunzip(), () => undefined) : raw;
  let size = 0;
  for await (const chunk of chunks as AsyncIterable<Uint8Array>) {
    signal.throwIfAborted();
    size += chunk.length;
    if (size > MAX_BYTES) throw new Error(`more than ${MAX_BYTES / 1024 ** 3} GiB in one archive`);
    yield chunk;
  }
}
