/** Small things that are read into memory as a whole. */
import { fail, ok, type Result } from '../failure.ts';
import { StreamFailure } from '../oci/digest.ts';

/** Something small that is wanted whole, over all the requests that takes. */
export interface Whole {
  /** The most that may come. */
  readonly bytes: number;
  /** Milliseconds that were spent waiting for it so far. */
  waited: number;
}

/** How often a host's patience is had with anything that is small, and bytes for which it is had once more. */
const PATIENCES = 3;
const MORE = 4 * 1024 * 1024;

/** Milliseconds that something small may be waited for in all: with a patience of a minute, seven for a config of 16 MiB. */
export function longest({ bytes }: Whole, patience: number): number {
  return patience * (PATIENCES + bytes / MORE);
}

/** A stream read into memory; its sender has checked that it is small. */
export async function readWhole(stream: AsyncIterable<Uint8Array>): Promise<Result<Uint8Array>> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk);
  } catch (error) {
    if (error instanceof StreamFailure) return fail(error.failure);
    throw error;
  }
  return ok(Buffer.concat(chunks));
}
