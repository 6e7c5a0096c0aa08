/** Answers as the rest of the registry code sees them. */
import type { Dispatcher } from 'undici';
import { StreamFailure } from '../oci/digest.ts';
import { fail, ok, type Failure, type Result } from '../failure.ts';
import type { Headers } from './bodiless.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import { registryFailure } from './refusal.ts';

/** Bytes of a body that nobody wants which are read so that the connection can be used again. */
const MAX_DRAIN = 64 * 1024;

export interface Exchange {
  readonly request: HttpRequest;
  readonly url: URL;
  /** What the HTTP client threw, as a failure. */
  readonly explain: (error: unknown) => Failure;
  /** Slows a body down. */
  readonly pace: (stream: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
}

/** `release` gives back the place in the queue, once the body has ended. */
export function withBody(answer: Dispatcher.ResponseData, exchange: Exchange, release: () => void): HttpResponse {
  const { body } = answer;
  body.once('close', release);
  // A body that breaks before anybody reads it must not become an uncaught error.
  body.on('error', () => {});
  const stream = () => exchange.pace(read(body, exchange.explain));
  return {
    status: answer.statusCode,
    url: exchange.url,
    header: (name) => headerOf(answer.headers, name),
    stream,
    bytes: (limit) => collect(stream(), limit, exchange.request),
    async drain() {
      await body.dump({ limit: MAX_DRAIN }).catch(() => {});
    },
  };
}

/** An answer to a HEAD: there is nothing to read. */
export function withoutBody(status: number, headers: Headers, url: URL): HttpResponse {
  return {
    status,
    url,
    header: (name) => headerOf(headers, name),
    async *stream() {},
    bytes: async () => ok(new Uint8Array()),
    drain: async () => {},
  };
}

function headerOf(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function read(body: Dispatcher.ResponseData['body'], explain: Exchange['explain']): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
      return {
        async next() {
          try {
            return await chunks.next();
          } catch (error) {
            throw new StreamFailure(explain(error));
          }
        },
        async return() {
          body.destroy();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

async function collect(
  stream: AsyncIterable<Uint8Array>,
  limit: number,
  request: HttpRequest,
): Promise<Result<Uint8Array>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      size += chunk.byteLength;
      if (size > limit) {
        const message = `${request.registry} sent more than ${limit} bytes where less was expected`;
        return fail(registryFailure(request, 'permanent', message));
      }
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof StreamFailure) return fail(error.failure);
    throw error;
  }
  return ok(Buffer.concat(chunks));
}
