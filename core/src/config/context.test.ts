import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readContext } from './context.ts';

const SHA = 'a'.repeat(40);
const OTHER = 'b'.repeat(40);
const date = new Date('2026-11-23T23:59:59Z');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-context-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, string>>) {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

const read = (cwd = folder, env: Record<string, string> = {}) => readContext({ cwd, env, date });

test('a branch, from a folder inside the checkout', async () => {
  await write({
    '.git/HEAD': 'ref: refs/heads/feature/x\n',
    '.git/refs/heads/feature/x': `${SHA}\n`,
    'images/a/f': '',
  });
  expect(await read(join(folder, 'images/a'))).toEqual({ branch: 'feature/x', sha: SHA, date: '2026-11-23' });
});

test('packed branches, and loose ones before them', async () => {
  const packed = `# pack-refs with: peeled\n${OTHER} refs/heads/not-main\n${SHA} refs/heads/main\n^${OTHER}\n`;
  await write({ '.git/HEAD': 'ref: refs/heads/main\n', '.git/packed-refs': packed });
  expect(await read()).toMatchObject({ branch: 'main', sha: SHA });
  await write({ '.git/refs/heads/main': `${OTHER}\n` });
  expect(await read()).toMatchObject({ branch: 'main', sha: OTHER });
});

test('a worktree has its own HEAD and shares the branches', async () => {
  await write({
    'tree/.git': 'gitdir: ../main/.git/worktrees/tree\n',
    'main/.git/HEAD': 'ref: refs/heads/main\n',
    'main/.git/worktrees/tree/HEAD': 'ref: refs/heads/topic\n',
    'main/.git/worktrees/tree/commondir': '../..\n',
    'main/.git/refs/heads/topic': `${SHA}\n`,
  });
  expect(await read(join(folder, 'tree'))).toMatchObject({ branch: 'topic', sha: SHA });
});

test('detached, unborn, broken, and no git', async () => {
  await write({ '.git/HEAD': `${SHA}\n` });
  expect(await read()).toEqual({ sha: SHA, date: '2026-11-23' });
  await write({ '.git/HEAD': 'ref: refs/heads/main\n' });
  expect(await read()).toEqual({ branch: 'main', date: '2026-11-23' });
  await write({ '.git/HEAD': 'ref: refs/heads/../../../secret\n', secret: SHA });
  expect((await read()).sha).toBeUndefined();
  await write({ '.git/HEAD': 'ref: refs/heads/loop\n', '.git/refs/heads/loop': 'ref: refs/heads/loop\n' });
  expect((await read()).sha).toBeUndefined();
  expect(await read('/')).toEqual({ date: '2026-11-23' });
});

test('GITHUB_REF and GITHUB_SHA go first; a pull request and a tag are no branch', async () => {
  await write({ '.git/HEAD': 'ref: refs/heads/main\n', '.git/refs/heads/main': `${SHA}\n` });
  expect(await read(folder, { GITHUB_REF: 'refs/heads/dev', GITHUB_SHA: OTHER })).toMatchObject({
    branch: 'dev',
    sha: OTHER,
  });
  expect(await read(folder, { GITHUB_REF: 'refs/pull/7/merge' })).toEqual({ sha: SHA, date: '2026-11-23' });
  expect(await read(folder, { GITHUB_REF: 'refs/tags/v1', GITHUB_SHA: '--help' })).toEqual({
    sha: SHA,
    date: '2026-11-23',
  });
});
