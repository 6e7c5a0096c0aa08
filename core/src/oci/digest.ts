/** Digests of bytes and of streams: https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests */
import { createHash, type Hash } from 'node:crypto';
import type { Failure } from '../failure.ts';
import type { Digest } from '../reference.ts';
import type { Descriptor } from './model.ts';

/** The sha256 digest of `bytes`. */
export function sha256(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

/** The digest of `bytes` by the algorithm that `like` uses, so that the two can be compared. */
export function digestLike(like: Digest, bytes: Uint8Array): Digest {
  const hash = hasher(like);
  hash.update(bytes);
  return finish(like, hash);
}

/** What a stream throws when it ends badly: an expected failure that could not be returned, because reading had begun. */
export class StreamFailure extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.name = 'StreamFailure';
    this.failure = failure;
  }
}

/** `short`: fewer bytes came than the descriptor says, which a new try may mend; `wrong`: too many, or other bytes. */
export type Mismatch = 'short' | 'wrong';

/**
 * The same bytes as `source`; throws {@link StreamFailure} with `failure(kind)` unless they match the descriptor's size and
 * digest. The last chunk is held back until they do, so that nobody downstream can have received the whole of a wrong blob.
 */
export function verified(
  source: AsyncIterable<Uint8Array>,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
  failure: (kind: Mismatch) => Failure,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      // The source is entered at once: returning from a generator that never ran would not close what it reads.
      const input = source[Symbol.asyncIterator]();
      const output = checkedChunks(input, descriptor, failure);
      return {
        next: () => output.next(),
        async return() {
          await output.return(undefined);
          await input.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

async function* checkedChunks(
  input: AsyncIterator<Uint8Array>,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
  failure: (kind: Mismatch) => Failure,
): AsyncGenerator<Uint8Array, undefined> {
  const hash = hasher(descriptor.digest);
  let size = 0;
  let held: Uint8Array | undefined;
  for (;;) {
    const step = await input.next();
    if (step.done === true) break;
    size += step.value.byteLength;
    if (size > descriptor.size) {
      await input.return?.();
      throw new StreamFailure(failure('wrong'));
    }
    hash.update(step.value);
    if (held !== undefined) yield held;
    held = step.value;
  }
  if (size < descriptor.size) throw new StreamFailure(failure('short'));
  if (finish(descriptor.digest, hash) !== descriptor.digest) throw new StreamFailure(failure('wrong'));
  if (held !== undefined) yield held;
  return undefined;
}

function hasher(digest: Digest): Hash {
  return createHash(digest.startsWith('sha512:') ? 'sha512' : 'sha256');
}

function finish(like: Digest, hash: Hash): Digest {
  return `${like.startsWith('sha512:') ? 'sha512' : 'sha256'}:${hash.digest('hex')}` as Digest;
}
