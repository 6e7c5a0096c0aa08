/** The turn of a request: a place in a lane of its host, what it sends, and a login that is good by then. */
import { cancelled, fail, ok, type Result } from '../failure.ts';
import type { HttpRequest } from './http.ts';
import type { Kind, Lanes, Place } from './lanes.ts';
import { openBody, type OpenBody } from './request-body.ts';

export type RequestHeaders = Readonly<Record<string, string>>;

export interface Turn {
  readonly place: Place;
  /** Absent: it sends no stream. */
  readonly source: OpenBody | undefined;
  readonly headers: RequestHeaders;
}

/**
 * How often the login of one request is renewed. Without a limit, tokens that are useless as soon as they come would be fetched for ever.
 */
const MAX_RENEWALS = 100;

/** Waits for a place. Only then it is looked whether its login is still good, and what is to be sent is opened. */
export async function takeTurn(
  lanes: Lanes,
  request: HttpRequest,
  url: URL,
  headers: RequestHeaders,
): Promise<Result<Turn>> {
  const { body } = request;
  const isStream = body !== undefined && !(body instanceof Uint8Array);
  const kind = isStream ? 'upload' : request.long === true ? 'download' : 'request';
  const entered = await lanes.enter(url.host, kind);
  if (entered === undefined) return fail(cancelled);
  const ready = await withLogin(lanes, request, url, { place: entered, kind, headers });
  if (!ready.ok) return ready;
  const { place } = ready.value;
  const refused = await request.admit?.();
  const source = refused !== undefined ? fail(refused) : isStream ? await openBody(body) : ok(undefined);
  if (source.ok) return ok({ place, source: source.value, headers: ready.value.headers });
  leave(place);
  return source;
}

interface Entered {
  readonly place: Place;
  readonly kind: Kind;
  readonly headers: RequestHeaders;
}

/**
 * Fetches a new login if this one has become useless while the request waited. The token may come from this very host, in the same lane, so
 * the request gives up its place meanwhile. Uploads keep theirs, since they have a lane of their own.
 */
async function withLogin(lanes: Lanes, request: HttpRequest, url: URL, entered: Entered): Promise<Result<Entered>> {
  const { kind } = entered;
  let { place, headers } = entered;
  for (let times = 0; times < MAX_RENEWALS; times += 1) {
    const { authorization, ...others } = headers;
    const fetching = authorization === undefined ? undefined : request.renewed?.(authorization);
    if (fetching === undefined) break;
    if (kind !== 'upload') leave(place);
    const login = await fetching;
    if (!login.ok) {
      if (kind === 'upload') leave(place);
      return login;
    }
    const again = kind === 'upload' ? place : await lanes.enter(url.host, kind, true);
    if (again === undefined) return fail(cancelled);
    headers = login.value === undefined ? others : { ...others, authorization: login.value };
    place = again;
  }
  return ok({ place, kind, headers });
}

/** undici takes a connection back one turn of the event loop after its answer: a request that begins sooner would open a new one. */
export function leave(place: Place): void {
  setImmediate(place.release);
}

export function withoutAuthorization(headers: RequestHeaders): RequestHeaders {
  const { authorization: _, ...others } = headers;
  return others;
}
