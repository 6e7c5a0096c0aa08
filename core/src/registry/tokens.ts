/**
 * Fetching tokens: https://distribution.github.io/distribution/spec/auth/token/ and .../auth/oauth/
 */
import { fail, ok, type Result } from '../failure.ts';
import type { Reach } from './address.ts';
import type { Visit } from './auth.ts';
import type { Challenge } from './challenge.ts';
import { userAndSecret, type Login } from './credentials.ts';
import { secretsInHeader, withoutSecrets } from './echo.ts';
import type { Http, HttpRequest, HttpResponse } from './http.ts';
import { isTransientStatus, oddHint, pageHint, property, refusal, registryFailure } from './refusal.ts';
import { parseRetryAfter, type Retrier } from './retry.ts';

export interface Token {
  readonly header: string;
  /**
   * Milliseconds since the epoch. The token came at `since` and is used until `until`; from `renew` on a new one is fetched meanwhile.
   * Before `since` it is not used: a clock that was put back cannot tell how old it is.
   */
  readonly since: number;
  readonly renew: number;
  readonly until: number;
}

/** What is asked for; `scopes` as `repository:library/alpine:pull`. */
export interface TokenRequest {
  readonly visit: Visit;
  readonly challenge: Challenge;
  readonly scopes: readonly string[];
  readonly login: Login | undefined;
}

/** Seconds that a token is good for when the server does not say, and at least: none could be used that is good for less. */
const LIFETIME = 60;
const SHORTEST = 1;
/** Bytes of an answer that are read. */
const MAX_ANSWER = 1024 * 1024;
/** Characters: no server takes a header that is longer. */
const LONGEST_TOKEN = 64 * 1024;
/** Parts of its lifetime after which a token is renewed, and after which it is not used any more: some is spent on the way. */
const RENEW = 0.7;
const USE = 0.9;
/** Statuses of servers that know only the older form, by GET. */
const NO_POST: ReadonlySet<number> = new Set([404, 405, 501]);

export interface TokenOptions {
  readonly http: Http;
  readonly retrier: Retrier;
  readonly mayGo: Reach;
}

export function createTokenClient({ http, retrier, mayGo }: TokenOptions) {
  async function ask(request: TokenRequest): Promise<Result<HttpResponse>> {
    const { visit, challenge, scopes, login } = request;
    const realm = realmOf(visit, challenge, mayGo);
    if (!realm.ok) return realm;
    const service = challenge.parameters.get('service');
    if (login?.kind === 'identity') {
      const form = new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: 'slipway',
        refresh_token: login.secret,
      });
      if (service !== undefined) form.set('service', service);
      form.set('scope', scopes.join(' '));
      const answer = await send(request, {
        method: 'POST',
        url: realm.value,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: Buffer.from(form.toString()),
        confidential: true,
      });
      if (!answer.ok || !NO_POST.has(answer.value.status)) return answer;
      await answer.value.drain();
    }
    const url = new URL(realm.value);
    if (service !== undefined) url.searchParams.set('service', service);
    for (const scope of scopes) url.searchParams.append('scope', scope);
    return send(request, { method: 'GET', url, headers: login === undefined ? {} : { authorization: basic(login) } });
  }

  function send(
    { visit, login }: TokenRequest,
    request: Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body' | 'confidential'>,
  ): Promise<Result<HttpResponse>> {
    return retrier.run(request.url.host, async () => {
      const result = await http.send({ ...request, side: visit.side, registry: visit.registry });
      if (!result.ok) return { result };
      const answer = withoutSecrets(result.value, () => (login === undefined ? [] : secretsInHeader(basic(login))));
      if (!isTransientStatus(answer.status)) return { result: ok(answer) };
      const wait = parseRetryAfter(answer.header('retry-after'), Date.now());
      const { failure } = await refusal({ ...visit, what: 'a token' }, answer);
      return { result: fail(failure), ...(wait === undefined ? {} : { retryAfter: wait }) };
    });
  }

  return {
    async fetch(request: TokenRequest): Promise<Result<Token>> {
      const answer = await ask(request);
      return answer.ok ? readToken(request, answer.value) : answer;
    },
  };
}

/** A registry must not be able to have a password sent in the clear, or into our own network. */
function realmOf(visit: Visit, challenge: Challenge, mayGo: Reach): Result<URL> {
  const text = challenge.parameters.get('realm');
  const url = text === undefined ? null : URL.parse(text, visit.origin.href);
  if (url !== null && mayGo(visit.origin, url) && url.username === '') return ok(url);
  const why =
    url === null
      ? 'asks for a token, and does not say where to get one'
      : 'asks to log in at an address that is not safe to send a password to';
  const message = `${visit.registry} ${why}`;
  return fail(registryFailure(visit, 'permanent', message, { hint: oddHint(visit.registry) }));
}

export function basic(login: Login): string {
  return `Basic ${Buffer.from(userAndSecret(login)).toString('base64')}`;
}

async function readToken({ visit, scopes, login }: TokenRequest, response: HttpResponse): Promise<Result<Token>> {
  if (response.status !== 200) {
    const what = `a token for ${scopes.map((scope) => scope.replace(/^repository:(.*):([^:]*)$/, '$1 ($2)')).join(', ')}`;
    const { failure } = await refusal({ ...visit, what }, response);
    // Without a login public images can be read, with a wrong one not even those.
    const hint =
      response.status === 401 && login !== undefined
        ? `the login for ${visit.registry} is not accepted: log in again, or log out to read public images`
        : failure.hint;
    return fail({ ...failure, ...(hint === undefined ? {} : { hint }) });
  }
  const bytes = await response.bytes(MAX_ANSWER);
  if (!bytes.ok) return bytes;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes.value));
  } catch {
    json = undefined;
  }
  const named = property(json, 'token');
  const token = typeof named === 'string' && named !== '' ? named : property(json, 'access_token');
  // A header holds printable characters only; what does not fit was not meant as a token.
  if (typeof token !== 'string' || token.length > LONGEST_TOKEN || !/^[\x21-\x7e]+$/.test(token)) {
    const hint = pageHint(response.header('content-type'), visit.registry) ?? oddHint(visit.registry);
    return fail(
      registryFailure(visit, 'permanent', `${visit.registry} gave no token when asked to let us in`, { hint }),
    );
  }
  const milliseconds = secondsIn(property(json, 'expires_in')) * 1000;
  // By our own clock, from now on: `issued_at` is by another one.
  const now = Date.now();
  return ok({
    header: `Bearer ${token}`,
    since: now,
    renew: now + milliseconds * RENEW,
    until: now + milliseconds * USE,
  });
}

/** Some write the number as text; anything else is as if nothing were said. */
function secondsIn(expires: unknown): number {
  const seconds =
    typeof expires === 'number' || (typeof expires === 'string' && /^\d{1,15}(?:\.\d{1,9})?$/.test(expires))
      ? Number(expires)
      : 0;
  return seconds > 0 ? Math.max(seconds, SHORTEST) : LIFETIME;
}
