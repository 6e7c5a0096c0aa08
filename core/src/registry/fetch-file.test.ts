/** Package indexes: of a file that may be large only the hash is kept, and one that is as it was is not sent again. */
import { describe, expect, test } from 'vitest';
import { sha256 } from '../oci/digest.ts';
import { startScriptedRegistry } from '../testing/scripted-registry.ts';
import { createFileFetcher } from './fetch-file.ts';

function fetcher() {
  const made = createFileFetcher({ userAgent: 'slipway/test', signal: new AbortController().signal });
  return { fetch: made.fetch, [Symbol.asyncDispose]: () => made.close() };
}

function answering(status: number, body: string, headers: Readonly<Record<string, string>> = {}) {
  return startScriptedRegistry({ onRequest: () => ({ kind: 'answer', status, headers, body }) });
}

describe('a file from the web', () => {
  test('is known by its hash, and by its tag from then on', async () => {
    await using server = await answering(200, 'an index', { etag: '"1"' });
    await using files = fetcher();
    const sum = sha256(new TextEncoder().encode('an index')).slice('sha256:'.length);
    const found = await files.fetch(`http://${server.host}/APKINDEX`, undefined);
    expect(found).toEqual({ ok: true, value: { kind: 'new', sha256: sum, etag: '"1"' } });
    expect(server.log.map(({ headers }) => headers['if-none-match'])).toEqual([undefined]);
  });

  test('that is as it was is not sent again', async () => {
    await using server = await answering(304, '');
    await using files = fetcher();
    const again = await files.fetch(`http://${server.host}/APKINDEX`, '"1"');
    expect(again).toEqual({ ok: true, value: { kind: 'same' } });
    expect(server.log.map(({ headers }) => headers['if-none-match'])).toEqual(['"1"']);
  });

  test('cannot be as it was for who has never seen it', async () => {
    await using server = await answering(304, '');
    await using files = fetcher();
    const found = await files.fetch(`http://${server.host}/APKINDEX`, undefined);
    expect(found).toMatchObject({ ok: false, failure: { class: 'permanent', status: 304 } });
  });

  test('whose address holds a password is not asked for, and the password is not told', async () => {
    await using server = await answering(200, 'an index');
    await using files = fetcher();
    const found = await files.fetch(`http://me:hush@${server.host}/APKINDEX`, undefined);
    expect(found).toMatchObject({ ok: false, failure: { class: 'permanent', host: server.host } });
    expect(JSON.stringify(found)).not.toContain('hush');
    expect(server.log).toHaveLength(0);
  });
});
