import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sha256 } from '../oci/digest.ts';
import type { Digest } from '../reference.ts';
import { openUploadFiles } from './upload-files.ts';

const REPOSITORY = { registry: 'registry.example', path: 'a/b' };
const BLOB = { mediaType: 'a/b', digest: sha256('x') as Digest, size: 1 };
const MARK = 'a'.repeat(64);
const URL = 'https://registry.example/v2/a/b/blobs/uploads/1?_state=canary';

async function fresh(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'uploads');
}

/** As if the process that wrote it were gone. */
async function orphan(folder: string): Promise<string> {
  const [name = ''] = await readdir(folder);
  const file = join(folder, name);
  const child = spawn('true');
  await new Promise((resolve) => child.once('close', resolve));
  const record = JSON.parse(await readFile(file, 'utf8')) as { owner: { pid: number } };
  record.owner.pid = child.pid ?? 0;
  await writeFile(file, JSON.stringify(record));
  return file;
}

test('what a run has left is found once, by the same blob of the same repository only', async () => {
  const folder = await fresh();
  await openUploadFiles(folder, MARK).put(REPOSITORY, BLOB, URL);
  await orphan(folder);
  const next = openUploadFiles(folder, MARK);
  expect(await next.take({ ...REPOSITORY, path: 'a/c' }, BLOB)).toBeUndefined();
  expect(await next.take(REPOSITORY, { ...BLOB, size: 2 })).toBeUndefined();
  const both = await Promise.all([next.take(REPOSITORY, BLOB), openUploadFiles(folder, MARK).take(REPOSITORY, BLOB)]);
  expect(both.filter((each) => each !== undefined)).toEqual([URL]);
  expect(await readdir(folder)).toEqual([]);
});

test('an upload of a run that is still there is its own', async () => {
  const folder = await fresh();
  await openUploadFiles(folder, MARK).put(REPOSITORY, BLOB, URL);
  expect(await openUploadFiles(folder, MARK).take(REPOSITORY, BLOB)).toBeUndefined();
  await openUploadFiles(folder, MARK).remove(REPOSITORY, BLOB);
  expect(await readdir(folder)).toEqual([]);
});

test('an upload of another container is not removed, though its process has the same pid', async () => {
  const folder = await fresh();
  const records = openUploadFiles(folder, MARK);
  await records.put(REPOSITORY, BLOB, URL);
  const [name = ''] = await readdir(folder);
  const record = JSON.parse(await readFile(join(folder, name), 'utf8')) as { owner: { namespace: string } };
  record.owner.namespace = 'pid:[1]';
  await writeFile(join(folder, name), JSON.stringify(record));
  await records.remove(REPOSITORY, BLOB);
  expect(await readdir(folder)).toEqual([name]);
});

test('one that came with a checkout has no bytes sent anywhere', async () => {
  const folder = await fresh();
  await openUploadFiles(folder, 'b'.repeat(64)).put(REPOSITORY, BLOB, URL);
  const file = await orphan(folder);
  expect(await openUploadFiles(folder, MARK).take(REPOSITORY, BLOB)).toBeUndefined();
  // Nor what was altered since.
  await openUploadFiles(folder, MARK).put(REPOSITORY, BLOB, URL);
  await orphan(folder);
  const record = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...record, url: 'https://attacker.example/upload' }));
  expect(await openUploadFiles(folder, MARK).take(REPOSITORY, BLOB)).toBeUndefined();
  await writeFile(file, JSON.stringify(record));
  expect(await openUploadFiles(folder, undefined).take(REPOSITORY, BLOB)).toBeUndefined();
  expect(await openUploadFiles(folder, MARK).take(REPOSITORY, BLOB)).toBe(URL);
});

test('nobody else can read it', async () => {
  const folder = await fresh();
  await openUploadFiles(folder, MARK).put(REPOSITORY, BLOB, URL);
  const [name = ''] = await readdir(folder);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
});

test('after a day it is gone, and so is what is no record', async () => {
  const folder = await fresh();
  const records = openUploadFiles(folder, MARK);
  await records.put(REPOSITORY, BLOB, URL);
  const file = await orphan(folder);
  const yesterday = Date.now() / 1000 - 25 * 3600;
  await utimes(file, yesterday, yesterday);
  expect(await records.take(REPOSITORY, BLOB)).toBeUndefined();
  expect(await readdir(folder)).toEqual([]);
  await records.put(REPOSITORY, BLOB, URL);
  await writeFile(file, '{"url":');
  expect(await openUploadFiles(folder, MARK).take(REPOSITORY, BLOB)).toBeUndefined();
});

test('where nothing can be written, nothing is remembered', async () => {
  const folder = await fresh();
  await writeFile(folder, 'a file');
  const records = openUploadFiles(folder, MARK);
  await records.put(REPOSITORY, BLOB, URL);
  expect(await records.take(REPOSITORY, BLOB)).toBeUndefined();
  await records.remove(REPOSITORY, BLOB);
});
