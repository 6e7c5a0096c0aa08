import { describe, expect, test } from 'vitest';
import { seedImage } from '../testing/sample-images.ts';
import { startScriptedRegistry } from '../testing/scripted-registry.ts';
import { client, failureOf, logins, must, repository } from './test-client.ts';
import { expectClear } from './traps/pair.ts';

function answering(body: string, headers: Readonly<Record<string, string>> = {}, status = 200) {
  return startScriptedRegistry({ onRequest: () => ({ kind: 'answer', status, headers, body }) });
}

describe('an address', () => {
  test('is asked without a login, even where there is one for its host', async () => {
    await using server = await answering('{"a":1}');
    const login = { kind: 'password', username: 'u', secret: 'p' } as const;
    await using registry = client({ credentials: logins({ [server.host]: login }) });
    expect(must(await registry.fetchJson({ url: `http://${server.host}/api/x?y=1` }))).toEqual({ data: { a: 1 } });
    expect(server.log.map(({ url, headers }) => [url, headers.authorization, headers.accept])).toEqual([
      ['/api/x?y=1', undefined, 'application/json'],
    ]);
  });

  test.each(['http://example.com/x', 'ftp://example.com/x', 'https://u:p@example.com/x', 'nowhere'])(
    '%s is not asked at all',
    async (url) => {
      await using registry = client();
      const failure = failureOf(await registry.fetchJson({ url }));
      expect(failure.message).toContain('no address that may be asked');
      expect([...registry.requests.keys()]).toEqual([]);
    },
  );

  test('that answers with something else is a failure, and is asked once', async () => {
    const wrong = ['<html>', '{"a":', '\u0000'].map((body) => [body, 200] as const);
    for (const [body, status] of [...wrong, ['{}', 429] as const, ['{}', 503] as const, ['{}', 404] as const]) {
      await using server = await answering(body, {}, status);
      await using registry = client();
      expectClear(failureOf(await registry.fetchJson({ url: `http://${server.host}/x` })));
      expect(server.log).toHaveLength(1);
    }
  });

  test('that sends more than 8 MiB is a failure', async () => {
    await using server = await answering(JSON.stringify('x'.repeat(8 * 1024 * 1024)));
    await using registry = client();
    expect(failureOf(await registry.fetchJson({ url: `http://${server.host}/x` })).message).toContain('sent more than');
  });

  test('goes on where it says, at the same host only', async () => {
    await using here = await answering('[]', { link: '</y?page=2>; rel="next"' });
    await using away = await answering('[]', { link: '<https://elsewhere.example/y>; rel="next"' });
    await using registry = client();
    const next = async (host: string) => must(await registry.fetchJson({ url: `http://${host}/x` })).next;
    expect(await next(here.host)).toBe(`http://${here.host}/y?page=2`);
    expect(await next(away.host)).toBeUndefined();
  });
});

test('a path below a registry is asked with the token that its repository needs', async () => {
  await using server = await startScriptedRegistry({ tokens: {} });
  await using registry = client();
  seedImage(server, 'a/b', 'one', { tag: '1' });
  const asked = { repository: repository(server.host, 'a/b'), path: '/v2/a/b/tags/list' };
  expect(must(await registry.fetchJson(asked)).data).toMatchObject({ name: 'a/b' });
  expect(server.log.at(-1)?.headers.authorization).toMatch(/^Bearer /);
});

test.each(['//HOST/v2/x', 'http://HOST/v2/x', '\\\\HOST/x'])('%s is no path below a registry', async (path) => {
  await using server = await startScriptedRegistry();
  await using away = await answering('{}');
  await using registry = client();
  const asked = { repository: repository(server.host, 'a/b'), path: path.replace('HOST', away.host) };
  expect(failureOf(await registry.fetchJson(asked)).message).toContain('no address that may be asked');
  expect([server.log, away.log]).toEqual([[], []]);
});
