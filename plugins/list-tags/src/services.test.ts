import { fail, ok, type FetchJson } from '@slipway/core';
import { describe, expect, test } from 'vitest';
import { dockerHub, google, quay } from './services.ts';

const digest = (character: string): string => `sha256:${character.repeat(64)}`;

/** Answers by address, and the addresses that were asked. */
function service(pages: Readonly<Record<string, { readonly data: unknown; readonly next?: string }>>): {
  readonly fetchJson: FetchJson;
  readonly asked: string[];
} {
  const asked: string[] = [];
  const fetchJson: FetchJson = async (request) => {
    const address = 'url' in request ? request.url : request.path;
    asked.push(address);
    const found = pages[address];
    return found === undefined
      ? fail({ reason: 'registry', class: 'permanent', side: 'source', host: 'x', message: `nobody knows ${address}` })
      : ok(found);
  };
  return { fetchJson, asked };
}

function wanted(registry: string, path: string, tags: readonly string[], requests = 10) {
  return { repository: { registry, path }, tags, requests };
}

const plainHttp = (host: string): boolean => host.startsWith('localhost');

describe('Docker Hub', () => {
  const first = 'https://hub.example/v2/namespaces/library/repositories/node/tags?page_size=100';
  const second = 'https://hub.example/v2/namespaces/library/repositories/node/tags?page=2&page_size=100';
  const pages = {
    [first]: {
      data: {
        count: 3,
        next: second,
        results: [
          { name: '20', digest: digest('a'), images: [{ architecture: 'amd64', digest: digest('f') }] },
          { name: 'old', images: [] },
        ],
      },
    },
    [second]: { data: { count: 3, next: null, results: [{ name: '18', digest: digest('b') }] } },
  };

  test('is read page by page, until everything wanted is found', async () => {
    const { fetchJson, asked } = service(pages);
    const read = dockerHub('https://hub.example/');
    const all = await read(wanted('docker.io', 'library/node', ['18', '20']), { fetchJson, plainHttp });
    expect(all).toEqual(ok({ tags: { '20': digest('a'), '18': digest('b') }, complete: true }));
    const one = await read(wanted('docker.io', 'library/node', ['20']), { fetchJson, plainHttp });
    expect(one).toEqual(ok({ tags: { '20': digest('a') }, complete: false }));
    expect(asked).toEqual([first, second, first]);
  });

  test('a list that leads to another host, or has no end, is left', async () => {
    const elsewhere = service({ [first]: { data: { next: 'https://evil.example/tags', results: [] } } });
    const read = dockerHub('https://hub.example');
    expect(await read(wanted('docker.io', 'library/node', ['20']), { ...elsewhere, plainHttp })).toEqual(
      ok({ tags: {}, complete: true }),
    );
    const endless = service({ [first]: { data: { next: first, results: [] } } });
    await read(wanted('docker.io', 'library/node', ['20'], 3), { ...endless, plainHttp });
    expect(endless.asked).toHaveLength(3);
  });

  test('what it refuses is a failure', async () => {
    const { fetchJson } = service({});
    const answer = await dockerHub('https://hub.example')(wanted('docker.io', 'a/b', ['1']), { fetchJson, plainHttp });
    expect(answer.ok).toBe(false);
  });
});

test('Quay: only active tags, by pages', async () => {
  const page = (number: number) =>
    `http://localhost:5000/api/v1/repository/a/b/tag/?onlyActiveTags=true&limit=100&page=${number}`;
  const { fetchJson, asked } = service({
    [page(1)]: {
      data: {
        page: 1,
        has_additional: true,
        tags: [
          { name: '1', manifest_digest: digest('a'), start_ts: 1 },
          { name: '2', manifest_digest: digest('b'), start_ts: 1, end_ts: 2 },
        ],
      },
    },
    [page(2)]: { data: { page: 2, has_additional: false, tags: [{ name: '3', manifest_digest: digest('c') }] } },
  });
  expect(await quay(wanted('localhost:5000', 'a/b', ['3']), { fetchJson, plainHttp })).toEqual(
    ok({ tags: { '1': digest('a'), '3': digest('c') }, complete: true }),
  );
  expect(asked).toEqual([page(1), page(2)]);
});

test('Google: the map of manifests beside the list of tags, and its next page', async () => {
  const { fetchJson, asked } = service({
    '/v2/p/r/tags/list': {
      data: {
        name: 'p/r',
        tags: ['1', 'latest'],
        manifest: { [digest('a')]: { tag: ['1', 'latest'] }, [digest('b')]: { tag: [] } },
      },
      next: 'https://gcr.io/v2/p/r/tags/list?last=latest',
    },
    '/v2/p/r/tags/list?last=latest': {
      data: { manifest: { 'md5:1': { tag: ['x'] }, [digest('c')]: { tag: ['2', '--help', 7] } } },
    },
  });
  expect(await google(wanted('gcr.io', 'p/r', ['1', '2']), { fetchJson, plainHttp })).toEqual(
    ok({ tags: { '1': digest('a'), latest: digest('a'), '2': digest('c') }, complete: true }),
  );
  expect(asked).toHaveLength(2);
});

test('a plain registry answers without the map, and says nothing', async () => {
  const { fetchJson } = service({ '/v2/p/r/tags/list': { data: { tags: ['1'] } } });
  expect(await google(wanted('gcr.io', 'p/r', ['1']), { fetchJson, plainHttp })).toEqual(
    ok({ tags: {}, complete: true }),
  );
});
