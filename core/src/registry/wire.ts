/** One authenticated, retried request to a registry: what manifests, blobs and referrers are made of. */
import { fail, ok, type Result } from '../failure.ts';
import { once } from '../once.ts';
import type { Repository } from '../reference.ts';
import type { Reach } from './address.ts';
import type { Auth, Scope, Visit } from './auth.ts';
import { secretsInAddress, secretsInHeader, withoutSecrets } from './echo.ts';
import { parseUrl, type Http, type HttpRequest, type HttpResponse, type Method, type StreamBody } from './http.ts';
import type { Errand, Manners } from './manners.ts';
import { isTransientStatus, MAX_ERROR, oddHint, refusal, registryFailure, thing, type Asked } from './refusal.ts';
import type { Attempt, Retrier } from './retry.ts';
import type { Whole } from './whole.ts';

export interface Call extends Asked {
  readonly method: Method;
  /** A path with query below the registry, or an address that the registry gave us. */
  readonly url: string | URL;
  readonly scopes: readonly Scope[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | StreamBody;
  /** Given where the answer is small and read whole: limits how long that may take in all. */
  readonly whole?: Whole;
  /** Never with credentials, not even to the registry itself. */
  readonly anonymous?: true;
}

export interface Wire {
  /** Any answer but those that mean "later": they are retried, then become a failure. */
  call(call: Call): Promise<Result<HttpResponse>>;
  /** The same without another try, for what cannot simply be sent again. */
  attempt(call: Call): Promise<Attempt<HttpResponse>>;
  /** Tries `operation` again while it fails for a transient reason. `call`: what it sends, where that is one request. */
  retry<T>(registry: string, operation: () => Promise<Attempt<T>>, call?: Call): Promise<Result<T>>;
  /** Where a registry is spoken to. */
  originOf(registry: string): URL;
  /** An address that a registry sent in a header, if it is one that we may speak to. */
  follow(call: Asked, location: string | undefined, base: URL): Result<URL>;
}

/** What a request brings to be let in. */
interface Pass {
  header: string | undefined;
  /** Another header, if this one is of no use by now. */
  readonly renewed: (header: string) => Promise<Result<string | undefined>> | undefined;
}

export interface WireOptions {
  readonly http: Http;
  readonly auth: Auth;
  readonly retrier: Retrier;
  readonly manners: Manners;
  readonly plainHttp: (host: string) => boolean;
  readonly mayGo: Reach;
  /** Repositories that will be written to; none when absent. */
  readonly writes?: (repository: Repository) => boolean;
  /** Repositories whose images can be read elsewhere too; none when absent. */
  readonly spare?: (repository: Repository) => boolean;
}

/** A first try, one with a token, and one with the token that the registry asked for in place of ours. */
const MAX_ROUNDS = 3;

export function createWire(options: WireOptions): Wire {
  const { http, auth, retrier, manners, plainHttp, mayGo, writes = () => false, spare = () => false } = options;
  const origins = new Map<string, URL>();
  /** Registries that have been asked something, and those whose first answer is on its way. */
  const introduced = new Set<string>();
  const introductions = new Map<string, Promise<void>>();

  function originOf(registry: string): URL {
    return once(origins, registry, () => new URL(`${plainHttp(registry) ? 'http' : 'https'}://${hostOf(registry)}`));
  }

  async function exchange(call: Call): Promise<Result<HttpResponse>> {
    const origin = originOf(call.registry);
    const url = new URL(call.url, origin);
    // Uploads may be sent to a storage host, which must never see a password.
    if (url.origin !== origin.origin || call.anonymous === true) return send(call, url, undefined);
    const visit = { side: call.side, registry: call.registry, origin, scopes: call.scopes };
    const met = introduced.has(call.registry) ? () => {} : await introduce(call.registry);
    try {
      return await authorized(call, url, visit, met);
    } finally {
      met();
    }
  }

  /**
   * The first request to a registry goes ahead of all others: its answer says how to log in, so that the others need not be refused first.
   * They wait here; the function that is returned lets them go.
   */
  async function introduce(registry: string): Promise<() => void> {
    const first = introductions.get(registry);
    if (first !== undefined) {
      await first;
      return () => {};
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    introductions.set(registry, promise);
    return () => {
      introduced.add(registry);
      resolve();
    };
  }

  /** `met`: called as soon as it is known how the registry wants us to log in. */
  async function authorized(call: Call, url: URL, visit: Visit, met: () => void): Promise<Result<HttpResponse>> {
    const { origin } = visit;
    let before: HttpResponse | undefined;
    for (let round = 1; ; round += 1) {
      if (auth.knows(call.registry)) met();
      const authorization = await auth.authorization(visit);
      if (!authorization.ok) return authorization;
      // There is nothing else to try it with.
      if (before !== undefined && authorization.value === undefined) return ok(before);
      const pass: Pass = { header: authorization.value, renewed: (header) => renewed(visit, header) };
      const answer = await send(call, url, pass);
      if (!answer.ok) return answer;
      // A 401 of another host, after a redirect, is not this registry's. Without a redirect the answer has the very URL object that was
      // asked.
      if (answer.value.url !== url && answer.value.url.origin !== origin.origin)
        return asGuest(call, visit, answer.value);
      if (answer.value.status === 403 && mayBeNew(call)) return ok({ ...answer.value, status: 404 });
      if (answer.value.status !== 401) return answer;
      // Read now: an open answer keeps its place in the host's lane, in which the request for a token has to wait.
      before = await buffered(answer.value);
      const again = auth.challenged(visit, before.header('www-authenticate'), pass.header, round > 1);
      const isLogin = pass.header?.startsWith('Basic ') === true;
      if (!again || round === MAX_ROUNDS) return ok(isLogin ? { ...before, refusedLogin: true } : before);
    }
  }

  /** It may have waited for its turn for longer than a token is good. */
  function renewed(visit: Visit, header: string): ReturnType<Pass['renewed']> {
    return auth.isSpent(visit, header) ? auth.authorization(visit) : undefined;
  }

  /**
   * Some registries redirect to another one behind them, which asks for a token of its own. What is public there can be read with an
   * anonymous token.
   */
  async function asGuest(call: Call, visit: Visit, answer: HttpResponse): Promise<Result<HttpResponse>> {
    if (answer.status !== 401 || (call.method !== 'GET' && call.method !== 'HEAD')) return ok(answer);
    // Its answer is the one to tell, whatever goes wrong with a token.
    const refused = await buffered(answer);
    const token = await auth.guest({ ...visit, origin: answer.url }, refused.header('www-authenticate'));
    return token.ok && token.value !== undefined
      ? send(call, answer.url, { header: token.value, renewed: () => undefined })
      : ok(refused);
  }

  /** Some registries do not allow to look at what is not there yet. If that was not it, writing will fail and say so. */
  function mayBeNew({ method, side, registry, scopes: [scope] }: Call): boolean {
    if (method !== 'HEAD' || side !== 'destination' || scope === undefined) return false;
    return writes({ registry, path: scope.path });
  }

  async function send(call: Call, url: URL, pass: Pass | undefined): Promise<Result<HttpResponse>> {
    const header = pass?.header;
    const request: HttpRequest = {
      method: call.method,
      url,
      side: call.side,
      registry: call.registry,
      headers: { ...bodyLength(call), ...call.headers, ...(header === undefined ? {} : { authorization: header }) },
      ...(call.body === undefined ? {} : { body: call.body }),
      ...(call.whole === undefined ? {} : { whole: call.whole }),
      ...(isDownload(call) ? { long: true } : {}),
    };
    const errand = errandOf(call);
    let begun = false;
    const answer = await http.send({
      ...request,
      admit: async () => {
        // Redirects are part of the one errand.
        if (begun) return undefined;
        // Another request may have given up on this host meanwhile, for all of them.
        const refused = (isSpare(call) ? retrier.shunned(call.registry) : undefined) ?? (await manners.admit(errand));
        begun = refused === undefined;
        return refused;
      },
      renewed: (sent) => {
        if (pass?.header === undefined) return undefined;
        // After a redirect within the host, `sent` is still the first header.
        const login =
          pass.renewed(pass.header) ?? (pass.header === sent ? undefined : Promise.resolve(ok(pass.header)));
        return login?.then((now) => {
          if (now.ok) pass.header = now.value;
          return now;
        });
      },
    });
    if (!answer.ok) {
      if (begun) manners.ended(errand);
      return answer;
    }
    const secrets = () => [
      ...secretsInHeader(pass?.header),
      ...(typeof call.url === 'string' ? [] : secretsInAddress(call.url)),
    ];
    const heard = withoutSecrets(answer.value, secrets);
    manners.heard(errand, heard);
    return ok(heard);
  }

  async function attempt(call: Call): Promise<Attempt<HttpResponse>> {
    const result = await exchange(call);
    if (!result.ok || !isTransientStatus(result.value.status)) return { result };
    const said = await refusal(call, result.value);
    const refused = manners.refused(errandOf(call), result.value, said);
    if (typeof refused === 'object') return { result: fail(refused) };
    return { result: fail(said.failure), ...(refused === undefined ? {} : { retryAfter: refused }) };
  }

  function isSpare({ side, registry, scopes: [scope] }: Call): boolean {
    return side === 'source' && scope !== undefined && spare({ registry, path: scope.path });
  }

  function follow(call: Asked, location: string | undefined, base: URL): Result<URL> {
    const url = parseUrl(location, base);
    if (url !== undefined && mayGo(base, url) && url.username === '') return ok(url);
    const message = `${call.registry} sent no usable address for ${thing(call)}`;
    return fail(registryFailure(call, 'permanent', message, { hint: oddHint(call.registry) }));
  }

  return {
    attempt,
    follow,
    originOf,
    call: (call) => retrier.run(call.registry, () => attempt(call), isSpare(call)),
    retry: (registry, operation, call) => retrier.run(registry, operation, call !== undefined && isSpare(call)),
  };
}

/** Docker Hub's images are not served under the name that references give it. */
export function hostOf(registry: string): string {
  return registry === 'docker.io' ? 'registry-1.docker.io' : registry;
}

function isDownload({ method, url }: Call): boolean {
  return method === 'GET' && (typeof url === 'string' ? url : url.pathname).includes('/blobs/');
}

/** What counts against a limit of pulls is the reading of manifests: a HEAD does not, and neither does a blob. */
function errandOf(call: Call): Errand {
  const pull = call.method === 'GET' && typeof call.url === 'string' && call.url.includes('/manifests/');
  return { side: call.side, registry: call.registry, what: call.what, path: call.scopes[0]?.path ?? '', pull };
}

/** The same answer, whose body has been read into memory: the connection and its place in the lane are free again. */
async function buffered(response: HttpResponse): Promise<HttpResponse> {
  const body = await response.bytes(MAX_ERROR);
  return { ...response, bytes: async () => body, drain: async () => {} };
}

/** Several registries refuse bodies whose length is not announced, and a POST that does not say that it has none. */
function bodyLength({ method, body }: Call): Readonly<Record<string, string>> {
  if (body instanceof Uint8Array) return { 'content-length': String(body.byteLength) };
  if (body !== undefined) return { 'content-length': String(body.length) };
  return method === 'POST' || method === 'PUT' ? { 'content-length': '0' } : {};
}
