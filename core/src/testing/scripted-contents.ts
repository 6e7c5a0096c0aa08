/** What a scripted registry holds, and the answers to those who read, list or delete it. */
import { mediaType } from '../oci/model.ts';
import type { Digest } from '../reference.ts';
import { property } from '../registry/refusal.ts';

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Uint8Array | string;
}

export interface StoredManifest {
  readonly bytes: Uint8Array;
  readonly type: string;
  readonly digest: Digest;
}

export interface Contents {
  readonly blobs: Map<string, Uint8Array>;
  readonly manifests: Map<string, StoredManifest>;
  readonly tags: Map<string, Digest>;
}

export interface Store {
  /** Made when it is not there. */
  of(repository: string): Contents;
  has(repository: string): boolean;
  /** By tag or digest. */
  manifest(repository: string, name: string): StoredManifest | undefined;
  blob(repository: string, digest: string): Uint8Array | undefined;
  /** From whichever repository has it: for mounting without a name. */
  anyBlob(digest: string): Uint8Array | undefined;
}

export function createStore(): Store {
  const repositories = new Map<string, Contents>();
  return {
    of(repository) {
      const known = repositories.get(repository) ?? { blobs: new Map(), manifests: new Map(), tags: new Map() };
      repositories.set(repository, known);
      return known;
    },
    has: (repository) => repositories.has(repository),
    manifest(repository, name) {
      const contents = repositories.get(repository);
      return contents?.manifests.get(contents.tags.get(name) ?? name);
    },
    blob: (repository, digest) => repositories.get(repository)?.blobs.get(digest),
    anyBlob: (digest) => [...repositories.values()].map(({ blobs }) => blobs.get(digest)).find((found) => found),
  };
}

export function problem(code: string): string {
  return JSON.stringify({ errors: [{ code, message: `scripted ${code.toLowerCase()}` }] });
}

export function refused(status: number, code: string): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: problem(code) };
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-blobs; `range` is the request's header. */
export function readBlob(bytes: Uint8Array | undefined, digest: string, range: string | undefined): Answer {
  if (bytes === undefined) return refused(404, 'BLOB_UNKNOWN');
  const headers = { 'content-type': 'application/octet-stream', 'docker-content-digest': digest };
  const part = range === undefined ? undefined : partOf(range, bytes.byteLength);
  if (part === undefined) return { status: 200, headers: { ...headers, 'accept-ranges': 'bytes' }, body: bytes };
  const { first, last } = part;
  if (first > last) {
    return { status: 416, headers: { 'content-range': `bytes */${bytes.byteLength}` }, body: problem('RANGE_INVALID') };
  }
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${first}-${last}/${bytes.byteLength}` },
    body: bytes.subarray(first, last + 1),
  };
}

/** https://www.rfc-editor.org/rfc/rfc9110#field.range: one range; undefined for what is none, which is to be ignored. */
function partOf(range: string, size: number): { readonly first: number; readonly last: number } | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  if (from === '' && to === '') return undefined;
  if (from === '') return { first: Math.max(0, size - Number(to)), last: size - 1 };
  return { first: Number(from), last: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags */
export function listTags(store: Store, repository: string, query: URLSearchParams, pageSize: number): Answer {
  if (!store.has(repository)) return refused(404, 'NAME_UNKNOWN');
  const last = query.get('last') ?? '';
  const asked = query.get('n');
  const after = [...store.of(repository).tags.keys()].sort().filter((tag) => tag > last);
  const page = after.slice(0, Math.min(pageSize, asked === null ? pageSize : Number(asked)));
  const next = new URLSearchParams({ ...(asked === null ? {} : { n: asked }), last: page.at(-1) ?? '' });
  const link =
    page.length === 0 || page.length === after.length ? {} : linkTo(`/v2/${repository}/tags/list?${next.toString()}`);
  return {
    status: 200,
    headers: { 'content-type': 'application/json', ...link },
    body: JSON.stringify({ name: repository, tags: page }),
  };
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers */
export function listReferrers(
  store: Store,
  repository: string,
  subject: string,
  query: URLSearchParams,
  pageSize: number,
): Answer {
  const wanted = query.get('artifactType');
  const all = (store.has(repository) ? [...store.of(repository).manifests.values()] : [])
    .filter(({ bytes }) => property(property(jsonOf(bytes), 'subject'), 'digest') === subject)
    .map(({ bytes, type, digest }) => describe(jsonOf(bytes), { mediaType: type, digest, size: bytes.byteLength }))
    .filter(({ artifactType }) => wanted === null || artifactType === wanted);
  const start = Number(query.get('start') ?? 0);
  const page = all.slice(start, start + pageSize);
  const filter = wanted === null ? '' : `artifactType=${encodeURIComponent(wanted)}&`;
  const path = `/v2/${repository}/referrers/${subject}?${filter}start=${start + pageSize}`;
  return {
    status: 200,
    headers: {
      'content-type': mediaType.ociIndex,
      ...(start + page.length < all.length ? linkTo(path) : {}),
      ...(wanted === null ? {} : { 'oci-filters-applied': 'artifactType' }),
    },
    body: JSON.stringify({ schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: page }),
  };
}

/** What the API tells of a referrer: an image's type is that of its config. */
function describe<T extends object>(manifest: unknown, descriptor: T): T & { readonly artifactType?: unknown } {
  const own = property(manifest, 'artifactType');
  const artifactType = own === undefined || own === '' ? property(property(manifest, 'config'), 'mediaType') : own;
  const annotations = property(manifest, 'annotations');
  return {
    ...descriptor,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function linkTo(path: string): Readonly<Record<string, string>> {
  return { link: `<${path}>; rel="next"` };
}

export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}
