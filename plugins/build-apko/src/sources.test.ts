import { configFailure, fail, ok, type BuildEntry, type Files } from '@slipway/core';
import { describe, expect, it } from 'vitest';
import { findInputs } from './sources.ts';

const entry: BuildEntry = {
  kind: 'build',
  id: 'build:registry.example/a:1',
  at: { file: 'config.yaml', line: 1, column: 1 },
  targets: [
    { destination: { kind: 'tagged', registry: 'registry.example', path: 'a', tag: '1' as never }, templated: false },
  ],
  always: false,
  source: 'images/a.yaml',
  melangeConfigs: [],
  dockerOptions: {},
  buildOnMainOnly: false,
  options: {},
};

function files(texts: Readonly<Record<string, string>>): Files {
  return {
    read: async (path) => (texts[path] === undefined ? fail(configFailure(`no ${path}`)) : ok(texts[path])),
    list: async (folder) =>
      ok(
        Object.keys(texts)
          .filter((path) => path.startsWith(`${folder}/`))
          .sort(),
      ),
  };
}

async function inputs(texts: Readonly<Record<string, string>>, changes: Partial<BuildEntry> = {}) {
  return findInputs({ ...entry, ...changes }, files(texts));
}

describe('what decides an apko build', () => {
  it('is every file it reads and every index it asks', async () => {
    const found = await inputs({
      'images/a.yaml':
        'include: common.yaml\ncontents:\n  baseimage: {image: base, apkindex: index}\n  repositories: [https://apk.example/main]\n  packages: [b]\n',
      'common.yaml': 'contents:\n  keyring: [key.pub]\n  packages: [a, b]\narchs: [aarch64]\n',
      'images/key.pub': 'beside the wrong file',
      'key.pub': 'key',
      'images/base/index.json': '{}',
      'images/index/aarch64/APKINDEX': '',
    });
    expect(found).toMatchObject({
      ok: true,
      value: {
        files: ['common.yaml', 'images/a.yaml', 'images/base/index.json', 'images/index/aarch64/APKINDEX', 'key.pub'],
        packageIndexes: ['https://apk.example/main/aarch64/APKINDEX.tar.gz'],
        packages: ['a', 'b'],
        platforms: [{ os: 'linux', architecture: 'arm64' }],
      },
    });
  });

  it('takes a path that two files write for what it means beside each', async () => {
    const found = await inputs({
      'images/a.yaml': 'include: base/common.yaml\ncontents: {keyring: [key.pub]}\n',
      'base/common.yaml': 'contents: {keyring: [key.pub]}\n',
      'images/key.pub': 'one',
      'base/key.pub': 'another',
    });
    expect(found).toMatchObject({
      value: { files: ['base/common.yaml', 'base/key.pub', 'images/a.yaml', 'images/key.pub'] },
    });
  });

  it("takes the entry's platforms before those of the file", async () => {
    const source = 'contents:\n  repositories: [https://apk.example/main]\narchs: [aarch64]\n';
    const found = await inputs({ 'images/a.yaml': source }, { platforms: [{ os: 'linux', architecture: 's390x' }] });
    expect(found.ok && found.value.packageIndexes).toEqual(['https://apk.example/main/s390x/APKINDEX.tar.gz']);
    const wrong = await inputs({ 'images/a.yaml': source }, { platforms: [{ os: 'plan9', architecture: 'amd64' }] });
    expect(wrong).toMatchObject({ ok: false, failure: { reason: 'config', at: entry.at } });
  });

  it('leaves a local repository to melange, and wants it to be there otherwise', async () => {
    const source = "contents:\n  repositories: ['@local /github/workspace/packages']\n";
    expect((await inputs({ 'images/a.yaml': source }, { melangeConfigs: ['a.melange.yaml'] })).ok).toBe(true);
    expect(await inputs({ 'images/a.yaml': source })).toMatchObject({
      ok: false,
      failure: { reason: 'config', hint: expect.stringContaining('melangeConfigs') as string },
    });
    const found = await inputs({ 'images/a.yaml': source, 'packages/x86_64/APKINDEX.tar.gz': '' });
    expect(found.ok && found.value.files).toContain('packages/x86_64/APKINDEX.tar.gz');
  });

  it.each(['../outside.yaml', '/etc/passwd', 'a/../../outside.yaml'])('stays in the folder: %s', async (path) => {
    expect(await inputs({ 'images/a.yaml': `include: ${path}\n`, [path]: '{}' })).toMatchObject({
      ok: false,
      failure: { reason: 'config', at: { file: 'images/a.yaml', line: 1, column: 10 } },
    });
  });

  it('ends when a file includes itself', async () => {
    const found = await inputs({ 'images/a.yaml': 'include: b.yaml\n', 'b.yaml': 'include: images/a.yaml\n' });
    expect(found).toMatchObject({ ok: false, failure: { message: expect.stringContaining('includes itself') } });
  });
});
