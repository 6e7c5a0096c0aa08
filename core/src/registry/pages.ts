/** Lists that come in pages, each with a `Link` to the next: https://www.rfc-editor.org/rfc/rfc8288 */
import { fail, ok, type RegistryFailure, type Result } from '../failure.ts';
import { MAX_MANIFEST } from '../oci/parse.ts';
import { parseUrl } from './http.ts';
import type { Where } from './manifests.ts';
import { oddHint, refusal, registryFailure, type Asked } from './refusal.ts';
import type { Wire } from './wire.ts';

const MAX_PAGES = 1000;
/** Milliseconds for all pages together, or a page a second would keep us for as many seconds as there may be pages. */
const LONGEST = 600_000;
/** Values in a page, which take much more room parsed than sent: 64 MiB of empty objects would take a gigabyte and a half. */
const MAX_VALUES = 1_000_000;
const [COMMA, OPEN_LIST, OPEN_OBJECT] = [0x2c, 0x5b, 0x7b];

export type Pages =
  /** All have been taken. */
  | { readonly kind: 'taken' }
  /** There are more than were to be read. */
  | { readonly kind: 'long' }
  /** A page was no page of such a list; the content type is the first page's. */
  | { readonly kind: 'foreign'; readonly type: string | undefined }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly status: number; readonly failure: RegistryFailure };

export interface List {
  readonly asked: Asked;
  /** The path of the repository whose list it is. */
  readonly repository: Where['path'];
  /** Where the first page is, below the registry. */
  readonly path: string;
  /** Bytes of all pages together. */
  readonly limit: number;
  /** Pages that are read of a list that may be left unread; a list of more than a thousand is a failure. */
  readonly pages?: number;
  /**
   * Keeps what is wanted of a page, which is then let go: parsed, it takes up to thirty times its bytes. `rest` says where to go
   * on if the registry never sends a link, `full` that no more can be kept. `type`: the content type of the first page.
   */
  readonly take: (
    page: unknown,
    type: string | undefined,
  ) => { readonly rest?: string; readonly full?: true } | 'foreign';
}

/**
 * Reads all pages as JSON, one after the other. One page may be all of the list: some registries do not know pages. A link that
 * leads back is a failure.
 */
export async function readPages(wire: Wire, list: List): Promise<Result<Pages>> {
  const { asked, repository: path, limit, take, pages = Number.POSITIVE_INFINITY } = list;
  const seen = new Set<string>();
  let type: string | undefined;
  let linked = false;
  let size = 0;
  const since = performance.now();
  const endless = (why: string) => {
    const message = `${asked.registry} sent a list that ${why} for ${asked.what}`;
    return fail(registryFailure(asked, 'permanent', message, { hint: oddHint(asked.registry) }));
  };
  for (let url: string | URL = list.path; ;) {
    // A page that may be large is waited for no longer than others are.
    const whole = { bytes: MAX_MANIFEST, waited: 0 };
    const response = await wire.call({ ...asked, method: 'GET', url, scopes: [{ path, actions: 'pull' }], whole });
    if (!response.ok) return response;
    const { status } = response.value;
    if (status !== 200) {
      const { absent, failure } = await refusal(asked, response.value);
      if (seen.size > 0) return fail(failure);
      return ok(absent ? { kind: 'absent' } : { kind: 'refused', status, failure });
    }
    type ??= response.value.header('content-type')?.split(';')[0]?.trim();
    const bytes = await response.value.bytes(limit);
    if (!bytes.ok) return bytes;
    size += bytes.value.byteLength;
    if (size > limit || isFlood(bytes.value)) return endless('does not end');
    // Parsed and let go at once: however many lists are read at a time, one page at most is in memory as objects.
    const taken = take(parse(bytes.value), type);
    if (taken === 'foreign') return ok({ kind: 'foreign', type });
    if (taken.full === true) return endless('does not end');
    const sent = nextLink(response.value.header('link'));
    linked ||= sent !== undefined;
    const link = sent ?? (linked ? undefined : taken.rest);
    if (link === undefined) return ok({ kind: 'taken' });
    const next = nextPage(link, response.value.url);
    if (next === undefined) return endless('goes on at no usable address');
    seen.add(response.value.url.href);
    if (seen.size >= pages) return ok({ kind: 'long' });
    if (seen.has(next.href) || seen.size >= MAX_PAGES) return endless('does not end');
    if (performance.now() - since > LONGEST) return endless(`does not end in ${LONGEST / 60_000} minutes`);
    url = next;
  }
}

/**
 * At the host that has answered, whatever the link calls it: behind a proxy a registry may know itself by another name, or by plain
 * HTTP.
 */
function nextPage(link: string, page: URL): URL | undefined {
  const named = parseUrl(link, page);
  if (named === undefined) return undefined;
  const next = new URL(page);
  next.pathname = named.pathname;
  next.search = named.search;
  return next;
}

/** Each value but the first follows one of these, or a key that does. */
function isFlood(bytes: Uint8Array): boolean {
  let values = 0;
  for (let at = 0; at < bytes.length && values <= MAX_VALUES; at += 1) {
    const byte = bytes[at];
    if (byte === COMMA || byte === OPEN_LIST || byte === OPEN_OBJECT) values += 1;
  }
  return values > MAX_VALUES;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}

/** The address of the next page, as the header `Link` has it; some registries leave out what the link is for. */
export function nextLink(header: string | undefined): string | undefined {
  for (const [, target, parameters = ''] of (header ?? '').slice(0, 8192).matchAll(/<([^>]*)>([^<]*)/g)) {
    if (/;\s*rel\s*=\s*"?next"?/i.test(parameters) || !/;\s*rel\s*=/i.test(parameters)) return target;
  }
  return undefined;
}
