/** How a scripted registry takes and drops manifests, and what it wants to be there before it takes one. */
import { digestLike, sha256 } from '../oci/digest.ts';
import { parseDigest, parseTag } from '../reference.ts';
import { property } from '../registry/refusal.ts';
import { jsonOf, refused, type Answer, type Store } from './scripted-contents.ts';

export interface ManifestOptions {
  /** Whether the answer to a manifest with a subject says that it is listed among that one's referrers. */
  readonly listsReferrers: boolean;
  /** Takes manifests whose parts are missing; most registries do not. */
  readonly sparse: boolean;
  /** Bytes. */
  readonly limit: number;
  /** Whether a manifest that is put by its digest can be given tags by parameters. */
  readonly tagParameter: boolean;
}

interface Put {
  readonly repository: string;
  /** Tag or digest. */
  readonly name: string;
  readonly type: string;
  readonly query: URLSearchParams;
  readonly bytes: Uint8Array;
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests */
export function storeManifest(store: Store, options: ManifestOptions, put: Put): Answer {
  const { repository, name, type, bytes } = put;
  if (bytes.byteLength > options.limit) return refused(413, 'SIZE_INVALID');
  const asked = parseDigest(name);
  if (asked === undefined && parseTag(name) === undefined) return refused(400, 'DIGEST_INVALID');
  const digest = digestLike(asked ?? sha256(''), bytes);
  if (asked !== undefined && asked !== digest) return refused(400, 'DIGEST_INVALID');
  const json = jsonOf(bytes);
  const own = property(json, 'mediaType');
  if (json === undefined || (own !== undefined && own !== type)) return refused(400, 'MANIFEST_INVALID');
  const contents = store.of(repository);
  // As real registries do: nothing may name what is not there.
  const isThere = (part: string): boolean => contents.blobs.has(part) || contents.manifests.has(part);
  if (!options.sparse && !partsOf(json).every(isThere)) return refused(404, 'MANIFEST_BLOB_UNKNOWN');
  contents.manifests.set(digest, { bytes, type, digest });
  const tags = asked === undefined ? [name] : options.tagParameter ? put.query.getAll('tag') : [];
  for (const tag of tags) contents.tags.set(tag, digest);
  const subject = property(property(json, 'subject'), 'digest');
  return {
    status: 201,
    headers: {
      location: `/v2/${repository}/manifests/${digest}`,
      'docker-content-digest': digest,
      ...(options.listsReferrers && typeof subject === 'string' ? { 'oci-subject': subject } : {}),
      ...(asked === undefined || tags.length === 0 ? {} : { 'oci-tag': tags }),
    },
  };
}

/** A tag alone, or a manifest with all its tags. */
export function deleteManifest(store: Store, repository: string, name: string): Answer {
  const found = store.manifest(repository, name);
  if (found === undefined) return refused(404, 'MANIFEST_UNKNOWN');
  const { manifests, tags } = store.of(repository);
  if (tags.delete(name)) return { status: 202 };
  manifests.delete(found.digest);
  for (const [tag, digest] of tags) if (digest === found.digest) tags.delete(tag);
  return { status: 202 };
}

/** What a manifest names and its registry must hold: children, config, and layers that are published nowhere else. */
function partsOf(manifest: unknown): readonly string[] {
  const lists = [property(manifest, 'layers'), property(manifest, 'manifests')].filter((list) =>
    Array.isArray(list),
  ) as readonly (readonly unknown[])[];
  const layers = lists.flat().filter((part) => property(part, 'urls') === undefined);
  return [property(manifest, 'config'), ...layers]
    .map((part) => property(part, 'digest'))
    .filter((digest) => typeof digest === 'string');
}
