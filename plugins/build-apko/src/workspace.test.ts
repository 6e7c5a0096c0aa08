import { ok, type BuildContext } from '@slipway/core';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { packageKeys } from './workspace.ts';

it('takes one key of a name: that of the configuration before those beside packages, whose order nobody knows', async () => {
  const root = await mkdtemp(join(tmpdir(), 'slipway-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const packageRepositories = ['one', 'two'].map((name) => join(root, name));
  for (const repository of packageRepositories) {
    await mkdir(repository);
    for (const name of ['near', 'far', 'own']) await writeFile(join(repository, `${name}.rsa.pub`), repository);
  }
  await writeFile(join(root, 'image.yaml'), 'include: base.yaml\ncontents: {keyring: [keys/near.rsa.pub]}\n');
  await writeFile(join(root, 'base.yaml'), 'contents: {keyring: [https://keys.example/far.rsa.pub]}\n');
  const context = { packageRepositories, entry: { source: 'image.yaml' }, files: { root } };
  expect(await packageKeys(context as unknown as BuildContext)).toEqual(ok(['packages/own.rsa.pub']));
});
