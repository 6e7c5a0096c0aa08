/** What is kept of package indexes is part of a build's key: it is asked for conditionally, and believed only if this user's run kept it. */
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ok } from '../failure.ts';
import { packageIndexes, type FetchFile } from './package-indexes.ts';

const URL = 'https://dl.slipway.example/x86_64/APKINDEX.tar.gz';
const MARK = 'a'.repeat(64);
const [TRUE, PLANTED] = ['1'.repeat(64), '2'.repeat(64)];

/** A server whose index is the same as whatever has an ETag. */
function server() {
  const asked: (string | undefined)[] = [];
  const fetch: FetchFile = async (_, etag) => {
    asked.push(etag);
    return ok(etag === undefined ? { kind: 'new', sha256: TRUE, etag: '"1"' } : { kind: 'same' });
  };
  return { asked, fetch };
}

const folderOf = () => mkdtempDisposable(join(tmpdir(), 'slipway-indexes-'));

describe('a package index', () => {
  test('is asked for whole once, and by its ETag in later runs', async () => {
    await using folder = await folderOf();
    const { asked, fetch } = server();
    for (let run = 0; run < 3; run += 1) {
      const indexes = await packageIndexes(folder.path, MARK, fetch);
      expect(await Promise.all([indexes.digest(URL), indexes.digest(URL)])).toEqual([ok(TRUE), ok(TRUE)]);
    }
    expect(asked).toEqual([undefined, '"1"', '"1"']);
    expect((await readFile(join(folder.path, 'indexes.ndjson'), 'utf8')).split('\n')).toHaveLength(3);
  });

  test('that came with a checkout, or was kept by somebody else, is asked for whole', async () => {
    await using folder = await folderOf();
    const file = join(folder.path, 'indexes.ndjson');
    const planted = `${JSON.stringify({ key: URL, index: `${PLANTED} "1"` })}\n`;
    const kept = await packageIndexes(folder.path, 'b'.repeat(64), server().fetch);
    await kept.digest(URL);
    const foreign = (await readFile(file, 'utf8')) + planted;
    const old = JSON.stringify({ [URL]: { etag: '"1"', sha256: PLANTED } });
    for (const [name, text, mark] of [
      ['indexes.ndjson', foreign, MARK],
      ['indexes.ndjson', planted, MARK],
      ['indexes.ndjson', foreign, undefined],
      ['indexes.json', old, MARK],
    ] as const) {
      await using checkout = await folderOf();
      await writeFile(join(checkout.path, name), text, { mode: 0o600 });
      const { asked, fetch } = server();
      const indexes = await packageIndexes(checkout.path, mark, fetch);
      expect(await indexes.digest(URL), text).toEqual(ok(TRUE));
      expect(asked).toEqual([undefined]);
    }
  });
});
