/** One authenticated, retried request to a registry: what manifests, blobs and referrers are made of. */
import { fail, ok, type Result } from '../failure.ts';
import type { Auth, Scope } from './auth.ts';
import { parseUrl, type Http, type HttpResponse, type Method, type StreamBody } from './http.ts';
import { isTransientStatus, MAX_ERROR, refusal, registryFailure, type Asked } from './refusal.ts';
import { parseRetryAfter, type Attempt, type Retrier } from './retry.ts';

export interface Call extends Asked {
  readonly method: Method;
  /** A path with query below the registry, or an address that the registry gave us. */
  readonly url: string | URL;
  readonly scopes: readonly Scope[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | StreamBody;
}

export interface Wire {
  /** Any answer but those that mean "later": they are retried, then become a failure. */
  call(call: Call): Promise<Result<HttpResponse>>;
  /** The same without another try, for what cannot simply be sent again. */
  attempt(call: Call): Promise<Attempt<HttpResponse>>;
  /** Tries `operation` again while it fails for a transient reason. */
  retry<T>(registry: string, operation: () => Promise<Attempt<T>>): Promise<Result<T>>;
  /** An address that a registry sent in a header, if it is one that we may speak to. */
  follow(call: Asked, location: string | undefined, base: URL): Result<URL>;
}

export interface WireOptions {
  readonly http: Http;
  readonly auth: Auth;
  readonly retrier: Retrier;
  readonly plainHttp: (host: string) => boolean;
}

export function createWire({ http, auth, retrier, plainHttp }: WireOptions): Wire {
  function originOf(registry: string): URL {
    // Docker Hub's images are not served under the name that references give it.
    const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
    return new URL(`${plainHttp(registry) ? 'http' : 'https'}://${host}`);
  }

  async function exchange(call: Call): Promise<Result<HttpResponse>> {
    const origin = originOf(call.registry);
    const url = new URL(call.url, origin);
    const visit = { side: call.side, registry: call.registry, origin, scopes: call.scopes };
    const send = async (authorization: string | undefined) =>
      http.send({
        method: call.method,
        url,
        side: call.side,
        registry: call.registry,
        headers: { ...bodyLength(call), ...call.headers, ...(authorization === undefined ? {} : { authorization }) },
        ...(call.body === undefined ? {} : { body: call.body }),
      });
    // Uploads may be sent to a storage host, which must never see a password.
    if (url.origin !== origin.origin) return send(undefined);
    const first = await auth.authorization(visit);
    if (!first.ok) return first;
    const answer = await send(first.value);
    if (!answer.ok || answer.value.status !== 401) return answer;
    // Read now: an open answer keeps its place in the host's queue, in which the request for a token has to wait.
    const refused = await readWhole(answer.value);
    if (!auth.challenged(visit, refused.header('www-authenticate'), first.value)) return ok(refused);
    const second = await auth.authorization(visit);
    if (!second.ok) return second;
    return second.value === undefined ? ok(refused) : send(second.value);
  }

  async function attempt(call: Call): Promise<Attempt<HttpResponse>> {
    const result = await exchange(call);
    if (!result.ok || !isTransientStatus(result.value.status)) return { result };
    const retryAfter = parseRetryAfter(result.value.header('retry-after'), Date.now());
    const { failure } = await refusal(call, result.value);
    return { result: fail(failure), ...(retryAfter === undefined ? {} : { retryAfter }) };
  }

  function follow(call: Asked, location: string | undefined, base: URL): Result<URL> {
    const url = parseUrl(location, base);
    const allowed =
      url?.protocol === 'https:' || (url?.protocol === 'http:' && base.protocol === 'http:' && plainHttp(url.host));
    if (url !== undefined && allowed && url.username === '') return ok(url);
    return fail(registryFailure(call, 'permanent', `${call.registry} sent no usable address for ${call.what}`));
  }

  return {
    attempt,
    follow,
    call: (call) => retrier.run(call.registry, () => attempt(call)),
    retry: (registry, operation) => retrier.run(registry, operation),
  };
}

async function readWhole(response: HttpResponse): Promise<HttpResponse> {
  const body = await response.bytes(MAX_ERROR);
  return { ...response, bytes: async () => body, drain: async () => {} };
}

/** Several registries refuse bodies whose length is not announced, and a POST that does not say that it has none. */
function bodyLength({ method, body }: Call): Readonly<Record<string, string>> {
  if (body instanceof Uint8Array) return { 'content-length': String(body.byteLength) };
  if (body !== undefined) return { 'content-length': String(body.length) };
  return method === 'POST' || method === 'PUT' ? { 'content-length': '0' } : {};
}
