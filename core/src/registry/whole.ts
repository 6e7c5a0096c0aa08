/** A stream read into memory; its sender has checked that it is small. */
import { fail, ok, type Result } from '../failure.ts';
import { StreamFailure } from '../oci/digest.ts';

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
