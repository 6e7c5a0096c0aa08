import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openReferrersMemory } from './referrers-memory.ts';

const repository = { registry: 'ghcr.io', path: 'a/b' };
const day = 24 * 3600 * 1000;

describe('the memory of the referrers API', () => {
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'referrers-'))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const open = (at = 0): ReturnType<typeof openReferrersMemory> =>
    openReferrersMemory(folder, () => new Date(1_800_000_000_000 + at));

  it('remembers for a week that a repository has none', () => {
    const first = open();
    first.set(repository, false);
    first.save();
    expect(open(day).get(repository)).toBe(false);
    expect(open(8 * day).get(repository)).toBeUndefined();
    expect(open(-day).get(repository)).toBeUndefined();
  });

  it('forgets it when the registry has learned', () => {
    const first = open();
    first.set(repository, false);
    first.save();
    const second = open(day);
    second.set(repository, true);
    expect(second.get(repository)).toBe(true);
    second.save();
    expect(open(day).get(repository)).toBeUndefined();
  });

  it('takes a file that is no such file for an empty one', () => {
    writeFileSync(join(folder, 'referrers-api.json'), '["x", {"a": "b"}]');
    expect(open().get(repository)).toBeUndefined();
    writeFileSync(join(folder, 'referrers-api.json'), '{');
    expect(open().get(repository)).toBeUndefined();
  });
});
