/** JSON that services say besides what registries serve: read once, bounded, and without a login of another host. */
import { fail, ok, type Result } from '../failure.ts';
import { withPort } from './address.ts';
import { parseUrl, type Http, type HttpResponse } from './http.ts';
import type { FetchJson, JsonRequest } from './model.ts';
import { nextLink } from './pages.ts';
import { oddHint, pageHint, plain, refusal, registryFailure, type Asked } from './refusal.ts';
import type { Wire } from './wire.ts';

/** Bytes of one answer. */
const MAX_JSON = 8 * 1024 * 1024;

/**
 * A URL is asked without any login, by HTTPS, or plainly where settings allow it. A path below a registry is asked as its
 * repositories are, with the token that reading `repository` needs. Nothing is tried again: who asks can do without.
 */
export function createJsonFetcher({
  http,
  wire,
  plainHttp,
}: {
  readonly http: Http;
  readonly wire: Wire;
  readonly plainHttp: (host: string) => boolean;
}): FetchJson {
  async function ask(request: JsonRequest, asked: Asked): Promise<Result<HttpResponse>> {
    const call = { ...asked, method: 'GET' as const, headers: { accept: 'application/json' } };
    const none = () => fail(registryFailure(asked, 'permanent', `${asked.what} is no address that may be asked`));
    if ('path' in request) {
      // What a registry says to go on with may begin as a path and name another host.
      const { origin, href } = wire.originOf(request.repository.registry);
      if (URL.parse(request.path, href)?.origin !== origin) return none();
      const scopes = [{ path: request.repository.path, actions: 'pull' as const }];
      return (await wire.attempt({ ...call, url: request.path, scopes })).result;
    }
    const url = usable(request.url, plainHttp);
    return url === undefined ? none() : http.send({ ...call, url });
  }

  return async (request) => {
    const asked = askedBy(request);
    const answer = await ask(request, asked);
    if (!answer.ok) return answer;
    const response = answer.value;
    if (response.status !== 200) return fail((await refusal(asked, response)).failure);
    const bytes = await response.bytes(MAX_JSON);
    if (!bytes.ok) return bytes;
    const data = parse(bytes.value);
    if (!data.ok) {
      const hint = pageHint(response.header('content-type'), asked.registry) ?? oddHint(asked.registry);
      return fail(registryFailure(asked, 'permanent', `${asked.registry} sent no JSON for ${asked.what}`, { hint }));
    }
    const next = parseUrl(nextLink(response.header('link')), response.url);
    // A list that goes on elsewhere is no list of this service.
    return ok({ data: data.value, ...(next?.origin === response.url.origin ? { next: next.href } : {}) });
  };
}

function askedBy(request: JsonRequest): Asked {
  if ('path' in request) return { side: 'source', registry: request.repository.registry, what: plain(request.path) };
  return { side: 'source', registry: URL.parse(request.url)?.host ?? 'nobody', what: plain(request.url) };
}

function usable(text: string, plainHttp: (host: string) => boolean): URL | undefined {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') return undefined;
  return url.protocol === 'https:' || (url.protocol === 'http:' && plainHttp(withPort(url.host, true)))
    ? url
    : undefined;
}

function parse(bytes: Uint8Array): Result<unknown> | { readonly ok: false } {
  try {
    return ok(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown);
  } catch {
    return { ok: false };
  }
}
