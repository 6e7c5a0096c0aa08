/** The services' own lists of tags, each as its published schema has it. */
import { ok, type FetchJson, type Result, type TaskContext } from '@slipway/core';
import { items, property, readList, type Listed, type Page, type Wanted } from './lists.ts';

type Reader = (wanted: Wanted, context: Pick<TaskContext, 'fetchJson' | 'plainHttp'>) => Promise<Result<Listed>>;

const PAGE = 100;

/** https://docs.docker.com/reference/api/hub/latest/#tag/repositories/operation/ListRepositoryTags */
export function dockerHub(api: string): Reader {
  const base = api.replace(/\/+$/, '');
  return (wanted, { fetchJson }) => {
    const [namespace = '', ...rest] = wanted.repository.path.split('/');
    const repository = encodeURIComponent(rest.join('/'));
    const first = `${base}/v2/namespaces/${encodeURIComponent(namespace)}/repositories/${repository}/tags?page_size=${PAGE}`;
    return readList(wanted, first, (url) =>
      page(fetchJson, { url }, (data) => ({
        tags: items(property(data, 'results')).map((tag) => [property(tag, 'name'), property(tag, 'digest')]),
        ...nextOf(sameOrigin(property(data, 'next'), base)),
      })),
    );
  };
}

/** https://docs.quay.io/api/swagger/#!/tag/listRepoTags */
export const quay: Reader = (wanted, { fetchJson, plainHttp }) => {
  const { registry, path } = wanted.repository;
  const base = `${plainHttp(registry) ? 'http' : 'https'}://${registry}/api/v1/repository/${path}/tag/`;
  return readList(wanted, 1, (number) =>
    page(fetchJson, { url: `${base}?onlyActiveTags=true&limit=${PAGE}&page=${number}` }, (data) => ({
      // One that has an end may be past it by the time that it is needed.
      tags: items(property(data, 'tags'))
        .filter((tag) => property(tag, 'end_ts') === undefined)
        .map((tag) => [property(tag, 'name'), property(tag, 'manifest_digest')]),
      ...nextOf(property(data, 'has_additional') === true ? number + 1 : undefined),
    })),
  );
};

/** https://github.com/google/go-containerregistry/blob/main/pkg/v1/google/list.go: digest → its tags, beside the usual list. */
export const google: Reader = (wanted, { fetchJson }) => {
  const { repository } = wanted;
  return readList(wanted, `/v2/${repository.path}/tags/list`, async (path) => {
    const answer = await fetchJson({ repository, path });
    if (!answer.ok) return answer;
    const manifests = Object.entries(Object(property(answer.value.data, 'manifest')) as object);
    const next = answer.value.next === undefined ? undefined : new URL(answer.value.next);
    return ok({
      tags: manifests.flatMap(([digest, manifest]) =>
        items(property(manifest, 'tag')).map((tag) => [tag, digest] as const),
      ),
      ...nextOf(next === undefined ? undefined : `${next.pathname}${next.search}`),
    });
  });
};

async function page<Next>(
  fetchJson: FetchJson,
  request: { readonly url: string },
  read: (data: unknown) => Page<Next>,
): Promise<Result<Page<Next>>> {
  const answer = await fetchJson(request);
  return answer.ok ? ok(read(answer.value.data)) : answer;
}

function nextOf<Next>(next: Next | undefined): { readonly next?: Next } {
  return next === undefined ? {} : { next };
}

/** A list that would go on at another host goes on nowhere. */
function sameOrigin(next: unknown, base: string): string | undefined {
  if (typeof next !== 'string') return undefined;
  const url = URL.parse(next, base);
  return url?.origin === new URL(base).origin ? url.href : undefined;
}
