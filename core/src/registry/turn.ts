/** The turn of a request: a place in a lane of its host, what it sends, and a login that is good by then. */
import { cancelled, fail, ok, type Result } from '../failure.ts';
import type { HttpRequest } from './http.ts';
import type { Lanes, Place } from './lanes.ts';
import { openBody, type OpenBody } from './request-body.ts';

export type RequestHeaders = Readonly<Record<string, string>>;

export interface Turn {
  readonly place: Place;
  /** Absent: it sends no stream. */
  readonly source: OpenBody | undefined;
  readonly headers: RequestHeaders;
}

/** How often the login of one request is renewed: each serves at least one of those that wait, unless it is of no use when it comes. */
const MAX_RENEWALS = 100;

/** Waits for a place. Only then what is to be sent is opened, and it is looked whether its login is still good. */
export async function takeTurn(
  lanes: Lanes,
  request: HttpRequest,
  url: URL,
  headers: RequestHeaders,
): Promise<Result<Turn>> {
  const { body } = request;
  const isStream = body !== undefined && !(body instanceof Uint8Array);
  const kind = isStream ? 'upload' : request.long === true ? 'download' : 'request';
  const place = await lanes.enter(url.host, kind);
  if (place === undefined) return fail(cancelled);
  const refused = await request.admit?.();
  const source = isStream && refused === undefined ? await openBody(body) : undefined;
  if (refused !== undefined || source?.ok === false) {
    leave(place);
    return refused === undefined && source?.ok === false ? source : fail(refused ?? cancelled);
  }
  return withLogin({ place, source: source?.value, headers }, request, () => lanes.enter(url.host, kind, true));
}

/** What has expired meanwhile is fetched anew. */
async function withLogin(
  turn: Turn,
  { renewed }: HttpRequest,
  enterAgain: () => Promise<Place | undefined>,
): Promise<Result<Turn>> {
  let { place, headers } = turn;
  for (let times = 0; times < MAX_RENEWALS; times += 1) {
    const fetching = headers['authorization'] === undefined ? undefined : renewed?.();
    if (fetching === undefined) break;
    // Perhaps from this very host, among its requests: none of those keeps a place there meanwhile. Uploads have a lane of their own.
    const keeps = turn.source !== undefined;
    if (!keeps) leave(place);
    const login = await fetching;
    const again = keeps ? place : login.ok ? await enterAgain() : undefined;
    if (!login.ok || again === undefined) {
      if (again !== undefined) leave(again);
      await turn.source?.close();
      return login.ok ? fail(cancelled) : login;
    }
    const others = withoutAuthorization(headers);
    headers = login.value === undefined ? others : { ...others, authorization: login.value };
    place = again;
  }
  return ok({ ...turn, place, headers });
}

/** undici takes a connection back one turn of the event loop after its answer; whoever came sooner would open a new one. */
export function leave(place: Place): void {
  setImmediate(place.release);
}

export function withoutAuthorization(headers: RequestHeaders): RequestHeaders {
  const { authorization: _, ...others } = headers;
  return others;
}
