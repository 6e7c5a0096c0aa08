import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createWorkFolders, makeHome, makeNoCredentials } from './work-folders.ts';

function root(): string {
  return mkdtempSync(join(tmpdir(), 'slipway-work-'));
}

it('gives no two tasks one folder, and one that was left as it was to the next', async () => {
  const folders = createWorkFolders(root());
  const [first, second] = [folders.take(), folders.take()];
  expect(first).not.toBe(second);
  makeHome(first);
  const docker = makeNoCredentials(first);
  expect(makeNoCredentials(first)).toBe(docker);
  expect(JSON.parse(readFileSync(join(docker, 'config.json'), 'utf8'))).toEqual({ auths: {} });
  await folders.giveBack(first);
  expect(folders.take()).toBe(first);
});

it.each<[string, (folder: string) => void]>([
  ['a file of the task', (folder) => writeFileSync(join(folder, 'layout'), '')],
  ['a file in its home', (folder) => writeFileSync(join(folder, 'home/.netrc'), 'secret')],
  ['a login', (folder) => writeFileSync(join(folder, 'docker/config.json'), '{"auths":1}')],
  ['more of a login', (folder) => writeFileSync(join(folder, 'docker/config.json'), '{"auths":{}} ')],
  ['state of a tool beside the login', (folder) => writeFileSync(join(folder, 'docker/buildx'), '')],
  ['a link in place of its home', (folder) => replaceByLink(join(folder, 'home'))],
  ['a link in place of the login', (folder) => replaceByLink(join(folder, 'docker'))],
])('removes a folder with %s, and gives it to nobody', async (_, change) => {
  const at = root();
  const folders = createWorkFolders(at);
  const folder = folders.take();
  makeHome(folder);
  makeNoCredentials(folder);
  change(folder);
  await folders.giveBack(folder);
  expect(existsSync(folder)).toBe(false);
  const next = folders.take();
  expect(next).not.toBe(folder);
  expect(readdirSync(next)).toEqual([]);
  expect(readdirSync(at)).toHaveLength(1);
});

it('takes a folder for changed when it cannot look', async () => {
  const folders = createWorkFolders(root());
  const folder = folders.take();
  rmSync(folder, { recursive: true });
  await folders.giveBack(folder);
  expect(folders.take()).not.toBe(folder);
});

it('is readable by its owner alone', () => {
  const folder = createWorkFolders(root()).take();
  const made = [folder, makeHome(folder), makeNoCredentials(folder), join(folder, 'docker/config.json')];
  expect(made.map((path) => statSync(path).mode & 0o077)).toEqual([0, 0, 0, 0]);
});

function replaceByLink(path: string): void {
  rmSync(path, { recursive: true });
  symlinkSync('/', path);
}
