import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fileState, folderFiles } from './files.ts';

let top: string;
let root: string;

beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'slipway-files-'));
  root = join(top, 'root');
  await mkdir(join(root, 'a/.git'), { recursive: true });
  await mkdir(join(root, 'a/b'), { recursive: true });
  await writeFile(join(top, 'secret'), 'secret');
  await writeFile(join(root, 'a/z.txt'), 'z');
  await writeFile(join(root, 'a/b/c.txt'), 'ü');
  await writeFile(join(root, 'a/.git/config'), 'git');
  await symlink('z.txt', join(root, 'a/link'));
  await symlink('../../secret', join(root, 'a/escape'));
  await symlink('..', join(root, 'a/loop'));
  await symlink('gone', join(root, 'a/dangling'));
});

afterEach(() => rm(top, { recursive: true, force: true }));

it('reads text inside the root, also through links that stay there', async () => {
  const files = folderFiles(root);
  expect(await files.read('a/b/c.txt')).toEqual({ ok: true, value: 'ü' });
  expect(await files.read('./a/../a/link')).toEqual({ ok: true, value: 'z' });
});

it.each(['../secret', 'a/../../secret', '/etc/passwd', 'a/escape', 'a/z.txt\0', 'gone', 'a', ''])(
  'refuses to read %j',
  async (path) => {
    const result = await folderFiles(root).read(path);
    expect(result).toMatchObject({ ok: false, failure: { reason: 'config' } });
    expect(JSON.stringify(result)).not.toContain(top);
  },
);

it('refuses what is too large, no text, or never ends', async () => {
  await writeFile(join(root, 'large'), Buffer.alloc(8 * 1024 * 1024 + 1));
  await writeFile(join(root, 'binary'), Buffer.from([0xff, 0xfe, 0xfd]));
  execFileSync('mkfifo', [join(root, 'pipe')]);
  const messages = await Promise.all(['large', 'binary', 'pipe'].map((path) => folderFiles(root).read(path)));
  expect(messages.map((result) => !result.ok && result.failure.message)).toEqual([
    '"large" is larger than 8 MiB',
    '"binary" cannot be read: it is not UTF-8 text',
    '"pipe" is not a file',
  ]);
});

it('lists files below a folder, sorted, without .git, and without following links to folders', async () => {
  const files = folderFiles(root);
  const expected = ['a/b/c.txt', 'a/link', 'a/z.txt'];
  expect(await files.list('a')).toEqual({ ok: true, value: expected });
  expect(await files.list('./a/')).toEqual({ ok: true, value: expected });
  expect(await files.list('.')).toEqual({ ok: true, value: expected });
  expect(await files.list('..')).toMatchObject({ ok: false });
  expect(await files.list('a/z.txt')).toMatchObject({ ok: false });
});

it('does not look into folders that are to be skipped', async () => {
  const listed = await folderFiles(root).list('.', { skip: (folder) => folder === 'a' });
  expect(listed.ok && listed.value.filter((path) => path.startsWith('a/'))).toEqual([]);
});

it('lists links that lead to no file as well where that is asked for', async () => {
  const listed = await folderFiles(root).list('a', { links: true });
  expect(listed).toEqual({ ok: true, value: ['a/b/c.txt', 'a/dangling', 'a/escape', 'a/link', 'a/loop', 'a/z.txt'] });
});

it('tells of a file its bytes, whether its owner may execute it, and of a link where it leads', async () => {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const state = async (path: string) => {
    const found = await fileState(root, path);
    return found.ok ? found.value : found.failure.message;
  };
  expect(await state('a/z.txt')).toEqual({ sha256: sha256('z'), executable: false });
  await chmod(join(root, 'a/z.txt'), 0o744);
  expect(await state('a/z.txt')).toEqual({ sha256: sha256('z'), executable: true });
  await chmod(join(root, 'a/z.txt'), 0o655);
  expect(await state('a/z.txt')).toMatchObject({ executable: false });
  expect(await state('a/link')).toEqual({ sha256: sha256('z'), executable: false, link: 'z.txt' });
  // Nothing outside is read for it.
  for (const [path, link] of [
    ['a/escape', '../../secret'],
    ['a/dangling', 'gone'],
    ['a/loop', '..'],
  ] as const) {
    expect(await state(path)).toEqual({ sha256: sha256(''), executable: false, link });
  }
  expect(await state('../link')).toContain('outside');
});

it.each(['.git', '.slipway'])('gives nothing of %s, by its name or by a link', async (name) => {
  await mkdir(join(root, 'a', name), { recursive: true });
  await writeFile(join(root, 'a', name, 'config'), 'login');
  await symlink(name, join(root, 'a/own'));
  const files = folderFiles(root);
  const message = expect.stringContaining(`is in ${name}, which no build may read`);
  for (const folder of [`a/${name}`, 'a/own'])
    for (const answer of [await files.list(folder), await files.read(`${folder}/config`)])
      expect(answer).toMatchObject({ ok: false, failure: { message } });
});
