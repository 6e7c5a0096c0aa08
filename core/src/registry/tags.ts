/** Lists of tags: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags */
import { fail, ok, type Result } from '../failure.ts';
import { formatRepository, parseTag, type Tag } from '../reference.ts';
import type { Where } from './manifests.ts';
import { readPages } from './pages.ts';
import { property, registryFailure, type Asked } from './refusal.ts';
import type { Wire } from './wire.ts';

/** Tags asked for at once; some registries refuse more. */
const PAGE = 1000;

/** Every tag of a repository that is a valid one, sorted; none when there is no such repository. */
export async function listTags(wire: Wire, where: Where): Promise<Result<readonly Tag[]>> {
  const what = `the tags of ${formatRepository(where)}`;
  const asked: Asked = { side: where.side, registry: where.registry, what };
  const path = `/v2/${where.path}/tags/list`;
  const names = new Set<string>();
  /** Some registries cut a list short without a link to the rest: then it is asked for by the last name. */
  const rest = (page: unknown): string | undefined => {
    const found = namesIn(page) ?? [];
    const before = names.size;
    for (const name of found) names.add(name);
    const last = found.at(-1);
    const full = found.length >= PAGE;
    // One that does not know `last` gives the same names again.
    return last !== undefined && full && names.size > before
      ? `${path}?n=${PAGE}&last=${encodeURIComponent(last)}`
      : undefined;
  };
  let pages = await readPages(wire, asked, where.path, `${path}?n=${PAGE}`, rest);
  if (pages.ok && pages.value.kind === 'refused' && [400, 405, 413, 414, 416, 422].includes(pages.value.status)) {
    pages = await readPages(wire, asked, where.path, path, rest);
  }
  if (!pages.ok) return pages;
  if (pages.value.kind === 'absent') return ok([]);
  if (pages.value.kind === 'refused') return fail(pages.value.failure);
  for (const page of pages.value.pages) {
    const found = namesIn(page);
    if (found === undefined) {
      return fail(registryFailure(asked, 'permanent', `${where.registry} sent something else for ${what}`));
    }
    for (const name of found) names.add(name);
  }
  return ok([...names].flatMap((name) => parseTag(name) ?? []).sort());
}

/** `null`, or no list at all, is what some say for none; `undefined`: this is no answer to the question. */
function namesIn(page: unknown): readonly string[] | undefined {
  if (typeof page !== 'object' || page === null || Array.isArray(page)) return undefined;
  const tags = property(page, 'tags');
  if (tags === null || tags === undefined) return [];
  return Array.isArray(tags) ? tags.filter((name) => typeof name === 'string') : undefined;
}
