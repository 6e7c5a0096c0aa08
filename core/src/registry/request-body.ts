/** Streams that are sent: who is to blame when one breaks off, and that each is closed. */
import { StreamFailure } from '../oci/digest.ts';
import { ok, type Failure, type Result } from '../failure.ts';
import type { StreamBody } from './http.ts';

export interface OpenBody {
  readonly body: AsyncIterable<Uint8Array>;
  /** Why the source, not the destination, ended the upload. */
  readonly failure: () => Failure | undefined;
  readonly close: () => Promise<void>;
}

/** Remembers what the source threw, since the HTTP client reports only that the upload broke off. */
export async function openBody(body: StreamBody): Promise<Result<OpenBody>> {
  const source = await body.open();
  if (!source.ok) return source;
  const iterator = source.value[Symbol.asyncIterator]();
  let failure: Failure | undefined;
  const next = async () => {
    try {
      return await iterator.next();
    } catch (error) {
      if (error instanceof StreamFailure) failure = error.failure;
      throw error;
    }
  };
  return ok({
    body: { [Symbol.asyncIterator]: () => ({ next }) },
    failure: () => failure,
    close: async () => void (await iterator.return?.()),
  });
}
