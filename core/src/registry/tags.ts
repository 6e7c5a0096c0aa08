/** Lists of tags: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags */
import { fail, ok, type Result } from '../failure.ts';
import { formatRepository, parseTag, type Tag } from '../reference.ts';
import type { Where } from './manifests.ts';
import { readPages, type List } from './pages.ts';
import { firstThatHas } from './places.ts';
import { oddHint, pageHint, property, registryFailure, type Asked } from './refusal.ts';
import type { Wire } from './wire.ts';

/** Tags asked for at once; some registries refuse more. */
const PAGE = 1000;

/** Bytes of a list, and tags that are kept of it: repositories of a company's builds of many years have fewer. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_TAGS = 500_000;

/** The tags of the first place that has any: a mirror may have nothing of the repository. The origin is the last place. */
export async function listTagsOf(
  wire: Wire,
  places: readonly Where[],
  pages: number | undefined,
): Promise<Result<readonly Tag[]>> {
  const found = await firstThatHas(places, async (where: Where): Promise<Result<readonly Tag[] | undefined>> => {
    const listed = await listTags(wire, where, pages);
    return listed.ok && listed.value.length === 0 ? ok(undefined) : listed;
  });
  return found.ok ? ok(found.value ?? []) : found;
}

/**
 * Every tag of a repository that is a valid one, sorted; none when there is no such repository. A failure where that is more than
 * `pages` pages.
 */
async function listTags(wire: Wire, where: Where, pages = Number.POSITIVE_INFINITY): Promise<Result<readonly Tag[]>> {
  const what = `the tags of ${formatRepository(where)}`;
  const asked: Asked = { side: where.side, registry: where.registry, what };
  const path = `/v2/${where.path}/tags/list`;
  const tags = new Set<Tag>();
  const take: List['take'] = (page) => {
    const found = namesIn(page);
    if (found === undefined) return 'foreign';
    const before = tags.size;
    for (const name of found) {
      const tag = parseTag(name);
      if (tag !== undefined) tags.add(tag);
      if (tags.size > MAX_TAGS) return { full: true };
    }
    // Some registries cut a list short without a link to the rest: then it is asked for by the last name that is one.
    const last = found.findLast((name) => parseTag(name) !== undefined);
    // One that does not know `last` gives the same names again.
    return last !== undefined && found.length >= PAGE && tags.size > before
      ? { rest: `${path}?n=${PAGE}&last=${encodeURIComponent(last)}` }
      : {};
  };
  const list = { asked, repository: where.path, limit: MAX_BYTES, take, pages };
  let read = await readPages(wire, { ...list, path: `${path}?n=${PAGE}` });
  if (read.ok && read.value.kind === 'refused' && [400, 405, 413, 414, 416, 422].includes(read.value.status)) {
    read = await readPages(wire, { ...list, path });
  }
  if (!read.ok) return read;
  switch (read.value.kind) {
    case 'absent':
      return ok([]);
    case 'refused':
      return fail(read.value.failure);
    case 'foreign': {
      const hint = pageHint(read.value.type, where.registry) ?? oddHint(where.registry);
      return fail(registryFailure(asked, 'permanent', `${where.registry} sent something else for ${what}`, { hint }));
    }
    case 'long':
      return fail(registryFailure(asked, 'permanent', `${what} are more than ${pages} pages`));
    case 'taken':
      return ok([...tags].sort());
  }
}

/** `null`, or no list at all, is what some say for none; `undefined`: this is no answer to the question. */
function namesIn(page: unknown): readonly string[] | undefined {
  if (typeof page !== 'object' || page === null || Array.isArray(page)) return undefined;
  const tags = property(page, 'tags');
  if (tags === null || tags === undefined) return [];
  return Array.isArray(tags) ? tags.filter((name) => typeof name === 'string') : undefined;
}
