import { describe, expect, test } from 'vitest';
import { seedImage } from '../testing/sample-images.ts';
import { startScriptedRegistry, type Action } from '../testing/scripted-registry.ts';
import { isLoopback } from './address.ts';
import { client, failureOf, logins, must, reference, repository } from './test-client.ts';

const ANN = { kind: 'password', username: 'ann', secret: 'canary-secret' } as const;

function redirect(location: string): Action {
  return { kind: 'answer', status: 307, headers: { location } };
}

describe('redirects', () => {
  test('are followed to another host, which sees no credentials', async () => {
    await using storage = await startScriptedRegistry();
    await using server = await startScriptedRegistry({ basic: { username: 'ann', password: ANN.secret } });
    const digest = storage.putBlob('kept', 'the bytes');
    server.onRequest = ({ path, headers }) =>
      path.includes('/blobs/') && headers.authorization !== undefined
        ? redirect(`http://${storage.host}/v2/kept/blobs/${digest}?signed=1`)
        : undefined;
    await using registry = client({ credentials: logins({ [server.host]: ANN }) });
    const bytes = must(
      await registry.readBlob(repository(server.host, 'a'), { mediaType: 'a/b', digest, size: 9 }, 'source'),
    );
    expect(Buffer.from(bytes).toString()).toBe('the bytes');
    expect(server.log.at(-1)?.headers.authorization).toBeDefined();
    expect(storage.log.map(({ url }) => url)).toEqual([`/v2/kept/blobs/${digest}?signed=1`]);
    expect(storage.log[0]?.headers.authorization).toBeUndefined();
    expect(registry.requests.get(storage.host)).toBe(1);
  });

  test('within a host keep them', async () => {
    await using server = await startScriptedRegistry({ basic: { username: 'ann', password: ANN.secret } });
    seedImage(server, 'a', 'one', { tag: '1' });
    server.onRequest = ({ path, headers }) =>
      path.endsWith('/old') && headers.authorization !== undefined ? redirect('/v2/a/manifests/1') : undefined;
    await using registry = client({ credentials: logins({ [server.host]: ANN }) });
    expect(must(await registry.head(reference(`${server.host}/a:old`), 'source'))).toBeDefined();
  });

  test.each([
    ['in a circle', '/v2/a/manifests/1', 'after 5 other redirects', 6],
    ['to a host that is not to be spoken to by plain HTTP', 'http://192.0.2.1/x', 'not HTTPS', 1],
    ['to something else', 'file:///etc/passwd', 'not HTTPS', 1],
  ])('%s are refused', async (_, location, why, requests) => {
    await using server = await startScriptedRegistry({ onRequest: () => redirect(location) });
    await using registry = client();
    const failure = failureOf(await registry.head(reference(`${server.host}/a:1`), 'source'));
    expect(failure).toMatchObject({ class: 'permanent' });
    expect(failure.message).toContain(why);
    expect(server.log).toHaveLength(requests);
  });
});

test('what is loopback is never asked through a proxy', async () => {
  expect(['127.0.0.1', '127.1.2.3', 'localhost', 'a.localhost', '[::1]'].every(isLoopback)).toBe(true);
  expect(['127.0.0.1.example', 'localhost.example', '10.0.0.1', '1127.0.0.1'].some(isLoopback)).toBe(false);
});

test('other hosts are asked through the proxy of the environment', async () => {
  await using proxy = await startScriptedRegistry({ onRequest: () => ({ kind: 'answer', status: 404 }) });
  const before = process.env['HTTP_PROXY'];
  process.env['HTTP_PROXY'] = `http://${proxy.host}`;
  try {
    await using registry = client({ plainHttp: () => true });
    expect(must(await registry.head(reference('registry.slipway.example/a:1'), 'destination'))).toBeUndefined();
    expect(proxy.log[0]?.url).toBe('http://registry.slipway.example/v2/a/manifests/1');
    await using server = await startScriptedRegistry();
    must(await registry.head(reference(`${server.host}/a:1`), 'destination'));
    expect(proxy.log).toHaveLength(1);
  } finally {
    if (before === undefined) delete process.env['HTTP_PROXY'];
    else process.env['HTTP_PROXY'] = before;
  }
});
