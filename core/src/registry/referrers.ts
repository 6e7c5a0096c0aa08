/**
 * What refers to an image: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 * Registries without the API keep an index under a tag made from the digest, which the clients themselves maintain.
 */
import { fail, ok, type Result } from '../failure.ts';
import { mediaType, type Descriptor, type ManifestContent } from '../oci/model.ts';
import { MAX_MANIFEST, parseDescriptor } from '../oci/parse.ts';
import { formatPinned, formatRepository, pin, type Digest, type Repository, type Tag } from '../reference.ts';
import { getManifest, type Where } from './manifests.ts';
import type { Referrer } from './model.ts';
import { readPages } from './pages.ts';
import { oddHint, property, registryFailure, type Asked } from './refusal.ts';
import type { Wire } from './wire.ts';

/** Statuses by which a registry says that it does not have the API at all, beside 404. */
const NO_API: ReadonlySet<number> = new Set([400, 405, 406, 501]);

/** Bytes of a list: four times what one under the fallback tag can have, and tens of thousands of referrers. */
const MAX_BYTES = 4 * MAX_MANIFEST;

/** Whether a repository's registry has the referrers API, as far as it is known. */
export interface ApiMemory {
  get(repository: Repository): boolean | undefined;
  set(repository: Repository, present: boolean): void;
}

export function createApiMemory(): ApiMemory {
  const known = new Map<string, boolean>();
  return {
    get: (repository) => known.get(formatRepository(repository)),
    set: (repository, present) => void known.set(formatRepository(repository), present),
  };
}

/** `sha256-<hex>`; a longer digest is cut so that it fits a tag. */
export function fallbackTag(digest: Digest): Tag {
  const [algorithm, hex = ''] = digest.split(':');
  return `${algorithm}-${hex.slice(0, 64)}` as Tag;
}

/** By the API, or else from the index under the fallback tag. Nothing here is believed: these are candidates. */
export async function listReferrers(
  wire: Wire,
  memory: ApiMemory,
  where: Where,
  subject: Digest,
): Promise<Result<readonly Referrer[]>> {
  if (memory.get(where) !== false) {
    const listed = await askApi(wire, where, subject);
    if (!listed.ok) return listed;
    if (listed.value !== 'refused') memory.set(where, listed.value !== undefined);
    if (typeof listed.value === 'object') return ok(listed.value.map((descriptor) => ({ descriptor })));
  }
  const index = await readFallback(wire, where, subject);
  if (!index.ok) return index;
  const content = index.value;
  return ok(content?.kind === 'index' ? eachOnce(content.value.manifests).map((descriptor) => ({ descriptor })) : []);
}

/**
 * Undefined: the registry has no such API. `refused`: some registries refuse all that they do not know, so the tag scheme is asked next. If
 * we really may not read here, that is refused as well.
 */
async function askApi(
  wire: Wire,
  where: Where,
  subject: Digest,
): Promise<Result<readonly Descriptor[] | 'refused' | undefined>> {
  const asked: Asked = {
    side: where.side,
    registry: where.registry,
    what: `the referrers of ${formatPinned(pin(where, subject))}`,
  };
  const found: Descriptor[] = [];
  const answer = await readPages(wire, {
    asked,
    repository: where.path,
    path: `/v2/${where.path}/referrers/${subject}`,
    limit: MAX_BYTES,
    take(page, type) {
      // A web page with status 200 is what some servers answer to what they do not know.
      if (type !== mediaType.ociIndex || typeof page !== 'object' || page === null) return 'foreign';
      const manifests = property(page, 'manifests') ?? [];
      if (!Array.isArray(manifests)) return 'foreign';
      for (const entry of manifests) {
        const descriptor = parseDescriptor(entry);
        if (descriptor.ok) found.push(descriptor.value);
      }
      return {};
    },
  });
  if (!answer.ok) return answer;
  if (answer.value.kind === 'absent') return ok(undefined);
  if (answer.value.kind === 'refused') {
    const { status, failure } = answer.value;
    if (status === 401 || status === 403) return ok('refused');
    return NO_API.has(status) ? ok(undefined) : fail(failure);
  }
  if (answer.value.kind === 'foreign') {
    if (answer.value.type !== mediaType.ociIndex) return ok(undefined);
    const message = `${where.registry} sent no valid list for ${asked.what}`;
    return fail(registryFailure(asked, 'permanent', message, { hint: oddHint(where.registry) }));
  }
  return ok(eachOnce(found));
}

/** One that is named again, on another page or by writers who met, is one all the same; what was said of it first counts. */
function eachOnce(listed: readonly Descriptor[]): readonly Descriptor[] {
  return [...Map.groupBy(listed, ({ digest }) => digest).values()].flatMap(([first]) => first ?? []);
}

/** The index under the fallback tag; undefined: none yet. */
export async function readFallback(
  wire: Wire,
  where: Where,
  subject: Digest,
): Promise<Result<ManifestContent | undefined>> {
  const read = await getManifest(wire, where, { tag: fallbackTag(subject) }, { shared: true });
  // Some registries take such a tag for the digest, and answer with the image itself.
  return read.ok && read.value?.descriptor.digest === subject ? ok(undefined) : read;
}
