/** Answers as the rest of the registry code sees them. */
import type { Dispatcher } from 'undici';
import { StreamFailure } from '../oci/digest.ts';
import { fail, ok, type Failure, type Result } from '../failure.ts';
import type { Headers } from './bodiless.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import { oddHint, registryFailure } from './refusal.ts';
import { longest, type Whole } from './whole.ts';

/** Bytes of an unwanted body that are read, so that the connection can be used again. */
const MAX_DRAIN = 64 * 1024;

/** Bytes that must come in each second that is spent waiting for them, or a host could keep us for years. */
const SLOWEST = 1024;

export interface Exchange {
  readonly request: HttpRequest;
  readonly url: URL;
  /** What the HTTP client threw, as a failure. */
  readonly explain: (error: unknown) => Failure;
  /** Milliseconds of waiting after which it is looked at how much came. */
  readonly patience: number;
  /** Slows a body down. */
  readonly pace: (stream: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
}

/** `release` gives back the place in the queue, once the body has ended. */
export function withBody(answer: Dispatcher.ResponseData, exchange: Exchange, release: () => void): HttpResponse {
  const { body } = answer;
  body.once('close', release);
  // A body that breaks before anybody reads it must not become an uncaught error.
  body.on('error', () => {});
  const stream = (whole = exchange.request.whole) => exchange.pace(read(body, exchange, whole));
  return {
    status: answer.statusCode,
    url: exchange.url,
    header: (name) => headerOf(answer.headers, name),
    stream: () => stream(),
    bytes: (limit) => collect(stream(exchange.request.whole ?? { bytes: limit, waited: 0 }), limit, exchange.request),
    async drain() {
      const timer = setTimeout(() => body.destroy(), exchange.patience);
      await body.dump({ limit: MAX_DRAIN }).catch(() => {});
      clearTimeout(timer);
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

function read(
  body: Dispatcher.ResponseData['body'],
  { explain, patience, request }: Exchange,
  whole: Whole | undefined,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
      const isFast = createSpeedCheck(patience);
      return {
        async next() {
          const since = performance.now();
          let step: IteratorResult<Uint8Array>;
          try {
            step = await chunks.next();
          } catch (error) {
            throw new StreamFailure(explain(error));
          }
          if (step.done === true) return step;
          const waited = performance.now() - since;
          if (whole !== undefined) whole.waited += waited;
          const late = whole !== undefined && whole.waited > longest(whole, patience);
          if (!late && isFast(waited, step.value.byteLength)) return step;
          body.destroy();
          throw new StreamFailure(late ? tooLate(request, longest(whole, patience)) : tooSlow(request));
        },
        async return() {
          body.destroy();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** Only time spent waiting for the host counts: the reader may be as slow as it likes. */
function createSpeedCheck(patience: number): (milliseconds: number, bytes: number) => boolean {
  let [waited, came] = [0, 0];
  return (milliseconds, bytes) => {
    waited += milliseconds;
    came += bytes;
    if (waited < patience) return true;
    const isFast = came >= (waited / 1000) * SLOWEST;
    [waited, came] = [0, 0];
    return isFast;
  };
}

function tooSlow(request: HttpRequest): Failure {
  const message = `${request.registry} sends too slowly: less than ${SLOWEST} bytes a second`;
  return registryFailure(request, 'transient', message, { hint: 'check the network and the registry, then run again' });
}

/** Permanent: as much again would be waited for with each new try. */
function tooLate(request: HttpRequest, milliseconds: number): Failure {
  const message = `${request.registry} sends too slowly: what is small was not there after ${Math.ceil(milliseconds / 1000)} s`;
  return registryFailure(request, 'permanent', message, { hint: 'check the network and the registry, then run again' });
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
        return fail(registryFailure(request, 'permanent', message, { hint: oddHint(request.registry) }));
      }
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof StreamFailure) return fail(error.failure);
    throw error;
  }
  return ok(Buffer.concat(chunks));
}
