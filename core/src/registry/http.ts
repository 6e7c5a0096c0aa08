/**
 * HTTP, and nothing of registries: one pool per origin, redirects followed by hand, bounded bodies, requests counted.
 */
import { setMaxListeners } from 'node:events';
import PQueue from 'p-queue';
import { Agent, EnvHttpProxyAgent, type Dispatcher } from 'undici';
import { StreamFailure } from '../oci/digest.ts';
import { cancelled, fail, ok, type Failure, type Result } from '../failure.ts';
import type { Side } from './model.ts';
import { registryFailure } from './refusal.ts';
import { transportFailure } from './transport.ts';

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Milliseconds until the first byte of an answer, and between two chunks of it. */
const PATIENCE = 60_000;
/** Milliseconds until the answer to an upload: the registry may hash gigabytes before it speaks. */
const UPLOAD_PATIENCE = 300_000;

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A stream that can be opened again, for a redirect or another try; `length` in bytes. */
export interface StreamBody {
  readonly open: () => Promise<Result<AsyncIterable<Uint8Array>>>;
  readonly length: number;
}

export interface HttpRequest {
  readonly method: Method;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | StreamBody;
  /** For failures: which end of the work it is, and the registry's name in references. */
  readonly side: Side;
  readonly registry: string;
}

/** The body must be used by exactly one of the three: an unread body keeps its connection and its place in the queue. */
export interface HttpResponse {
  readonly status: number;
  header(name: string): string | undefined;
  /** What answered, after redirects. */
  readonly url: URL;
  /** The whole body; more than `limit` bytes are a failure. */
  bytes(limit: number): Promise<Result<Uint8Array>>;
  /** Throws {@link StreamFailure}. */
  stream(): AsyncIterable<Uint8Array>;
  drain(): Promise<void>;
}

export interface Http {
  /** One exchange, redirects included. A failure means that no answer came; every status is an answer. */
  send(request: HttpRequest): Promise<Result<HttpResponse>>;
  /** By host and port that was really asked. */
  readonly requests: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

export interface HttpOptions {
  readonly plainHttp: (host: string) => boolean;
  /** Requests in flight to one host, and as many uploads. */
  readonly perHost: number;
  readonly userAgent: string;
  readonly signal: AbortSignal | undefined;
}

export function createHttp(options: HttpOptions): Http {
  // HTTP/1.1: over HTTP/2 all layers of a host would share one connection's congestion window.
  // Every request in flight listens to it, which Node would take for a leak.
  if (options.signal !== undefined) setMaxListeners(0, options.signal);
  const agent = { allowH2: false, connect: { timeout: 20_000 }, keepAliveTimeout: 30_000, pipelining: 1 };
  const direct = new Agent(agent);
  const byEnvironment = new EnvHttpProxyAgent(agent);
  const requests = new Map<string, number>();
  const acquire = createLanes(options.perHost, options.signal);

  async function exchange(
    request: HttpRequest,
    url: URL,
    headers: Readonly<Record<string, string>>,
  ): Promise<Result<HttpResponse>> {
    const { body } = request;
    const isStream = body !== undefined && !(body instanceof Uint8Array);
    const release = await acquire(`${url.host} ${isStream ? 'upload' : 'request'}`);
    if (release === undefined) return fail(cancelled);
    const source = isStream ? await openBody(body) : undefined;
    if (source !== undefined && !source.ok) {
      release();
      return source;
    }
    requests.set(url.host, (requests.get(url.host) ?? 0) + 1);
    try {
      const answer = await (isLoopback(url.hostname) ? direct : byEnvironment).request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: request.method,
        headers: { 'user-agent': options.userAgent, ...headers },
        // A body of any iterable is taken too, which the types do not say.
        body: (isStream ? source?.value.body : body) as Uint8Array | null,
        headersTimeout: isStream ? UPLOAD_PATIENCE : PATIENCE,
        bodyTimeout: PATIENCE,
        reset: false,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      return ok(wrap(answer, url, request, release, options.signal));
    } catch (error) {
      release();
      return fail(source?.value.failure() ?? explain(error, request, url, options.signal));
    } finally {
      // An upload that was refused early leaves its source half read: close it, whoever sent it.
      await source?.value.close();
    }
  }

  async function send(request: HttpRequest): Promise<Result<HttpResponse>> {
    let { url, headers } = request;
    for (let hop = 0; ; hop += 1) {
      if (options.signal?.aborted === true) return fail(cancelled);
      const answer = await exchange(request, url, headers);
      if (!answer.ok || !REDIRECTS.has(answer.value.status)) return answer;
      const { status } = answer.value;
      const location = answer.value.header('location');
      await answer.value.drain();
      const next = parseUrl(location, url);
      const refused = (why: string) =>
        fail(
          registryFailure(request, 'permanent', `${request.registry} redirects to ${next?.host ?? 'nowhere'}, ${why}`, {
            status,
          }),
        );
      if (next === undefined) return refused('which is not an address');
      if (hop >= MAX_REDIRECTS) return refused(`after ${MAX_REDIRECTS} other redirects`);
      // 301 to 303 may turn an upload into a GET; a registry that means the upload says 307 or 308.
      if (request.body !== undefined && status < 307) return refused('in the middle of an upload');
      if (
        next.protocol !== 'https:' &&
        !(next.protocol === 'http:' && url.protocol === 'http:' && options.plainHttp(next.host))
      ) {
        return refused('which is not HTTPS');
      }
      if (next.origin !== url.origin) headers = withoutAuthorization(headers);
      next.username = '';
      next.password = '';
      url = next;
    }
  }

  return {
    send,
    requests,
    async close() {
      await Promise.all([direct.destroy(), byEnvironment.destroy()]);
    },
  };
}

/**
 * A place in the host's queue, and how to give it back; undefined when cancelled. Streamed uploads have a queue of their
 * own: one may read from the very host it writes to, and would otherwise wait for itself.
 */
function createLanes(
  perHost: number,
  signal: AbortSignal | undefined,
): (lane: string) => Promise<(() => void) | undefined> {
  const lanes = new Map<string, PQueue>();
  return (name) => {
    let lane = lanes.get(name);
    if (lane === undefined) {
      lane = new PQueue({ concurrency: perHost });
      lanes.set(name, lane);
    }
    const queue = lane;
    return new Promise((resolve) => {
      const place = () => new Promise<void>((release) => resolve(release));
      queue.add(place, signal === undefined ? {} : { signal }).catch(() => resolve(undefined));
    });
  };
}

interface OpenBody {
  readonly body: AsyncIterable<Uint8Array>;
  /** Why the source, not the destination, ended the upload. */
  readonly failure: () => Failure | undefined;
  readonly close: () => Promise<void>;
}

/** Remembers what the source threw, since the HTTP client reports only that the upload broke off. */
async function openBody(body: StreamBody): Promise<Result<OpenBody>> {
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

function wrap(
  answer: Dispatcher.ResponseData,
  url: URL,
  request: HttpRequest,
  release: () => void,
  signal: AbortSignal | undefined,
): HttpResponse {
  const { body } = answer;
  body.once('close', release);
  // A body that breaks before anybody reads it must not become an uncaught error.
  body.on('error', () => {});
  const stream = (): AsyncIterable<Uint8Array> => ({
    [Symbol.asyncIterator]() {
      const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
      return {
        async next() {
          try {
            return await chunks.next();
          } catch (error) {
            throw new StreamFailure(explain(error, request, url, signal));
          }
        },
        async return() {
          body.destroy();
          return { done: true, value: undefined };
        },
      };
    },
  });
  return {
    status: answer.statusCode,
    url,
    header(name) {
      const value = answer.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    stream,
    async bytes(limit) {
      const chunks: Uint8Array[] = [];
      let size = 0;
      try {
        for await (const chunk of stream()) {
          size += chunk.byteLength;
          if (size > limit) {
            return fail(
              registryFailure(
                request,
                'permanent',
                `${request.registry} sent more than ${limit} bytes where less was expected`,
              ),
            );
          }
          chunks.push(chunk);
        }
      } catch (error) {
        if (error instanceof StreamFailure) return fail(error.failure);
        throw error;
      }
      return ok(Buffer.concat(chunks));
    },
    async drain() {
      await body.dump({ limit: 64 * 1024 }).catch(() => {});
    },
  };
}

function explain(error: unknown, request: HttpRequest, url: URL, signal: AbortSignal | undefined): Failure {
  return signal?.aborted === true ? cancelled : transportFailure(error, request, url);
}

/** An address that a server sent, which may be relative to the one it was asked at. */
export function parseUrl(text: string | undefined, base: URL): URL | undefined {
  return text === undefined ? undefined : (URL.parse(text, base.href) ?? undefined);
}

function withoutAuthorization(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { authorization: _, ...others } = headers;
  return others;
}

/** Addresses of this machine: never behind a proxy, whatever the environment says. */
export function isLoopback(hostname: string): boolean {
  const name = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name);
}
