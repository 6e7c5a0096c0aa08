import { appendFile, chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Digest } from '../reference.ts';
import { factFrom, type Fact } from './facts.ts';
import { openMemory } from './memory.ts';
import { predicateType } from './model.ts';
import { makeStatement } from './statement.ts';

const subject = `sha256:${'ff'.repeat(32)}` as Digest;

function factNumber(number: number): Fact {
  const referrer = `sha256:${String(number).padStart(64, '0')}` as Digest;
  const statement = makeStatement({ digest: subject }, predicateType.signature, {});
  const made = factFrom({ statement, referrer, signer: 'me', subject });
  if (made === undefined) throw new Error('no fact');
  return made;
}

const MARK = 'a'.repeat(64);

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-memory-'));
  file = join(folder, 'verified.ndjson');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the memory', () => {
  const [one, two] = [factNumber(1), factNumber(2)];

  test('outlives the process, for one list of accepted signers, and in a private file', async () => {
    const memory = await openMemory(folder, MARK);
    await memory.put(one.referrer, 'accept', one);
    await memory.put(two.referrer, 'accept', null);
    const later = await openMemory(folder, MARK);
    for (const some of [memory, later]) {
      expect(some.get(one.referrer, 'accept')).toEqual(one);
      expect(some.get(two.referrer, 'accept')).toBeNull();
      expect(some.get(one.referrer, 'other')).toBeUndefined();
    }
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('the last line about a referrer counts', async () => {
    const memory = await openMemory(folder, MARK);
    await memory.put(one.referrer, 'accept', null);
    await memory.put(one.referrer, 'accept', one);
    expect((await openMemory(folder, MARK)).get(one.referrer, 'accept')).toEqual(one);
  });

  test('skips torn and hostile lines and keeps the others', async () => {
    const memory = await openMemory(folder, MARK);
    await memory.put(one.referrer, 'accept', one);
    const [, line = ''] = (await readFile(file, 'utf8')).split('\n');
    const { key } = JSON.parse(line) as { key: string };
    const hostile = [
      '{"key":"torn',
      'null',
      '[]',
      '{"key":1,"fact":2}',
      `{"key":"${key.replace(/^./, 'x')}","fact":"AAAA"}`,
      '['.repeat(100_000),
    ];
    await appendFile(file, `${hostile.join('\n')}\n`);
    await memory.put(two.referrer, 'accept', two);
    const later = await openMemory(folder, MARK);
    expect(later.get(one.referrer, 'accept')).toEqual(one);
    expect(later.get(two.referrer, 'accept')).toEqual(two);
  });

  test('does not believe a fact that stands under another referrer, or that is no fact', async () => {
    const memory = await openMemory(folder, MARK);
    await memory.put(one.referrer, 'accept', two);
    expect(memory.get(one.referrer, 'accept')).toBeUndefined();
    const [first = '', line = ''] = (await readFile(file, 'utf8')).split('\n');
    const { key } = JSON.parse(line) as { key: string };
    for (const packed of ['AAAA', 'e30=', '!']) {
      await writeFile(file, `${first}\n${JSON.stringify({ key, fact: packed })}\n`, { mode: 0o600 });
      expect((await openMemory(folder, MARK)).get(one.referrer, 'accept')).toBeUndefined();
    }
  });

  test('two at once lose nothing', async () => {
    const [left, right] = await Promise.all([openMemory(folder, MARK), openMemory(folder, MARK)]);
    const facts = Array.from({ length: 100 }, (_, at) => factNumber(at));
    await Promise.all(facts.map((fact, at) => (at % 2 === 0 ? left : right).put(fact.referrer, 'accept', fact)));
    const later = await openMemory(folder, MARK);
    for (const fact of facts) expect(later.get(fact.referrer, 'accept')).toEqual(fact);
  });

  test('does not believe a file that others may have written', async () => {
    await (await openMemory(folder, MARK)).put(one.referrer, 'accept', one);
    await chmod(file, 0o644);
    const memory = await openMemory(folder, MARK);
    expect(memory.get(one.referrer, 'accept')).toBeUndefined();
    await memory.put(two.referrer, 'accept', two);
    expect((await openMemory(folder, MARK)).get(two.referrer, 'accept')).toEqual(two);
  });

  test('does not believe a private file of somebody else, as one in a checkout, nor keeps anything without a mark', async () => {
    await (await openMemory(folder, 'b'.repeat(64))).put(one.referrer, 'accept', one);
    expect((await openMemory(folder, undefined)).get(one.referrer, 'accept')).toBeUndefined();
    const memory = await openMemory(folder, MARK);
    expect(memory.get(one.referrer, 'accept')).toBeUndefined();
    await memory.put(two.referrer, 'accept', two);
    expect((await openMemory(folder, MARK)).get(two.referrer, 'accept')).toEqual(two);
    await rm(file);
    const without = await openMemory(folder, undefined);
    await without.put(one.referrer, 'accept', one);
    expect(without.get(one.referrer, 'accept')).toEqual(one);
    await expect(stat(file)).rejects.toThrow('ENOENT');
  });

  test('what a process that was killed had only made is gone on with, and nothing is set aside', async () => {
    await writeFile(file, '', { mode: 0o600 });
    const memory = await openMemory(folder, MARK);
    await memory.put(one.referrer, 'accept', one);
    expect((await openMemory(folder, MARK)).get(one.referrer, 'accept')).toEqual(one);
    expect(await readdir(folder)).toEqual(['verified.ndjson']);
  });

  test('follows no link, and works without a file', async () => {
    const target = join(folder, 'target');
    await writeFile(target, '', { mode: 0o600 });
    await symlink(target, file);
    const memory = await openMemory(folder, MARK);
    await memory.put(one.referrer, 'accept', one);
    expect(memory.get(one.referrer, 'accept')).toEqual(one);
    expect(await readFile(target, 'utf8')).toBe('');
  });
});
