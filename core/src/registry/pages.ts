/** Lists that come in pages, each with a `Link` to the next: https://www.rfc-editor.org/rfc/rfc8288 */
import { fail, ok, type RegistryFailure, type Result } from '../failure.ts';
import { MAX_MANIFEST } from '../oci/parse.ts';
import { refusal, registryFailure, type Asked } from './refusal.ts';
import type { Wire } from './wire.ts';

const MAX_PAGES = 1000;
/** Bytes of all pages together: a million tags are less. */
const MAX_BYTES = 64 * 1024 * 1024;

export type Pages =
  | {
      readonly kind: 'pages';
      readonly pages: readonly unknown[];
      /** Content type of the first page. */ readonly type: string | undefined;
    }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly status: number; readonly failure: RegistryFailure };

/**
 * Reads all pages as JSON. A page may be as large as a manifest; a link that leads back or elsewhere is a failure. `rest` says
 * where to go on from a page of a registry that never sends a link, if anywhere.
 */
export async function readPages(
  wire: Wire,
  asked: Asked,
  repository: string,
  path: string,
  rest: (page: unknown) => string | undefined = () => undefined,
): Promise<Result<Pages>> {
  const pages: unknown[] = [];
  const seen = new Set<string>();
  let type: string | undefined;
  let linked = false;
  let size = 0;
  const endless = (why: string) =>
    fail(registryFailure(asked, 'permanent', `${asked.registry} sent a list that ${why} for ${asked.what}`));
  for (let url: string | URL = path; ;) {
    const response = await wire.call({ ...asked, method: 'GET', url, scopes: [{ path: repository, actions: 'pull' }] });
    if (!response.ok) return response;
    const { status } = response.value;
    if (status !== 200) {
      const { absent, failure } = await refusal(asked, response.value);
      if (pages.length > 0) return fail(failure);
      return ok(absent ? { kind: 'absent' } : { kind: 'refused', status, failure });
    }
    type ??= response.value.header('content-type')?.split(';')[0]?.trim();
    const bytes = await response.value.bytes(MAX_MANIFEST);
    if (!bytes.ok) return bytes;
    size += bytes.value.byteLength;
    if (size > MAX_BYTES) return endless('does not end');
    const page = parse(bytes.value);
    pages.push(page);
    const sent = nextLink(response.value.header('link'));
    linked ||= sent !== undefined;
    const link = sent ?? (linked ? undefined : rest(page));
    if (link === undefined) return ok({ kind: 'pages', pages, type });
    const next = wire.follow(asked, link, response.value.url);
    if (!next.ok) return next;
    seen.add(response.value.url.href);
    if (next.value.origin !== response.value.url.origin) return endless(`goes on at ${next.value.host}`);
    if (seen.has(next.value.href) || pages.length >= MAX_PAGES) return endless('does not end');
    url = next.value;
  }
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
