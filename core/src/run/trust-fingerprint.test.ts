import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { trustFingerprint } from './trust-fingerprint.ts';

test('what was verified under one trusted root is not believed under another', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-root-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [one, other, same] = ['one', 'other', 'same'].map((name) => join(folder, name));
  for (const [file = '', text = ''] of [
    [one, 'A'],
    [other, 'B'],
    [same, 'A'],
  ])
    await writeFile(file, text);
  const accept = [{ kind: 'identity', issuer: { exact: 'i' }, subject: { exact: 's' } }] as const;
  expect(trustFingerprint(accept, one)).toBe(trustFingerprint(accept, same));
  const all = [undefined, one, other].map((root) => trustFingerprint(accept, root));
  expect(new Set(all).size).toBe(3);
});
