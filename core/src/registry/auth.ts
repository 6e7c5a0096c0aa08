/** Logging in: what a registry asks for is remembered; tokens are fetched once for each repository and kind of access. */
import { ok, type Result } from '../failure.ts';
import type { Repository } from '../reference.ts';
import type { Reach } from './address.ts';
import { parseChallenges, type Challenge, type ChallengeMemory } from './challenge.ts';
import type { Credentials, Login } from './credentials.ts';
import type { Http } from './http.ts';
import type { Side } from './model.ts';
import type { Retrier } from './retry.ts';
import { basic, createTokenClient, type Token } from './tokens.ts';

/** What a request needs the right to do. */
export interface Scope {
  readonly path: Repository['path'];
  readonly actions: 'pull' | 'pull,push' | 'pull,delete';
}

/** A request that wants to be let in. Its first scope is the repository that it is about. */
export interface Visit {
  readonly side: Side;
  readonly registry: string;
  readonly origin: URL;
  readonly scopes: readonly Scope[];
}

export interface Auth {
  /** Whether it is known how the registry wants us to log in. */
  knows(registry: string): boolean;
  /** The `Authorization` header to send; undefined when the host has asked for none so far. */
  authorization(visit: Visit): Promise<Result<string | undefined>>;
  /** Whether a header of {@link authorization} is not to be sent any more: it has expired since, or was refused. */
  isSpent(visit: Visit, header: string): boolean;
  /**
   * Learns from a 401 how to log in. `sent`: the header that was refused; `fresh`: it was made after an earlier 401 to the same request, so
   * it is not merely outdated. True: another try is worth it.
   */
  challenged(visit: Visit, header: string | undefined, sent: string | undefined, fresh: boolean): boolean;
  /**
   * The `Authorization` header for a host that a redirect led to (`visit.origin`) and that asks for a token: an anonymous one, since no
   * login is meant for that host. Undefined: it asks for something else.
   */
  guest(visit: Visit, header: string | undefined): Promise<Result<string | undefined>>;
}

export interface AuthOptions {
  readonly http: Http;
  readonly retrier: Retrier;
  readonly credentials: Credentials;
  readonly mayGo: Reach;
  /** Repositories that will be written to: the first token for one is good for that too. None when absent. */
  readonly writes?: (repository: Repository) => boolean;
  /** What hosts asked for in earlier runs. */
  readonly memory?: ChallengeMemory;
}

/** A scope that a registry asked for in place of ours, as registries do that serve a repository under another name. */
const DEMAND = /^[a-z]+(?:\([a-z]+\))?:[!-~]{1,512}$/;

export function createAuth({ http, retrier, credentials, mayGo, writes, memory }: AuthOptions): Auth {
  const client = createTokenClient({ http, retrier, mayGo });
  const challenges = new Map<string, Challenge>();
  /**
   * Registries that sent a challenge in this run, or whose remembered challenge proved wrong: what is remembered of them does not count.
   */
  const seen = new Set<string>();
  const tokens = new Map<string, Token>();
  /** Anonymous tokens for hosts that redirects lead to, by origin and scope. */
  const guests = new Map<string, Token>();
  const pending = new Map<string, Promise<Result<Token | undefined>>>();
  /** Scopes that registries demanded in place of ours, by registry and our scopes. */
  const demands = new Map<string, string>();
  /** Repositories, by registry and path, where only pulling is granted although we will write there. */
  const readOnly = new Set<string>();
  /** Registries that grant no token for two repositories at once. */
  const oneScope = new Set<string>();

  async function authorization(visit: Visit): Promise<Result<string | undefined>> {
    const challenge = challengeOf(visit.registry);
    if (challenge === undefined) return ok(undefined);
    if (challenge.scheme === 'basic') {
      const login = await loginFor(visit);
      return login.ok ? ok(login.value === undefined ? undefined : basic(login.value)) : login;
    }
    const now = Date.now();
    const kept = keptFor(visit, now);
    if (kept !== undefined) {
      // If this fails, it does not matter: the kept token is good for a while yet.
      if (kept.renew <= now) void fetchOnce(visit, challenge);
      return ok(kept.header);
    }
    const token = await fetchOnce(visit, challenge);
    return token.ok ? ok(token.value?.header) : token;
  }

  function isSpent(visit: Visit, header: string): boolean {
    return challengeOf(visit.registry)?.scheme === 'bearer' && keptFor(visit, Date.now())?.header !== header;
  }

  function challengeOf(registry: string): Challenge | undefined {
    return challenges.get(registry) ?? (seen.has(registry) ? undefined : memory?.get(registry));
  }

  function loginFor({ registry, scopes }: Visit): Promise<Result<Login | undefined>> {
    return credentials.login(registry, scopes[0]?.path);
  }

  /** A token for pushing also opens for pulling. */
  function keptFor(visit: Visit, now: number): Token | undefined {
    const own = tokens.get(keyOf(visit.registry, wanted(visit)));
    if (own !== undefined && isGood(own, now)) return own;
    const wider = tokens.get(keyOf(visit.registry, widened(visit)));
    return wider !== undefined && isGood(wider, now) ? wider : undefined;
  }

  /** The scopes to ask for. */
  function wanted(visit: Visit): readonly string[] {
    const { registry, scopes } = visit;
    const demand = demands.size === 0 ? undefined : demands.get(keyOf(registry, scopes.map(formatScope)));
    if (demand !== undefined) return [demand];
    const asked = oneScope.has(registry) ? scopes.slice(0, 1) : scopes;
    return isWidened(visit) ? widened({ ...visit, scopes: asked }) : asked.map(formatScope);
  }

  function isWidened({ registry, scopes: [first] }: Visit): boolean {
    return (
      writes !== undefined &&
      first?.actions === 'pull' &&
      !readOnly.has(`${registry}/${first.path}`) &&
      writes({ registry, path: first.path })
    );
  }

  /** One request for all who ask at the same time. Undefined: the remembered challenge proved wrong, and is forgotten. */
  function fetchOnce(visit: Visit, challenge: Challenge): Promise<Result<Token | undefined>> {
    const key = keyOf(visit.registry, wanted(visit));
    const running = pending.get(key) ?? fetchToken(visit, challenge).finally(() => pending.delete(key));
    pending.set(key, running);
    return running;
  }

  async function fetchToken(visit: Visit, challenge: Challenge): Promise<Result<Token | undefined>> {
    const login = await loginFor(visit);
    if (!login.ok) return login;
    const remembered = !challenges.has(visit.registry);
    if (remembered && login.value !== undefined && !isAtHome(visit, challenge)) return forget(visit);
    for (let less = false; ; less = true) {
      const scopes = wanted(visit);
      const token = await client.fetch({ visit, challenge, scopes, login: login.value });
      if (token.ok) {
        tokens.set(keyOf(visit.registry, scopes), token.value);
        return token;
      }
      if (remembered && token.failure.class !== 'cancelled') return forget(visit);
      if (token.failure.class !== 'permanent' || !askForLess(visit)) {
        // A single scope was refused too, so the number of scopes was not the reason.
        if (less) oneScope.delete(visit.registry);
        return token;
      }
    }
  }

  /** What an earlier run was told is not true any more: the host is asked as if nothing were known. */
  function forget({ registry }: Visit): Result<undefined> {
    seen.add(registry);
    return ok(undefined);
  }

  /** True when there is less to ask for than what was refused. */
  function askForLess(visit: Visit): boolean {
    const [first] = visit.scopes;
    if (first !== undefined && isWidened(visit)) {
      readOnly.add(`${visit.registry}/${first.path}`);
      return true;
    }
    if (visit.scopes.length < 2 || oneScope.has(visit.registry)) return false;
    oneScope.add(visit.registry);
    return true;
  }

  function challenged(visit: Visit, header: string | undefined, sent: string | undefined, fresh: boolean): boolean {
    const offered = parseChallenges(header ?? '');
    const chosen =
      offered.find(({ scheme }) => scheme === 'bearer') ?? offered.find(({ scheme }) => scheme === 'basic');
    if (chosen === undefined) return false;
    const { registry } = visit;
    challenges.set(registry, chosen);
    seen.add(registry);
    memory?.set(registry, chosen);
    if (chosen.scheme === 'basic') return sent?.startsWith('Basic ') !== true;
    const asked = wanted(visit);
    // Only the token that was refused: another task may have fetched a new one meanwhile.
    for (const key of [keyOf(registry, asked), keyOf(registry, widened(visit))]) {
      if (tokens.get(key)?.header === sent) tokens.delete(key);
    }
    if (!fresh) return true;
    if (isWidened(visit)) return askForLess(visit);
    const demand = chosen.parameters.get('scope') ?? '';
    if (asked.some((scope) => sameScope(scope, demand)) || !DEMAND.test(demand)) return false;
    demands.set(keyOf(registry, visit.scopes.map(formatScope)), demand);
    return true;
  }

  async function guest(visit: Visit, header: string | undefined): Promise<Result<string | undefined>> {
    const challenge = parseChallenges(header ?? '').find(({ scheme }) => scheme === 'bearer');
    const scope = challenge?.parameters.get('scope') ?? '';
    if (challenge === undefined || !DEMAND.test(scope)) return ok(undefined);
    const key = `${visit.origin.origin} ${scope}`;
    const kept = guests.get(key);
    if (kept !== undefined && isGood(kept, Date.now())) return ok(kept.header);
    const token = await client.fetch({ visit, challenge, scopes: [scope], login: undefined });
    if (!token.ok) return token;
    guests.set(key, token.value);
    return ok(token.value.header);
  }

  return { guest, knows: (registry) => challengeOf(registry) !== undefined, authorization, isSpent, challenged };
}

/**
 * Whether a remembered realm may get a password. Somebody may have changed what is remembered, so it must be at the registry itself or be
 * known to belong to it; otherwise the registry is asked again.
 */
function isAtHome({ origin }: Visit, challenge: Challenge): boolean {
  const realm = URL.parse(challenge.parameters.get('realm') ?? '');
  if (realm === null) return false;
  return realm.origin === origin.origin || KNOWN_REALMS[origin.origin] === realm.origin;
}

const KNOWN_REALMS: Readonly<Record<string, string>> = {
  'https://registry-1.docker.io': 'https://auth.docker.io',
  'https://registry.gitlab.com': 'https://gitlab.com',
};

function widened({ scopes: [first, ...others] }: Visit): readonly string[] {
  return first === undefined ? [] : [`repository:${first.path}:pull,push`, ...others.map(formatScope)];
}

function keyOf(registry: string, scopes: readonly string[]): string {
  return `${registry} ${scopes.join(' ')}`;
}

function formatScope({ path, actions }: Scope): string {
  return `repository:${path}:${actions}`;
}

function isGood({ since, until }: Token, now: number): boolean {
  return since <= now && now < until;
}

/** Actions may come in any order. */
function sameScope(left: string, right: string): boolean {
  const normal = (scope: string): string => {
    const at = scope.lastIndexOf(':');
    return `${scope.slice(0, at)}:${scope
      .slice(at + 1)
      .split(',')
      .sort()
      .join(',')}`;
  };
  return normal(left) === normal(right);
}
