import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatReference } from '../reference.ts';
import { complaints, digest, hints, options, reference, syncNames, valueOf } from './fixtures.ts';
import { loadConfig, parseConfig } from './load.ts';

const FILE = '/repository/config.yaml';
const parse = (text: string) => parseConfig(text, FILE, options);
const entries = (text: string) => valueOf(parse(text)).entries;

describe('a config in the shape of the reference', () => {
  test('gives 22 sync and 5 build entries, with ids, targets and places', () => {
    const config = valueOf(parse(reference));
    expect(config.file).toBe(FILE);
    expect(config.folder).toBe('/repository');
    expect(config.entries.filter((entry) => entry.kind === 'sync')).toHaveLength(22);
    expect(config.entries.filter((entry) => entry.kind === 'build')).toHaveLength(5);
    expect(config.entries[0]).toEqual({
      kind: 'sync',
      id: 'sync:registry.example/images/alpine:3.18',
      at: { file: FILE, line: 5, column: 5 },
      targets: [
        {
          destination: { kind: 'tagged', registry: 'registry.example', path: 'images/alpine', tag: '3.18' },
          templated: false,
        },
      ],
      always: false,
      source: { kind: 'pinned', registry: 'docker.io', path: 'upstream/alpine', tag: '3.18', digest: digest('0') },
    });
    expect(config.entries[19]).toMatchObject({
      source: { kind: 'pinned', digest: digest('9') },
      id: `sync:registry.example/images/${syncNames[19]}`,
    });
    expect(config.entries[23]).toMatchObject({
      kind: 'build',
      source: 'images/git/image.yaml',
      melangeConfigs: ['images/git/pkg-hello.yaml'],
      buildOnMainOnly: false,
    });
    expect(config.entries[25]).toMatchObject({ buildOnMainOnly: true });
    expect(config.entries[26]).toMatchObject({
      id: 'build:registry.example/images/chart:latest',
      dockerOptions: { context: 'images/chart' },
    });
  });

  test.each(['', '# nothing\n', 'sync:\nbuild:\n', 'sync: []\n', 'build: null\n', '---\n'])(
    '%j plans nothing',
    (text) => {
      expect(entries(text)).toEqual([]);
    },
  );
});

test('references in all three forms, short names, ports and localhost', () => {
  const sources = ['alpine', `localhost:5000/a/b@${digest('a')}`, `ghcr.io/a/b:1@${digest('b')}`, 'localhost/x:1'];
  const read = entries(
    `sync:\n${sources.map((source, i) => `  - {source: '${source}', destination: 'localhost:5000/out:${i}'}`).join('\n')}\n`,
  );
  expect(read.map((entry) => entry.kind === 'sync' && formatReference(entry.source))).toEqual([
    'docker.io/library/alpine:latest',
    `localhost:5000/a/b@${digest('a')}`,
    `ghcr.io/a/b:1@${digest('b')}`,
    'localhost/x:1',
  ]);
});

test('tags and a destination are filled in with date and commit; ids stay the same from day to day', () => {
  const [entry] = entries(
    "sync:\n  - source: a\n    destination: r.example/a:v1-{date}\n    tags: ['3.20', '{date}', 'x-{sha}']\n",
  );
  expect(entry?.id).toBe('sync:r.example/a:v1-{date}');
  expect(entry?.targets.map(({ destination, templated, template }) => [destination.tag, templated, template])).toEqual([
    ['v1-2026-11-23', true, 'v1-{date}'],
    ['3.20', false, undefined],
    ['2026-11-23', true, '{date}'],
    ['x-0123456789ab', true, 'x-{sha}'],
  ]);
});

test('{sha} without a commit is a failure at the tag', () => {
  const text = "sync:\n  - source: a\n    destination: r.example/a\n    tags: [x, '{sha}']\n";
  const result = parseConfig(text, FILE, { ...options, context: { date: '2026-11-23' } });
  expect(complaints(result)).toEqual(['4:15 "{sha}" needs a commit, and there is none']);
});

test('platforms by either name, each once; options of a mode', () => {
  const [entry] = entries(
    'build:\n  - source: a/Dockerfile\n    destination: r.example/a\n    mode: docker\n    maxAge: 3d\n    platforms: [linux/amd64, x86_64, aarch64, armv7, linux/arm64/v8]\n',
  );
  expect(entry).toMatchObject({
    mode: 'docker',
    options: { maxAge: '3d' },
    platforms: [
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
      { os: 'linux', architecture: 'arm', variant: 'v7' },
    ],
  });
});

test('platforms may be missing where that is said, which needs platforms', () => {
  const written = (options: string) => `sync:\n  - { source: a, destination: r.example/a, ${options} }\n`;
  const [entry] = entries(written('platforms: [amd64], missingPlatforms: skip'));
  expect(entry).toMatchObject({ missingPlatforms: 'skip' });
  const [strict] = entries(written('platforms: [amd64], missingPlatforms: fail'));
  expect(strict).not.toHaveProperty('missingPlatforms');
  expect(complaints(parseConfig(written('missingPlatforms: skip'), FILE, options))).toEqual([
    '2:62 "missingPlatforms" has no meaning without "platforms"',
  ]);
});

test('anchors and aliases are read', () => {
  const read = entries(
    'build:\n  - source: a\n    destination: r.example/a\n    platforms: &p [amd64]\n  - source: b\n    destination: r.example/b\n    platforms: *p\n',
  );
  expect(read[1]).toMatchObject({ platforms: [{ os: 'linux', architecture: 'amd64' }] });
});

test('everything that is wrong comes at once, in the order of the file, each at its place', () => {
  const text = `sync:
  - source: alpine
    destinaton: r.example/b:1
  - source: Foo
    destination: r.example/b:{dat}
    alwys: true
    tags: [3.20, 'a b', sha256-${'a'.repeat(64)}]
  - source: --help
    destination: r.example/c@${digest('a')}
  - just text
build:
  - destination: r.example/d
    dockerOptions: {contxt: .}
    platforms: [linux/amd, mac]
    mode: dockr
  - source: ../x
    destination: r.example/e
    mode: ko
    maxAge: 1d
    buildOnMainOnly: yes
foo: 1
`;
  const result = parse(text);
  expect(complaints(result)).toEqual([
    '3:5 unknown key "destinaton" in "sync[0]"',
    '4:13 "Foo" is not an image reference: "library/Foo" is not a repository name',
    '5:18 "{dat}" cannot be filled in',
    '6:5 unknown key "alwys" in "sync[1]"',
    '7:12 "tags[0]" must be text, not a number',
    '8:13 "--help" is not an image reference: "library/--help" is not a repository name',
    `9:18 the destination "r.example/c@sha256:${'a'.repeat(61)}…" has a digest`,
    '10:5 "sync[3]" must be a mapping of keys to values, not text',
    '12:5 "source" is missing in "build[0]"',
    '13:21 unknown key "contxt" in "dockerOptions"',
    '14:17 "linux/amd" is not a platform',
    '14:28 "mac" is not a platform',
    '15:11 "mode" must be one of apko, docker, ko, not "dockr"',
    '16:13 the path "../x" leaves the config\'s folder',
    '19:5 the key "maxAge" belongs to the mode docker, not to ko',
    '20:22 "buildOnMainOnly" must be true or false, not text',
    '21:1 unknown key "foo"',
  ]);
  expect(hints(result)).toEqual(
    expect.arrayContaining([
      'did you mean "destination"?',
      'did you mean "always"?',
      'did you mean "context"?',
      'did you mean "docker"?',
      'put it in quotes',
    ]),
  );
});

test('further tags must be tags', () => {
  const text = `sync:\n  - source: a\n    destination: r.example/a\n    tags:\n      - a b\n      - sha256-${'a'.repeat(64)}\n`;
  expect(complaints(parse(text))).toEqual([
    '5:9 "a b" is not a tag',
    `6:9 the tag "sha256-${'a'.repeat(64)}" is kept for attestations`,
  ]);
});

test('two targets with one destination, within an entry and between kinds', () => {
  const text = `sync:
  - source: a
    destination: r.example/a
    tags: [x, latest]
build:
  - source: b
    destination: r.example/a:x
`;
  expect(complaints(parse(text))).toEqual([
    '4:15 the destination r.example/a:latest is already in line 3, column 18',
    '7:18 the destination r.example/a:x is already in line 4, column 12',
  ]);
});

test('the paths of a build: control characters, absolute, upwards', () => {
  const text =
    'build:\n  - source: "a\\nb"\n    destination: r.example/a\n    melangeConfigs: [/etc/passwd, a/../../b, ./-x/../-y/]\n';
  expect(complaints(parse(text)).map((line) => line.split(' the path')[0])).toEqual(['2:13', '4:22', '4:35']);
});

test.each([
  ['a: 1\na: 2\n', '2:1 the key "a" is already in line 1'],
  ['a: &x [*x]\n', '1:8 the alias "*x" contains itself'],
  ['a: *x\n', '1:4 the alias "*x" has no anchor before it'],
  ['sync: []\n---\nbuild: []\n', '2:1 the file holds more than one document'],
  ['sync: [\n', '2:1 not valid YAML: flow sequence in block collection must be sufficiently indented and end with a ]'],
  ['? [a]\n: 1\n', '1:3 a key must be plain text'],
  ['sync: !!binary aGk=\n', '1:16 only text, finite numbers, true, false and null are values here'],
  ['sync: .nan\n', '1:7 only text, finite numbers, true, false and null are values here'],
  ['__proto__: {sync: []}\n', '1:1 unknown key "__proto__"'],
  ['[]\n', '1:1 the file must be a mapping of keys to values, not a list'],
])('%j is refused', (text, complaint) => {
  expect(complaints(parse(text))).toEqual([complaint]);
});

test('aliases that explode, deep nesting, and too large a file end early', () => {
  const bomb = `a: &a0 [x, x, x, x, x, x, x, x, x, x]\n${Array.from({ length: 20 }, (_, i) => `b${i}: &a${i + 1} [${`*a${i}, `.repeat(10)}]`).join('\n')}\n`;
  expect(complaints(parse(bomb))[0]).toMatch(/^\d+:\d+ aliases repeat too much of the file$/);
  const chain = `a: &a0 [x]\n${Array.from({ length: 200 }, (_, i) => `b${i}: &a${i + 1} [*a${i}]`).join('\n')}\n`;
  expect(complaints(parse(chain))[0]).toMatch(/nested deeper than 100 levels/);
  expect(complaints(parse(`sync: ${'['.repeat(3000)}`))[0]).toMatch(/^\d+:\d+ /);
  expect(complaints(parse('#'.repeat(4 * 1024 * 1024 + 1)))).toEqual(['1:1 the file is larger than 4 MiB']);
});

test('more than fifty problems are counted', () => {
  const result = parse(`sync:\n${'  - {source: a}\n'.repeat(80)}`);
  expect(complaints(result)).toHaveLength(51);
  expect(complaints(result).at(-1)).toMatch(/^52:5 there are 30 more problems/);
});

test('50,000 unknown keys are told in a moment', () => {
  const before = process.cpuUsage();
  const result = parse(Array.from({ length: 50_000 }, (_, i) => `k${i}: 1\n`).join(''));
  expect(complaints(result)).toHaveLength(51);
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(4000);
});

test('a mode whose keys are no JSON Schema is a failure, not a crash', () => {
  const result = parseConfig('sync: []\n', FILE, {
    ...options,
    modeProperties: { good: { name: { type: 'string' } }, odd: { key: { type: 'nonsense' } } },
  });
  expect(complaints(result)[0]).toMatch(/^1:1 the keys that the modes \(odd\) add have no valid JSON Schema/);
});

test('modes whose keys are JSON Schemas that do not go together are all named', () => {
  const $id = 'https://modes.example/key';
  const result = parseConfig('sync: []\n', FILE, {
    ...options,
    modeProperties: { one: { key: { $id, type: 'string' } }, other: { word: { $id, type: 'number' } } },
  });
  expect(complaints(result)[0]).toMatch(/^1:1 the keys that the modes \(one, other\) add have no valid JSON Schema/);
});

test("a mode's key says what it means when its pattern is broken", () => {
  const fileName = { type: 'string', pattern: '^[a-z]+$', description: 'Where the text is.' };
  const result = parseConfig(
    'build:\n  - {source: a, destination: registry.example/a:1, fileName: UP, mode: text}\n',
    FILE,
    { ...options, modeProperties: { text: { fileName } } },
  );
  expect(complaints(result)).toEqual(['2:62 "fileName" cannot be "UP"']);
  expect(hints(result)).toEqual(['fileName: Where the text is.']);
});

test('10,000 entries load without looking at each for each, also when every one of them is wrong', () => {
  const item = (i: number) =>
    `  - source: docker.io/library/alpine:${i}@${digest('a')}\n    destination: r.example/x/y:${i}\n`;
  const text = `sync:\n${Array.from({ length: 10_000 }, (_, i) => item(i)).join('')}`;
  parse(text);
  for (const each of [text, text.replaceAll('destination', 'destinatio')]) {
    const before = process.cpuUsage();
    expect(parse(each).ok).toBe(each === text);
    const { user } = process.cpuUsage(before);
    // They take a tenth of it, a quadratic look-up some times as much.
    expect(user / 1000).toBeLessThan(6000);
  }
});

describe('on disk', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slipway-config-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function write(name: string, text: string | Uint8Array) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }

  test('the reference loads with its files', async () => {
    await write('config.yaml', reference);
    for (const name of [
      'docs/Dockerfile',
      'git/image.yaml',
      'git/pkg-hello.yaml',
      'xslt/image.yaml',
      'tex/image.yaml',
      'chart/Dockerfile',
    ]) {
      await write(`images/${name}`, '');
    }
    const config = valueOf(await loadConfig(join(folder, 'config.yaml'), options));
    expect(config.entries).toHaveLength(27);
    expect(config.folder).toBe(folder);
  });

  test('missing files, wrong kinds and links that leave the folder, together with other errors', async () => {
    await write(
      'in/config.yaml',
      `build:
  - source: missing/Dockerfile
    destination: r.example/a
    unknown: 1
  - source: folder
    destination: r.example/b
    dockerOptions: {context: file}
  - source: link/secret
    destination: r.example/c
  - source: inside/secret
    destination: r.example/d
    melangeConfigs: [folder]
`,
    );
    await write('in/file', '');
    await write('in/folder/secret', '');
    await write('outside/secret', '');
    await symlink('../outside', join(folder, 'in/link'));
    await symlink('folder', join(folder, 'in/inside'));
    expect(complaints(await loadConfig(join(folder, 'in/config.yaml'), options))).toEqual([
      '2:13 "missing/Dockerfile" does not exist',
      '4:5 unknown key "unknown" in "build[0]"',
      '7:30 "file" is not a folder',
      '8:13 "link/secret" is a link that leaves the config\'s folder',
      '12:22 "folder" is not a file',
    ]);
  });

  test('a config that is missing, a folder, or not UTF-8', async () => {
    expect(complaints(await loadConfig(join(folder, 'none.yaml'), options))).toEqual([
      `- ${join(folder, 'none.yaml')} does not exist`,
    ]);
    await write('other.yml', 'sync: []\n');
    expect(hints(await loadConfig(join(folder, 'other.yaml'), options))).toEqual([
      'other.yml is there: rename it, or name it with --config',
    ]);
    expect(complaints(await loadConfig(folder, options))).toEqual([`- ${folder} is not a regular file`]);
    await write('latin.yaml', new Uint8Array([0x23, 0x0a, 0x61, 0x3a, 0x20, 0xe9, 0x0a]));
    expect(complaints(await loadConfig(join(folder, 'latin.yaml'), options))).toEqual([
      '2:4 the file is not UTF-8 text',
    ]);
  });
});

test('a destination without a tag, whose source has one, is told: once, with how many are like it', () => {
  const warnings = (text: string): readonly string[] => {
    const read = parseConfig(text, '/r/config.yaml', options);
    return read.ok ? read.warnings : ['does not load'];
  };
  const untagged = `sync:
  - { source: 'node:20', destination: quay.io/a/node }
  - { source: 'oci:./x:1', destination: 'oci:./y' }
  - { source: 'alpine:3.20@${digest('a')}', destination: 'localhost:5000/alpine' }
`;
  expect(warnings(untagged)).toEqual([
    'config.yaml:2:39: the destination "quay.io/a/node" of docker.io/library/node:20 has no tag, which means latest, and 2 more are like it; write the tag, as :{tag} for that of the source, or :latest',
  ]);
  const meant = `sync:
  - { source: 'node:20', destination: 'quay.io/a/node:latest' }
  - { source: 'node:20', destination: 'quay.io/a/{name}:{tag}' }
  - { source: alpine, destination: quay.io/a/alpine }
  - { source: 'debian:latest', destination: quay.io/a/debian }
  - { source: 'busybox@${digest('a')}', destination: quay.io/a/busybox }
  - { source: redis, destination: quay.io/a/redis, select: { tags: ['7'] } }
build:
  - { source: image.yaml, destination: quay.io/a/built }
`;
  expect(warnings(meant)).toEqual([]);
});

describe('locations in the file system', () => {
  const read = (text: string) => valueOf(parseConfig(text, '/r/config.yaml', options));

  test('are sources and destinations as references are, and the same place has one name', () => {
    const { entries, selections } = read(`
sync:
  - {source: 'alpine:3.20', destination: 'oci:./mirror/{path}:{tag}', tags: ['{date}']}
  - {source: 'oci:/mnt/usb/alpine:3.20', destination: 'ghcr.io/a/{name}:{tag}'}
  - {source: 'oci:dir:one', destination: 'oci-archive:all.tar'}
  - {source: 'oci:./many', select: {regex: '.*'}, destination: 'ghcr.io/a/many'}
build:
  - {source: image.yaml, destination: 'oci:built:{date}'}`);
    expect(
      entries.map((entry) => [
        entry.id,
        ...(entry.kind === 'sync' ? [formatReference(entry.source)] : []),
        ...entry.targets.map((target) => formatReference(target.destination)),
      ]),
    ).toEqual([
      [
        'sync:oci:./mirror/library/alpine:3.20',
        'docker.io/library/alpine:3.20',
        'oci:./mirror/library/alpine:3.20',
        'oci:./mirror/library/alpine:2026-11-23',
      ],
      ['sync:ghcr.io/a/alpine:3.20', 'oci:/mnt/usb/alpine:3.20', 'ghcr.io/a/alpine:3.20'],
      ['sync:oci-archive:./all.tar:latest', 'oci:./dir:one', 'oci-archive:./all.tar:latest'],
      ['build:oci:./built:{date}', 'oci:./built:2026-11-23'],
    ]);
    expect(selections.map(({ id, source }) => [id, source])).toEqual([
      ['sync:ghcr.io/a/many:{tag}', { registry: 'oci:', path: 'many' }],
    ]);
  });

  test('collide however they are written, and never leave the folder', () => {
    const result = parseConfig(
      `
sync:
  - {source: a, destination: 'oci:./x/y:1'}
  - {source: b, destination: 'oci:/r/x//y:1'}
  - {source: c, destination: 'oci:../out:1'}
  - {source: 'oci:x/../../y', destination: 'ghcr.io/a/b'}
  - {source: d, destination: 'oci:./a@b:1'}`,
      '/r/config.yaml',
      options,
    );
    expect(complaints(result)).toEqual([
      '4:30 the destination oci:/r/x/y:1 is already in line 3, column 30',
      expect.stringMatching(/^5:30 .*has "\.\." in its path/),
      expect.stringMatching(/^6:14 .*has "\.\." in its path/),
      expect.stringMatching(/^7:30 .*has a digest/),
    ]);
  });
});
