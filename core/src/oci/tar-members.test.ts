/** Archives that skopeo and other readers take for another image than the one that the rest of their bytes says are refused. */
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configFailure, fail } from '../failure.ts';
import { filesInArchive } from './archive-files.ts';

const BLOCK = 512;
const END = Buffer.alloc(2 * BLOCK);

interface Made {
  readonly flag?: string;
  readonly content?: Uint8Array | string;
  readonly target?: string;
  readonly size?: string;
}

function member(path: string, { flag = '0', content = '', target = '', size }: Made = {}): Buffer {
  const bytes = Buffer.from(content as string);
  const block = Buffer.alloc(BLOCK);
  block.write(path, 0, 100);
  block.write(size ?? `${bytes.length.toString(8).padStart(11, '0')}\0`, 124, 12, 'latin1');
  block.write(' '.repeat(8), 148);
  block.write(flag, 156);
  block.write(target, 157, 100);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([block, bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

function records(...texts: readonly string[]): Buffer {
  const lines = texts.map((text) => {
    const rest = ` ${text}\n`;
    const length = [1, 2, 3].find((digits) => String(rest.length + digits).length === digits) ?? 0;
    return `${rest.length + length}${rest}`;
  });
  return member('PaxHeader', { flag: 'x', content: lines.join('') });
}

const long = (path: string): Buffer => member('././@LongLink', { flag: 'L', content: `${path}\0` });

async function read(...members: readonly Uint8Array[]): Promise<string | undefined> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'slipway-tar-'));
  const file = join(folder.path, 'a.tar');
  await writeFile(file, Buffer.concat([...members, END]));
  const files = await filesInArchive(file, (problem) => fail(configFailure(problem)));
  if (!files.ok) return files.failure.message;
  const found = await files.value?.read('index.json', 1000);
  return found?.ok === true && found.value !== undefined ? `= ${Buffer.from(found.value).toString()}` : undefined;
}

const OURS = member('index.json', { content: 'ours' });
const THEIRS = { content: 'theirs' };
const HIDDEN = member('index.json', THEIRS);
const GLOBAL = member('pax_global_header', { flag: 'g', content: '12 comment=\n' });

describe('an archive that others read in another way is refused:', () => {
  test.each<[string, readonly Uint8Array[]]>([
    ['content of a link, which some skip', [member('a', { flag: '2', target: 'b', content: HIDDEN }), OURS]],
    ['content of a hard link', [OURS, member('a', { flag: '1', target: 'b', content: HIDDEN })]],
    ['content of a folder', [OURS, member('a/', { flag: '5', content: HIDDEN })]],
    ['content of a folder of old', [OURS, member('a/', { flag: '\0', content: HIDDEN })]],
    ['a symbolic link over a file', [OURS, member('index.json', { flag: '2', target: 'other' })]],
    ['a hard link over a file', [member('index.json', { flag: '1', target: 'other' }), OURS]],
    ['a folder over a file', [OURS, member('index.json/', { flag: '5' })]],
    ['a file through a link', [OURS, member('a', { flag: '2', target: '.' }), member('a/index.json', THEIRS)]],
    ['a file through a link that comes later', [member('a/b/c'), member('a', { flag: '2', target: '.' }), OURS]],
    ['a name that leads up', [OURS, member('a/../index.json', THEIRS)]],
    ['a name from the root', [OURS, member('/index.json', THEIRS)]],
    ['a name with an empty part', [member('a//b'), member('a/./b'), OURS]],
    ['a contiguous file', [OURS, member('index.json', { flag: '7', ...THEIRS })]],
    ['a type of somebody', [OURS, member('index.json', { flag: 'Z', ...THEIRS })]],
    ['holes of GNU', [OURS, member('index.json', { flag: 'S', ...THEIRS })]],
    ['holes of POSIX', [OURS, records('GNU.sparse.name=index.json'), member('a', THEIRS)]],
    ['two long names', [long('index.json'), long('a'), member('b', THEIRS)]],
    ['names of GNU and of POSIX', [long('index.json'), records('path=a'), member('b', THEIRS)]],
    ['names of POSIX and of GNU', [records('path=a'), long('index.json'), member('b', THEIRS)]],
    ['records twice', [records('path=index.json'), records('comment=a'), member('b', THEIRS)]],
    ['records of all members between', [records('path=a'), GLOBAL, member('index.json', THEIRS)]],
    ['a name for all members', [member('g', { flag: 'g', content: '10 path=a\n' }), OURS]],
    ['an empty name', [records('path='), member('index.json', THEIRS)]],
    ['a name with an end in it', [records('path=index.json\0a'), member('b', THEIRS)]],
    ['a size that is no number', [records('size=0x10'), OURS]],
    ['records that are longer than said', [member('x', { flag: 'x', content: '99 path=index.json\n' }), OURS]],
    ['records that are shorter than said', [member('x', { flag: 'x', content: '9 path=index.json\n' }), OURS]],
    ['more after an empty block', [OURS, Buffer.alloc(BLOCK), HIDDEN]],
  ])('%s', async (_, members) => {
    expect(await read(...members)).toMatch(/in another way|twice|goes on after its end/);
  });

  test('a size below zero, or larger than any', async () => {
    for (const size of ['\xff'.repeat(12), '\x81'.padEnd(12, '\0')])
      expect(await read(member('a', { size }), OURS)).toMatch(/is not a TAR archive/);
  });
});

test('what tools write is read: long names of both kinds, folders, links beside the files, other records', async () => {
  const target = member('././@LongLink', { flag: 'K', content: 'b\0' });
  expect(await read(records('path=./index.json', 'mtime=1.5'), member('cut', { content: 'a' }))).toBe('= a');
  expect(await read(long('index.json'), member('cut', { content: 'b' }))).toBe('= b');
  expect(await read(target, long('index.json'), member('cut', { content: 'c' }))).toBe('= c');
  expect(await read(long('index.json'), target, member('cut', { content: 'd' }))).toBe('= d');
  expect(await read(records('size=1'), member('index.json', { content: 'e' }))).toBe('= e');
  const folders = ['./', './blobs/', './blobs/sha256/', 'blobs'].map((name) => member(name, { flag: '5' }));
  const link = member('abc/layer.tar', { flag: '2', target: '../blobs/sha256/a' });
  expect(await read(GLOBAL, ...folders, link, member('blobs/sha256/a'), OURS)).toBe('= ours');
});
