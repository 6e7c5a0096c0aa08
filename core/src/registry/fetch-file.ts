/** A file from the web by a conditional request; only its hash is kept. For package indexes, which can be large. */
import { createHash } from 'node:crypto';
import { fail, ok, type RegistryFailure, type Result } from '../failure.ts';
import { StreamFailure } from '../oci/digest.ts';
import { createHttp, type HttpResponse } from './http.ts';
import { isTransientStatus, registryFailure } from './refusal.ts';
import { createRetrier } from './retry.ts';

export type FetchedFile =
  | { readonly kind: 'same' }
  | { readonly kind: 'new'; /** Of the whole body, hex. */ readonly sha256: string; readonly etag: string | undefined };

export interface FileFetcher {
  /** `etag` of the copy that is known: an unchanged file costs no download. */
  fetch(url: string, etag: string | undefined): Promise<Result<FetchedFile>>;
  close(): Promise<void>;
}

/** Bytes; Alpine's largest index is some MiB. */
const MAX_FILE = 256 * 1024 * 1024;
const HINT =
  'the package repositories are named in the build source and in its melange files; see whether they can be reached from here';

export function createFileFetcher({
  userAgent,
  signal,
}: {
  readonly userAgent: string;
  readonly signal: AbortSignal;
}): FileFetcher {
  // A package index is signed by itself, so plain HTTP is as good as HTTPS for it.
  const http = createHttp({ plainHttp: () => true, perHost: 4, userAgent, signal });
  const retrier = createRetrier({ retries: 3, signal });
  return {
    close: http.close,
    async fetch(text, etag) {
      const url = URL.parse(text);
      if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
        return fail(fileFailure(text, 'permanent', `"${text}" is not a web address`));
      }
      // Addresses are told in failures, and are a part of what is signed.
      if (url.username !== '' || url.password !== '') {
        const message = `the address of a package index on ${url.host} holds a name or a password`;
        return fail(fileFailure(url.host, 'permanent', message));
      }
      return retrier.run(url.host, async () => {
        const headers = etag === undefined ? {} : { 'if-none-match': etag };
        const answer = await http.send({ method: 'GET', url, headers, side: 'source', registry: url.host });
        return { result: answer.ok ? await read(answer.value, url, etag) : answer };
      });
    },
  };
}

async function read(response: HttpResponse, url: URL, known: string | undefined): Promise<Result<FetchedFile>> {
  if (response.status === 304 && known !== undefined) {
    await response.drain();
    return ok({ kind: 'same' });
  }
  if (response.status !== 200) {
    await response.drain();
    const { status } = response;
    const kind = isTransientStatus(status) ? 'transient' : 'permanent';
    return fail(fileFailure(url.host, kind, `${url.href} answered ${status}`, { status }));
  }
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of response.stream()) {
      size += chunk.byteLength;
      if (size > MAX_FILE)
        return fail(fileFailure(url.host, 'permanent', `${url.href} is larger than ${MAX_FILE} bytes`));
      hash.update(chunk);
    }
  } catch (error) {
    if (error instanceof StreamFailure) return fail(error.failure);
    throw error;
  }
  return ok({ kind: 'new', sha256: hash.digest('hex'), etag: response.header('etag') });
}

function fileFailure(
  host: string,
  kind: 'transient' | 'permanent',
  message: string,
  details: { readonly status?: number } = {},
): RegistryFailure {
  return registryFailure({ side: 'source', registry: host }, kind, message, { ...details, hint: HINT });
}
