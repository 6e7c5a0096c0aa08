/**
 * Logging in: what a registry asks for is remembered, tokens are fetched once for each repository and kind of access.
 * https://distribution.github.io/distribution/spec/auth/token/ and .../auth/oauth/
 */
import { fail, ok, type Result } from '../failure.ts';
import type { Repository } from '../reference.ts';
import { parseChallenges, type Challenge } from './challenge.ts';
import type { Credentials, Login } from './credentials.ts';
import type { Http, HttpRequest, HttpResponse } from './http.ts';
import type { Side } from './model.ts';
import { isTransientStatus, property, refusal, registryFailure } from './refusal.ts';
import { parseRetryAfter, type Retrier } from './retry.ts';

/** What a request needs the right to do. */
export interface Scope {
  readonly path: Repository['path'];
  readonly actions: 'pull' | 'pull,push';
}

/** A request that wants to be let in. */
export interface Visit {
  readonly side: Side;
  readonly registry: string;
  readonly origin: URL;
  readonly scopes: readonly Scope[];
}

export interface Auth {
  /** The `Authorization` header to send; undefined when the host has asked for none so far. */
  authorization(visit: Visit): Promise<Result<string | undefined>>;
  /** Learns from a 401; `sent` is the header that was not accepted. True when a new try may be let in. */
  challenged(visit: Visit, header: string | undefined, sent: string | undefined): boolean;
}

interface Token {
  readonly header: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** Seconds that a token is good for when the server does not say, and bytes of its answer that are read. */
const LIFETIME = 60;
const MAX_ANSWER = 1024 * 1024;

export interface AuthOptions {
  readonly http: Http;
  readonly retrier: Retrier;
  readonly credentials: Credentials;
  readonly plainHttp: (host: string) => boolean;
}

export function createAuth({ http, retrier, credentials, plainHttp }: AuthOptions): Auth {
  const challenges = new Map<string, Challenge>();
  const tokens = new Map<string, Token>();
  const pending = new Map<string, Promise<Result<Token>>>();

  async function authorization(visit: Visit): Promise<Result<string | undefined>> {
    const challenge = challenges.get(visit.registry);
    if (challenge === undefined) return ok(undefined);
    if (challenge.scheme === 'basic') {
      const login = await credentials.login(visit.registry);
      if (!login.ok) return login;
      return ok(login.value === undefined ? undefined : basic(login.value));
    }
    const kept = [visit, pushing(visit)]
      .map((each) => tokens.get(keyOf(each)))
      .find((token) => token !== undefined && token.until > Date.now());
    if (kept !== undefined) return ok(kept.header);
    const token = await once(pending, keyOf(visit), () => fetchToken(visit, challenge));
    return token.ok ? ok(token.value.header) : token;
  }

  async function fetchToken(visit: Visit, challenge: Challenge): Promise<Result<Token>> {
    const realm = realmOf(visit, challenge);
    if (!realm.ok) return realm;
    const login = await credentials.login(visit.registry);
    if (!login.ok) return login;
    const answer = await askForToken(visit, challenge, realm.value, login.value);
    if (!answer.ok) return answer;
    const token = await readToken(visit, answer.value);
    if (token.ok) tokens.set(keyOf(visit), token.value);
    return token;
  }

  async function askForToken(
    visit: Visit,
    challenge: Challenge,
    realm: URL,
    login: Login | undefined,
  ): Promise<Result<HttpResponse>> {
    const service = challenge.parameters.get('service');
    if (login?.kind === 'identity') {
      const form = new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: 'slipway',
        refresh_token: login.secret,
      });
      if (service !== undefined) form.set('service', service);
      form.set('scope', visit.scopes.map(formatScope).join(' '));
      const answer = await send(visit, {
        method: 'POST',
        url: realm,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: Buffer.from(form.toString()),
      });
      if (!answer.ok || ![404, 405, 501].includes(answer.value.status)) return answer;
      await answer.value.drain();
    }
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set('service', service);
    for (const scope of visit.scopes) url.searchParams.append('scope', formatScope(scope));
    return send(visit, { method: 'GET', url, headers: login === undefined ? {} : { authorization: basic(login) } });
  }

  function send(
    visit: Visit,
    request: Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body'>,
  ): Promise<Result<HttpResponse>> {
    return retrier.run(request.url.host, async () => {
      const result = await http.send({ ...request, side: visit.side, registry: visit.registry });
      if (!result.ok || !isTransientStatus(result.value.status)) return { result };
      const wait = parseRetryAfter(result.value.header('retry-after'), Date.now());
      const { failure } = await refusal({ ...visit, what: 'a token' }, result.value);
      return { result: fail(failure), ...(wait === undefined ? {} : { retryAfter: wait }) };
    });
  }

  /** A registry must not be able to have a password sent in the clear, or to a host that only it names without TLS. */
  function realmOf(visit: Visit, challenge: Challenge): Result<URL> {
    const text = challenge.parameters.get('realm');
    const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
    const safe =
      url?.protocol === 'https:' ||
      (url?.protocol === 'http:' &&
        visit.origin.protocol === 'http:' &&
        (url.host === visit.origin.host || plainHttp(url.host)));
    if (url !== undefined && safe && url.username === '') return ok(url);
    return fail(
      registryFailure(
        visit,
        'permanent',
        `${visit.registry} asks to log in at an address that is not safe to send a password to`,
      ),
    );
  }

  function challenged(visit: Visit, header: string | undefined, sent: string | undefined): boolean {
    const offered = parseChallenges(header ?? '');
    const chosen =
      offered.find(({ scheme }) => scheme === 'bearer') ?? offered.find(({ scheme }) => scheme === 'basic');
    if (chosen === undefined) return false;
    challenges.set(visit.registry, chosen);
    if (chosen.scheme === 'basic') return sent?.startsWith('Basic ') !== true;
    for (const each of [visit, pushing(visit)]) {
      // Only the token that was refused: another task may have fetched a new one meanwhile.
      if (tokens.get(keyOf(each))?.header === sent) tokens.delete(keyOf(each));
    }
    return true;
  }

  return { authorization, challenged };
}

/** The rights that include the visit's: a token for pushing also opens for pulling. */
function pushing(visit: Visit): Visit {
  const [first, ...others] = visit.scopes;
  return first === undefined ? visit : { ...visit, scopes: [{ ...first, actions: 'pull,push' }, ...others] };
}

function keyOf(visit: Visit): string {
  return `${visit.registry} ${visit.scopes.map(formatScope).join(' ')}`;
}

function formatScope({ path, actions }: Scope): string {
  return `repository:${path}:${actions}`;
}

function basic(login: Login): string {
  const name = login.kind === 'identity' && login.username === '' ? '<token>' : login.username;
  return `Basic ${Buffer.from(`${name}:${login.secret}`).toString('base64')}`;
}

async function readToken(visit: Visit, response: HttpResponse): Promise<Result<Token>> {
  if (response.status !== 200) {
    return fail(
      (
        await refusal(
          {
            ...visit,
            what: `a token for ${visit.scopes.map(({ path, actions }) => `${path} (${actions})`).join(', ')}`,
          },
          response,
        )
      ).failure,
    );
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
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    return fail(registryFailure(visit, 'permanent', `${visit.registry} gave no token when asked to let us in`));
  }
  const lifetime = property(json, 'expires_in');
  const seconds = typeof lifetime === 'number' && lifetime > 0 ? lifetime : LIFETIME;
  // Some of it is spent on the way; a token that ends earlier than promised is fetched again after its 401.
  return ok({ header: `Bearer ${token}`, until: Date.now() + seconds * 900 });
}

/** Whoever asks while the answer is under way gets the same answer. */
async function once<T>(pending: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const running = pending.get(key);
  if (running !== undefined) return running;
  const promise = make().finally(() => pending.delete(key));
  pending.set(key, promise);
  return promise;
}
