import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { build } from '../plan/sample.ts';
import { must } from '../registry/test-client.ts';
import type { Engine } from './engine.ts';
import { inputKeys, keyParts } from './keys.ts';

test('the mode of a file and where a link leads decide as its bytes do', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-keys-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const engine = {
    config: { folder },
    host: { toolNeeds: () => [], owner: () => undefined },
    planned: { plan: { tasks: [] }, packages: new Map() },
  } as unknown as Engine;
  const inputs = {
    files: ['run.sh', 'current'],
    packageIndexes: [],
    bases: [],
    platforms: [],
    packages: [],
    options: {},
  };
  const key = async () =>
    inputKeys(must(await keyParts(engine, build('Dockerfile', 'r.example/a:1'), 'docker', inputs, {}))).input;
  const relink = async (target: string) => {
    await rm(join(folder, 'current'), { force: true });
    await symlink(target, join(folder, 'current'));
  };
  await writeFile(join(folder, 'run.sh'), 'echo');
  await relink('v1');
  const keys = [await key()];
  await chmod(join(folder, 'run.sh'), 0o755);
  keys.push(await key());
  await relink('/opt/v2');
  keys.push(await key());
  expect(new Set(keys).size).toBe(3);
  await relink('v1');
  await chmod(join(folder, 'run.sh'), 0o644);
  expect(await key()).toBe(keys[0]);
});
