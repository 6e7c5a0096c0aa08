/**
 * HTTP, and nothing of registries: one pool and one pair of lanes per origin, redirects followed by hand, bounded bodies,
 * requests counted.
 */
import { setMaxListeners } from 'node:events';
import { cancelled, fail, ok, type Failure, type Result } from '../failure.ts';
import { createReach, isPrivate } from './address.ts';
import { createBucket, throttled, type Bucket } from './bandwidth.ts';
import { createAnnouncements, endedBy, sendBodiless, type Live } from './bodiless.ts';
import { createDispatchers, type Certificates, type ProxyVariables } from './dispatchers.ts';
import type { Clock } from './clock.ts';
import { createLanes, type HostLimits } from './lanes.ts';
import type { Side } from './model.ts';
import { oddHint, registryFailure } from './refusal.ts';
import { withBody, withoutBody, type Exchange } from './response.ts';
import { parseRetryAfter } from './retry.ts';
import { transportFailure } from './transport.ts';
import { leave, takeTurn, withoutAuthorization, type RequestHeaders } from './turn.ts';
import type { Whole } from './whole.ts';

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
  /** Its body is a secret that only this origin may get: it is not sent on to another one. */
  readonly confidential?: true;
  /** The answer may be long: it leaves room for others at the same host. */
  readonly long?: true;
  /** Given where the answer is small and read whole: limits how long that may take in all. */
  readonly whole?: Whole;
  /** Asked when it is this request's turn: a failure keeps it from being sent. */
  readonly admit?: () => Promise<Failure | undefined>;
  /** Asked before `admit`: a new `Authorization` header, if this one has become useless while the request waited. */
  readonly renewed?: (authorization: string) => Promise<Result<string | undefined>> | undefined;
}

/**
 * The body must be used by exactly one of `bytes`, `stream` and `drain`: an unread body keeps its connection and its place in the queue.
 */
export interface HttpResponse {
  readonly status: number;
  header(name: string): string | undefined;
  /** What answered, after redirects. */
  readonly url: URL;
  /** A name and a password were sent, and not taken. */
  readonly refusedLogin?: true;
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

/** What is particular to a host; what is absent is as for all. */
export interface HostOptions extends Certificates, Partial<HostLimits> {
  /** Bytes a second, in both directions together. */
  readonly bandwidth?: number;
}

export interface HttpOptions {
  /** Whether `host` (with its port) is to be spoken to by plain HTTP. */
  readonly plainHttp: (host: string) => boolean;
  /** Requests in flight to one host, and as many streamed uploads. */
  readonly perHost: number;
  /** Whether a host is asked little at first, and more while it answers; false unless told. */
  readonly rampUp?: boolean;
  /** By host and port that is really asked. */
  readonly hostOptions?: (host: string) => HostOptions | undefined;
  /** Bytes a second of all hosts together, in both directions. */
  readonly bandwidth?: number;
  readonly userAgent: string;
  readonly signal: AbortSignal | undefined;
  readonly clock?: Clock;
  /** Milliseconds that a host may take to begin an answer, and to go on with it; a minute unless told. */
  readonly patience?: number;
  /** Where proxies are named; the process's own environment when absent. */
  readonly env?: ProxyVariables;
}

export function createHttp(options: HttpOptions): Http {
  const { signal, perHost, rampUp = false, hostOptions = () => undefined, patience = PATIENCE } = options;
  const dispatchers = createDispatchers((host) => hostOptions(host) ?? {}, options.env ?? process.env);
  const requests = new Map<string, number>();
  const lanes = createLanes({
    limits: (host) => ({ connections: perHost, ...hostOptions(host) }),
    rampUp,
    signal,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  const mayGo = createReach({
    plainHttp: options.plainHttp,
    named: (host) => hostOptions(host) !== undefined,
  });
  const all = options.bandwidth === undefined ? [] : [createBucket(options.bandwidth)];
  const buckets = new Map<string, readonly Bucket[]>();
  const live: Live = new Set();
  if (signal !== undefined) {
    // Every answer whose body is being read listens to it, which Node would take for a leak.
    setMaxListeners(0, signal);
    const abortAll = () => live.forEach((abort) => abort(new Error('cancelled')));
    signal.addEventListener('abort', abortAll, { once: true });
  }

  function pace(host: string): Exchange['pace'] {
    let known = buckets.get(host);
    if (known === undefined) {
      const rate = hostOptions(host)?.bandwidth;
      known = rate === undefined ? all : [...all, createBucket(rate)];
      buckets.set(host, known);
    }
    const own = known;
    return (stream) => throttled(stream, own, signal);
  }

  async function exchange(request: HttpRequest, url: URL, given: RequestHeaders): Promise<Result<HttpResponse>> {
    const dispatcher = await dispatchers.for(url);
    if (dispatcher === undefined) return fail(misnamedProxy(request, dispatchers.misnamed));
    const turn = await takeTurn(lanes, request, url, given);
    if (!turn.ok) return turn;
    const { place, source, headers } = turn.value;
    const release = (): void => leave(place);
    requests.set(url.host, (requests.get(url.host) ?? 0) + 1);
    const explain = (error: unknown): Failure =>
      signal?.aborted === true ? cancelled : transportFailure(error, request, url);
    const slowed = pace(url.host);
    const call = {
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: request.method,
      headers: { 'user-agent': options.userAgent, ...headers },
      headersTimeout: source === undefined ? patience : UPLOAD_PATIENCE,
      bodyTimeout: patience,
      // Unless told, undici closes a connection after each HEAD.
      reset: false,
    };
    try {
      if (request.method === 'HEAD') {
        const answer = await sendBodiless(dispatcher, call, live);
        const response = withoutBody(answer.status, answer.headers, url);
        place.answered(answer.status, waitOf(response));
        release();
        return ok(response);
      }
      const answer = await endedBy(
        live,
        dispatcher.request({
          ...call,
          onInfo: createAnnouncements(),
          // A body of any iterable is taken too, which the types do not say.
          body: (source === undefined ? request.body : slowed(source.body)) as Uint8Array | null,
          ...(signal === undefined ? {} : { signal }),
        }),
      );
      const response = withBody(answer, { request, url, explain, patience, pace: slowed }, release);
      place.answered(answer.statusCode, waitOf(response));
      return ok(response);
    } catch (error) {
      release();
      return fail(source?.failure() ?? explain(error));
    } finally {
      // An upload that was refused early leaves its source half read: close it, whoever sent it.
      await source?.close();
    }
  }

  async function send(request: HttpRequest): Promise<Result<HttpResponse>> {
    let { url, headers } = request;
    for (let hop = 0; ; hop += 1) {
      if (signal?.aborted === true) return fail(cancelled);
      const answer = await exchange(request, url, headers);
      if (!answer.ok || !REDIRECTS.has(answer.value.status)) return answer;
      const { status } = answer.value;
      const location = answer.value.header('location');
      await answer.value.drain();
      const next = parseUrl(location, url);
      const refused = (why: string) => {
        // An address like file:///x has no host.
        const where = next === undefined ? 'nowhere' : next.host || next.protocol;
        const message = `${request.registry} redirects to ${where}, ${why}`;
        return fail(registryFailure(request, 'permanent', message, { status, hint: oddHint(request.registry) }));
      };
      if (next === undefined) return refused('which is not an address');
      if (hop >= MAX_REDIRECTS) return refused(`after ${MAX_REDIRECTS} other redirects`);
      // 301 to 303 may turn an upload into a GET; a registry that means the upload says 307 or 308.
      if (request.body !== undefined && status < 307) return refused('in the middle of an upload');
      if (!mayGo(url, next)) return refused(whyNot(next));
      if (request.confidential === true && next.origin !== url.origin)
        return refused('for which the secret in it is not meant');
      if (next.origin !== url.origin) headers = withoutAuthorization(headers);
      next.username = '';
      next.password = '';
      url = next;
    }
  }

  return {
    send,
    requests,
    close: dispatchers.close,
  };
}

function whyNot(to: URL): string {
  return isPrivate(to.hostname)
    ? 'in a private network, which is not to be reached from there unless the settings name it'
    : 'which is not HTTPS';
}

/** Milliseconds that a host which is too busy asks to be left alone. */
function waitOf({ status, header }: HttpResponse): number | undefined {
  return status === 429 || status === 503 ? parseRetryAfter(header('retry-after'), Date.now()) : undefined;
}

function misnamedProxy(request: HttpRequest, variable = 'HTTPS_PROXY'): Failure {
  return registryFailure(request, 'permanent', `cannot talk to ${request.registry}: ${variable} is not an address`, {
    hint: 'a proxy is written as http://proxy.example:3128',
  });
}

/** An address that a server sent, which may be relative to the one it was asked at. */
export function parseUrl(text: string | undefined, base: URL): URL | undefined {
  return text === undefined ? undefined : (URL.parse(text, base.href) ?? undefined);
}
