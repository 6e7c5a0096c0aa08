/** The token server of a scripted registry: https://distribution.github.io/distribution/spec/auth/token/ */
import type { Answer } from './scripted-contents.ts';
import type { ScriptedRequest } from './scripted-registry.ts';

export interface TokenOptions {
  /** Name → password; without a login, only pulling is granted. */
  readonly users?: Readonly<Record<string, string>>;
  /** Identity tokens that a POST is answered for. */
  readonly identityTokens?: readonly string[];
  /** Answers a POST with 404, as servers do that know only the older form. */
  readonly getOnly?: boolean;
  /** Whether pulling needs no login; true unless told. */
  readonly anonymous?: boolean;
  /** Seconds; not said when absent. */
  readonly expiresIn?: number;
  /** How many requests a token is good for; for ever when absent. */
  readonly uses?: number;
  /** Where the challenge sends the client; this server's own `/token` when absent. */
  readonly realm?: string;
}

export function createTokenServer(host: string, options: TokenOptions) {
  const granted = new Map<string, { readonly scopes: readonly string[]; left: number }>();

  /** Answers a request for a token; undefined when it is none. */
  function answer(request: ScriptedRequest, body: Uint8Array): Answer | undefined {
    if (request.path !== '/token') return undefined;
    if (request.method === 'POST') {
      if (options.getOnly === true) return { status: 404 };
      const form = new URLSearchParams(new TextDecoder().decode(body));
      if (options.identityTokens?.includes(form.get('refresh_token') ?? '') !== true) return { status: 401 };
      return grant((form.get('scope') ?? '').split(' '), 'access_token');
    }
    const login = loginOf(request.headers.authorization);
    const known =
      login !== undefined &&
      (options.users?.[login.username] === login.password || options.identityTokens?.includes(login.password) === true);
    if (login === undefined ? options.anonymous === false : !known) return { status: 401 };
    const query = new URLSearchParams(request.url.split('?')[1] ?? '');
    const asked = query.getAll('scope').flatMap((scopes) => scopes.split(' '));
    return grant(known ? asked : asked.map((scope) => scope.replace(/:pull,push$/, ':pull')), 'token');
  }

  function grant(scopes: readonly string[], name: 'token' | 'access_token'): Answer {
    const token = `token-${granted.size + 1}`;
    granted.set(token, { scopes, left: options.uses ?? Number.POSITIVE_INFINITY });
    return {
      status: 200,
      body: JSON.stringify({
        [name]: token,
        ...(options.expiresIn === undefined ? {} : { expires_in: options.expiresIn }),
      }),
    };
  }

  /** Turns away whoever brings no token that is good for the request; undefined: may enter. */
  function refuse(request: ScriptedRequest): Answer | undefined {
    if (request.path === '/token') return undefined;
    const needed = neededBy(request);
    const token = granted.get(/^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? '');
    if (
      token !== undefined &&
      token.left > 0 &&
      needed.every((scope) =>
        token.scopes.some((has) => has === scope || has === scope.replace(/:pull$/, ':pull,push')),
      )
    ) {
      token.left -= 1;
      return undefined;
    }
    const realm = options.realm ?? `http://${host}/token`;
    const challenge = `Bearer realm="${realm}",service="scripted, for tests",scope="${needed.join(' ')}"`;
    return {
      status: 401,
      headers: { 'www-authenticate': challenge },
      body: JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'scripted' }] }),
    };
  }

  return { answer, refuse };
}

function neededBy(request: ScriptedRequest): readonly string[] {
  const [, repository = ''] = /^\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\//.exec(request.path) ?? [];
  const read = request.method === 'GET' || request.method === 'HEAD';
  const from = new URLSearchParams(request.url.split('?')[1] ?? '').get('from');
  return [
    `repository:${repository}:${read ? 'pull' : 'pull,push'}`,
    ...(from === null ? [] : [`repository:${from}:pull`]),
  ];
}

function loginOf(header: string | undefined): { readonly username: string; readonly password: string } | undefined {
  const encoded = /^Basic (.*)$/.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [username = '', password = ''] = Buffer.from(encoded, 'base64').toString().split(':');
  return { username, password };
}
