import { apkArchitecture, parseArchitecture } from '@slipway/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig, parseRepositoryLine } from './config.ts';
import { apkoMode } from './mode.ts';

function read(text: string) {
  const parsed = parseConfig(text, 'image.yaml');
  if (!parsed.ok) throw new Error(parsed.failure.message);
  return parsed.value;
}

function failing(text: string) {
  const parsed = parseConfig(text, 'image.yaml');
  return parsed.ok ? undefined : parsed.failure;
}

describe('an apko configuration', () => {
  it('says what the build takes in', () => {
    const config = read(`
include: base.yaml
contents:
  keyring: [keys/a.pub, https://keys.example/b.pub]
  build_repositories: ['@edge https://apk.example/edge/']
  repositories:
    - https://apk.example/main
    - '@local /github/workspace/packages'
  packages: [busybox, 'hello@local', 'musl=1.2-r0', 'curl>8']
archs: [x86_64, arm64, arm/v7, 386]
`);
    expect(config.include).toBe('base.yaml');
    expect(config.keyring).toEqual(['keys/a.pub', 'https://keys.example/b.pub']);
    expect(config.repositories).toEqual([
      { location: 'https://apk.example/main', remote: true },
      { tag: 'local', location: '/github/workspace/packages', remote: false },
      { tag: 'edge', location: 'https://apk.example/edge', remote: true },
    ]);
    expect(config.packages).toEqual(['busybox', 'hello', 'musl', 'curl']);
    expect(config.platforms.map(({ architecture, variant }) => [architecture, variant])).toEqual([
      ['amd64', undefined],
      ['arm64', undefined],
      ['arm', 'v7'],
      ['386', undefined],
    ]);
  });

  it('is written again as it was read: numbers mean something else to apko than to YAML 1.2', () => {
    const text = `contents:
  keyring: ~
  packages:
environment:
  SMALL: 010
  LARGE: 12345678901234567890
paths:
  - path: /opt
    permissions: 0755 # octal
include: null
`;
    const { document, include, keyring, packages } = read(text);
    expect(String(document)).toBe(text);
    expect({ include, keyring, packages }).toEqual({ include: undefined, keyring: [], packages: [] });
  });

  it.each([
    ['a: [', 1],
    ['', 1],
    ['- list', 1],
    ['contents:\n  packages: hello', 2],
    ['contents:\n  packages:\n    - [a]', 3],
    ['contents:\n  repositories:\n    - a b c', 3],
    ['archs:\n  - x86_64\n  - vax', 3],
    ['contents:\n  keyring:\n    - a.pub\n    - https://me:hush@keys.example/b.pub', 4],
    ["contents:\n  repositories:\n    - '@edge https://hush@apk.example/edge'", 3],
    ['contents:\n  runtime_repositories:\n    - https://me:hush@apk.example/edge', 3],
  ])('is refused with the line: %j', (text, line) => {
    const failure = failing(text);
    expect(failure).toMatchObject({ reason: 'config', at: { file: 'image.yaml', line } });
    expect(failure?.message).not.toContain('hush');
  });

  it('is never an exception, whatever it holds', () => {
    const property = fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const parsed = parseConfig(text, 'image.yaml');
      return parsed.ok || (parsed.failure.at?.line ?? 0) > 0;
    });
    expect(fc.check(property)).toMatchObject({ failed: false });
  });
});

it('reads repository lines as apko does', () => {
  expect(parseRepositoryLine('@local ./packages/')).toEqual({ tag: 'local', location: './packages', remote: false });
  for (const line of ['', '@local', 'a b', '@a b c']) expect(parseRepositoryLine(line)).toBeUndefined();
});

it('names architectures in both spellings', () => {
  for (const name of ['x86_64', 'aarch64', 'armv7', 'armhf', 'x86', 'ppc64le', 's390x', 'riscv64', 'loongarch64']) {
    const platform = parseArchitecture(name);
    expect(platform && apkArchitecture(platform)).toBe(name);
  }
  expect(apkArchitecture({ os: 'linux', architecture: 'arm64', variant: 'v8' })).toBe('aarch64');
  expect(apkArchitecture({ os: 'windows', architecture: 'amd64' })).toBeUndefined();
  expect(parseArchitecture('host')).toBeUndefined();
});

it('claims YAML files that are no Dockerfiles', () => {
  for (const source of ['image.yaml', 'images/a/image.yml']) expect(apkoMode.claims(source)).toBe(true);
  for (const source of ['Dockerfile', 'images/Dockerfile.yaml', 'Containerfile.yml', 'image.json', 'yaml'])
    expect(apkoMode.claims(source)).toBe(false);
});
