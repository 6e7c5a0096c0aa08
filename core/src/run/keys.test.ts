import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { folderFiles } from '../plan/files.ts';
import { build } from '../plan/sample.ts';
import { must } from '../registry/test-client.ts';
import type { Engine } from './engine.ts';
import { changesOf, editedFiles, inputKeys, keyParts, unsettledKeys } from './keys.ts';

async function fresh() {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-keys-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const engine = {
    config: { folder },
    host: { toolNeeds: () => [], owner: () => undefined },
    planned: { plan: { tasks: [] }, packages: new Map() },
  } as unknown as Engine;
  return { folder, engine };
}

test('the mode of a file and where a link leads decide as its bytes do', async () => {
  const { folder, engine } = await fresh();
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

test.each([
  ['gone', 'there is no "gone"'],
  ['../outside', '"../outside" is outside of the config\'s folder'],
])('a file that cannot be taken is told with the entry and the mode that names it: %s', async (path, text) => {
  const { engine } = await fresh();
  const inputs = { files: [path], packageIndexes: [], bases: [], platforms: [], packages: [], options: {} };
  const entry = build('a.kiln', 'r.example/a:1');
  const message = `build mode "kiln" names a file that cannot be taken: ${text}`;
  const failure = { reason: 'config', message, at: entry.at };
  expect(await keyParts(engine, entry, 'kiln', inputs, {})).toMatchObject({ ok: false, failure });
  const written = { ...entry, melangeConfigs: [path] };
  const without = { ...failure, message: text };
  expect(await keyParts(engine, written, 'kiln', { ...inputs, files: [] }, {})).toMatchObject({ failure: without });
});

test('files that are edited, or gone, since the key was made are found; a newer date alone is no edit', async () => {
  const { folder, engine } = await fresh();
  const files = ['same', 'dated', 'edited', 'gone'];
  for (const file of files) await writeFile(join(folder, file), file);
  const inputs = { files, packageIndexes: [], bases: [], platforms: [], packages: [], options: {} };
  const keys = inputKeys(must(await keyParts(engine, build('Dockerfile', 'r.example/a:1'), 'docker', inputs, {})));
  expect(await editedFiles(engine, keys)).toEqual([]);
  await utimes(join(folder, 'dated'), 1, 1);
  await writeFile(join(folder, 'edited'), 'otherwise');
  await rm(join(folder, 'gone'));
  const edited = await editedFiles(engine, keys);
  expect(edited.toSorted()).toEqual(['file edited', 'file gone']);
  const unsettled = unsettledKeys(keys, edited);
  expect(unsettled.input).not.toBe(keys.input);
  expect(changesOf(unsettled, keys).map(({ part }) => part)).toEqual(['file edited', 'file gone']);
});

test('the packages of an image decide its key, also those that only others need; nothing else that it waits for does', async () => {
  const { folder, engine } = await fresh();
  const [own, inner] = ['own/melange.yaml', 'inner/melange.yaml'];
  for (const config of [own, inner]) {
    await mkdir(join(folder, dirname(config)));
    await writeFile(join(folder, config), config);
  }
  const entry = build('image.yaml', 'r.example/a:1');
  const id = (step: string) => `${entry.id}#${step}`;
  const task = (name: string, needs: readonly string[], of: string | null = null) => ({
    ...{ id: name, contract: of === null ? 'package.build@1' : 'core.probe@1', entry: of, needs },
    input: { architectures: ['amd64'] },
  });
  const tasks = [
    task(inner, []),
    task(own, [inner]),
    task(id('probe'), ['other'], entry.id),
    task('other', []),
    task(id('build'), [own, id('probe')], entry.id),
  ];
  for (const name of ['inner.pub', 'step.yaml']) await writeFile(join(folder, name), '');
  const packages = new Map(
    [own, inner, 'other'].map((config) => [
      config,
      {
        ...{ config, repositories: [] },
        ...(config === inner ? { keys: ['inner.pub'], pipelines: ['step.yaml'] } : { keys: [], pipelines: [] }),
      },
    ]),
  );
  const files = folderFiles(folder);
  const inputs = { files: [], packageIndexes: [], bases: [], platforms: [], packages: [], options: {} };
  const partsWith = async (all: readonly unknown[]) => {
    const planned = { plan: { tasks: all }, packages };
    const parts = await keyParts({ ...engine, files, planned } as unknown as Engine, entry, 'apko', inputs, {});
    return [...must(parts).fixed.keys()].filter((part) => part === 'packages' || part.startsWith('file'));
  };
  expect((await partsWith(tasks)).toSorted()).toEqual([
    'file inner.pub',
    `file ${inner}`,
    `file ${own}`,
    'file step.yaml',
    'packages',
  ]);
  expect(await partsWith([task(id('probe'), [], entry.id), task(id('build'), [id('probe')], entry.id)])).toEqual([]);
});

test('what was not there before, or is not any more, is null', () => {
  const keys = (parts: Readonly<Record<string, string>>) => ({ input: '', parts });
  expect(changesOf(keys({ a: '1', same: '1' }), keys({ b: '2', same: '1' }))).toEqual([
    { part: 'a', from: '1', to: null },
    { part: 'b', from: null, to: '2' },
  ]);
});
