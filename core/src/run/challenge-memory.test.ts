import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openChallengeMemory } from './challenge-memory.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-challenges-'));
});
afterEach(() => rm(folder, { recursive: true }));

const file = () => join(folder, 'registry-challenges.json');
const at = (day: number) => () => new Date(Date.UTC(2026, 0, day));
const challenge = {
  scheme: 'bearer',
  parameters: new Map([
    ['realm', 'https://auth.example/token'],
    ['service', 's'],
    ['scope', 'repository:a:pull'],
  ]),
};

function remember(day = 1): void {
  const memory = openChallengeMemory(folder, at(day));
  memory.set('registry.example', challenge);
  memory.save();
}

test('what a registry asked for is there in the next run, without what is of one repository', async () => {
  remember();
  const kept = openChallengeMemory(folder, at(2)).get('registry.example');
  expect(kept).toMatchObject({ scheme: 'bearer' });
  expect(Object.fromEntries(kept?.parameters ?? [])).toEqual({ realm: 'https://auth.example/token', service: 's' });
  expect((await stat(file())).mode & 0o777).toBe(0o600);
  expect(await readFile(file(), 'utf8')).not.toContain('scope');
});

test('it is believed for a month', () => {
  remember();
  expect(openChallengeMemory(folder, at(30)).get('registry.example')).toBeDefined();
  expect(openChallengeMemory(folder, at(33)).get('registry.example')).toBeUndefined();
});

test('a file that others could have written is not, as one that came with a checkout', async () => {
  remember();
  await chmod(file(), 0o644);
  expect(openChallengeMemory(folder, at(2)).get('registry.example')).toBeUndefined();
});

test.each([
  '',
  '[]',
  '{"registry.example":5}',
  '{"registry.example":{"scheme":"digest","since":0}}',
  '{"registry.example":{"scheme":"bearer"}}',
])('nonsense is nothing: %s', async (text) => {
  await writeFile(file(), text, { mode: 0o600 });
  expect(openChallengeMemory(folder, at(2)).get('registry.example')).toBeUndefined();
});

test('nothing is written when nothing is new', async () => {
  remember();
  await rm(file());
  const memory = openChallengeMemory(folder, at(2));
  memory.save();
  await expect(stat(file())).rejects.toThrow('ENOENT');
});
