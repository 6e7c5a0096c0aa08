import { describe, expect, test } from 'vitest';
import { startScriptedRegistry, type Action, type ScriptedRequest } from '../testing/scripted-registry.ts';
import { client, failureOf, must, repository } from './test-client.ts';
import { expectClear } from './traps/pair.ts';

const ALL = Array.from({ length: 2500 }, (_, index) => `t${String(index).padStart(4, '0')}`);

/** A registry that answers lists of tags as `answerTo` has it. */
async function listOf(answerTo: (query: URLSearchParams) => Action | object): Promise<{
  readonly result: Awaited<ReturnType<ReturnType<typeof client>['tags']>>;
  readonly log: readonly string[];
}> {
  const onRequest = ({ url }: ScriptedRequest): Action => {
    const answer = answerTo(new URL(url, 'http://host').searchParams);
    return 'kind' in answer ? (answer as Action) : { kind: 'answer', status: 200, body: JSON.stringify(answer) };
  };
  await using server = await startScriptedRegistry({ onRequest });
  await using registry = client();
  const result = await registry.tags(repository(server.host, 'a/b'), 'source');
  return { result, log: server.log.map(({ url }) => url) };
}

describe('lists of tags that are odd', () => {
  test('tags: null, and no tags at all, are none', async () => {
    expect(must((await listOf(() => ({ name: 'a/b', tags: null }))).result)).toEqual([]);
    expect(must((await listOf(() => ({ name: 'a/b' }))).result)).toEqual([]);
  });

  test('an answer that is no list is a failure, never an empty repository', async () => {
    for (const body of ['<html>log in</html>', '[]', '{"tags":"all"}']) {
      const { result } = await listOf(() => ({ kind: 'answer', status: 200, body }));
      expect(failureOf(result).message).toContain('sent something else for the tags of');
      expectClear(failureOf(result));
    }
  });

  test('a web page in place of a list is told as one', async () => {
    const headers = { 'content-type': 'text/html' };
    const { result } = await listOf(() => ({ kind: 'answer', status: 200, headers, body: '<html>log in</html>' }));
    expect(failureOf(result).hint).toContain('a web page came in its place');
  });

  test('a full page without a link is followed by what comes after its last name, sorted or not', async () => {
    const shuffled = ALL.toReversed();
    for (const order of [ALL, shuffled]) {
      const { result, log } = await listOf((query) => {
        const from = query.has('last') ? order.indexOf(query.get('last') ?? '') + 1 : 0;
        return { tags: order.slice(from, from + Number(query.get('n'))) };
      });
      expect(must(result)).toEqual(ALL);
      expect(log).toHaveLength(3);
    }
  });

  test('a full page that ends in what is no name goes on after the last one', async () => {
    const order = [...ALL.slice(0, 999), '\ud800', ...ALL.slice(999)];
    const { result } = await listOf((query) => {
      const from = query.has('last') ? order.indexOf(query.get('last') ?? '') + 1 : 0;
      return { tags: order.slice(from, from + Number(query.get('n'))) };
    });
    expect(must(result)).toEqual(ALL);
  });

  test('all in one page, from a registry that does not know pages', async () => {
    const tags = Array.from({ length: 100_000 }, (_, index) => String(index).padStart(40, '0'));
    const { result, log } = await listOf(() => ({ tags }));
    expect(must(result)).toEqual(tags);
    // A full page may go on.
    expect(log).toHaveLength(2);
  });

  test('more tags than anybody has are a list that does not end', async () => {
    const tags = Array.from({ length: 500_001 }, (_, index) => index.toString(36));
    const { result } = await listOf(() => ({ tags }));
    expect(failureOf(result).message).toContain('sent a list that does not end');
  });

  test('a registry that does not know "last" is asked once more, and not for ever', async () => {
    const { result, log } = await listOf(() => ({ tags: ALL.slice(0, 1000) }));
    expect(must(result)).toHaveLength(1000);
    expect(log).toHaveLength(2);
  });

  test('one that refuses the size of a page is asked without it', async () => {
    const { result, log } = await listOf((query) =>
      query.has('n') ? { kind: 'answer', status: 400, body: '{"errors":[{"code":"UNSUPPORTED"}]}' } : { tags: ['1'] },
    );
    expect(must(result)).toEqual(['1']);
    expect(log).toEqual(['/v2/a/b/tags/list?n=1000', '/v2/a/b/tags/list']);
  });
});
