import { describe, expect, test } from 'vitest';
import { formatReference } from '../reference.ts';
import { complaints, digest, hints, options, valueOf } from './fixtures.ts';
import { parseConfig } from './load.ts';
import { applyTo, checkMoved } from './to.ts';

const config = (text: string) => valueOf(parseConfig(text, '/r/config.yaml', options));

test('destinations move, ids stay, and only unpinned sources that name a destination follow', () => {
  const moved = valueOf(
    applyTo(
      config(`sync:
  - {source: alpine, destination: 'ghcr.io/a/alpine:1', tags: ['{date}']}
  - {source: 'ghcr.io/a/hello:1', destination: 'ghcr.io/a/hello:stable'}
  - {source: 'ghcr.io/a/hello:1@${digest('a')}', destination: 'quay.io/a/pinned:1'}
  - {source: 'ghcr.io/a/alpine:2026-11-23', destination: 'library-less:1'}
build:
  - {source: image.yaml, destination: 'ghcr.io/a/hello:1'}
`),
      'localhost:5000/pr-7/',
    ),
  );
  const shown = moved.entries.map((entry) => [
    entry.id,
    entry.kind === 'sync' ? formatReference(entry.source) : entry.source,
    ...entry.targets.map(({ destination }) => formatReference(destination)),
  ]);
  expect(shown).toEqual([
    [
      'sync:ghcr.io/a/alpine:1',
      'docker.io/library/alpine:latest',
      'localhost:5000/pr-7/a/alpine:1',
      'localhost:5000/pr-7/a/alpine:2026-11-23',
    ],
    ['sync:ghcr.io/a/hello:stable', 'localhost:5000/pr-7/a/hello:1', 'localhost:5000/pr-7/a/hello:stable'],
    ['sync:quay.io/a/pinned:1', `ghcr.io/a/hello:1@${digest('a')}`, 'localhost:5000/pr-7/a/pinned:1'],
    [
      'sync:docker.io/library/library-less:1',
      'localhost:5000/pr-7/a/alpine:2026-11-23',
      'localhost:5000/pr-7/library/library-less:1',
    ],
    ['build:ghcr.io/a/hello:1', 'image.yaml', 'localhost:5000/pr-7/a/hello:1'],
  ]);
  expect(moved.entries[0]?.targets[1]?.templated).toBe(true);
});

test('a registry alone is a prefix too', () => {
  const moved = valueOf(applyTo(config('sync: [{source: a, destination: ghcr.io/a/b}]'), 'localhost:5000'));
  expect(moved.entries[0]?.targets.map(({ destination }) => formatReference(destination))).toEqual([
    'localhost:5000/a/b:latest',
  ]);
});

describe('destinations that differ in the registry alone', () => {
  const two = config(`sync:
  - {source: a, destination: ghcr.io/a/b}
  - {source: a, destination: 'Registry.Example:5000/a/b'}
  - {source: 'ghcr.io/a/b', destination: ghcr.io/a/c}
  - {source: a, destination: 'oci:./a/d'}
  - {source: c, destination: ghcr.io/x/y, select: {regex: '.*'}}
`);
  const [first = '', second = '', third = ''] = two.entries.map(({ id }) => id);
  const moved = valueOf(applyTo(two, 'x.example/p'));

  test('are failures with places, once both are asked for', () => {
    const result = checkMoved(moved, 'x.example/p', new Set([first, second]));
    expect(complaints(result)).toEqual(['3:5 the destination x.example/p/a/b:latest is already in line 2, column 5']);
    expect(hints(result)).toEqual([expect.stringContaining("--to 'x.example/p/{registry}' keeps it")]);
    expect(checkMoved(moved, 'x.example/p', new Set([first]))).toMatchObject({ ok: true });
    expect(checkMoved(moved, 'x.example/p', new Set([second]))).toMatchObject({ ok: true });
  });

  test('are the source of nothing', () => {
    expect(complaints(checkMoved(moved, 'x.example/p', new Set([third])))).toEqual([
      '4:5 the source of "sync:ghcr.io/a/c:latest" becomes x.example/p/a/b:latest, and so does another',
    ]);
  });

  test.each([
    [
      'x.example/{registry}/p/',
      ['ghcr.io/p/a/b', 'registry.example-5000/p/a/b', 'ghcr.io/p/a/c', 'oci/p/a/d'],
      'ghcr.io/p/x/y',
    ],
    ['oci:./out/{registry}', ['ghcr.io/a/b', 'registry.example-5000/a/b', 'ghcr.io/a/c', 'oci/a/d'], 'ghcr.io/x/y'],
  ])('stay apart with --to %s', (prefix, expected, selected) => {
    const to = valueOf(applyTo(two, prefix));
    const start = prefix.slice(0, prefix.indexOf('{'));
    expect(to.entries.map((entry) => formatReference(entry.targets[0].destination))).toEqual(
      expected.map((name) => `${start}${name}:latest`),
    );
    expect(to.entries[2]).toMatchObject({ source: to.entries[0]?.targets[0].destination });
    expect(to.selections.map(({ destination }) => destination)).toEqual([`${start}${selected}:{tag}`]);
    expect(checkMoved(to, prefix, new Set(two.entries.map(({ id }) => id)))).toMatchObject({ ok: true });
  });

  test('never choose where they go', () => {
    for (const prefix of ['{registry}', '{registry}/p', 'x{registry}/p', 'x.example/{path}']) {
      expect(complaints(applyTo(two, prefix))).toEqual([expect.stringContaining('is not a registry or a repository')]);
    }
  });
});

test.each([
  '',
  '--help',
  'x.example/A',
  'x.example/a:1',
  `x.example/a@${digest('a')}`,
  'x.example/../y',
  'https://x.example',
  'oci:',
  'oci:./a:1',
  'oci-archive:./a.tar',
])('%j is no prefix', (prefix) => {
  const result = applyTo(config('sync: [{source: a, destination: ghcr.io/a/b}]'), prefix);
  expect(complaints(result)).toEqual([expect.stringMatching(/^- --to ".*" is not a registry or a repository prefix$/)]);
});

describe('into layouts', () => {
  const three = config(`sync:
  - {source: a, destination: 'ghcr.io/a/b:1'}
  - {source: ghcr.io/a/b:1, destination: 'oci:./mirror/c:2'}
  - {source: d, destination: 'oci:/mnt/e:{date}'}`);

  test.each([
    ['oci:./out', ['oci:./out/a/b:1', 'oci:./out/mirror/c:2', 'oci:./out/mnt/e:2026-11-23']],
    ['oci:out/', ['oci:./out/a/b:1', 'oci:./out/mirror/c:2', 'oci:./out/mnt/e:2026-11-23']],
    ['oci:/media/usb', ['oci:/media/usb/a/b:1', 'oci:/media/usb/mirror/c:2', 'oci:/media/usb/mnt/e:2026-11-23']],
    ['oci:../usb', ['oci:/usb/a/b:1', 'oci:/usb/mirror/c:2', 'oci:/usb/mnt/e:2026-11-23']],
    ['x.example/p', ['x.example/p/a/b:1', 'x.example/p/mirror/c:2', 'x.example/p/mnt/e:2026-11-23']],
  ])('--to %s', (prefix, expected) => {
    const to = valueOf(applyTo(three, prefix));
    expect(to.entries.map((entry) => formatReference(entry.targets[0].destination))).toEqual(expected);
    expect(to.entries[1]).toMatchObject({ source: to.entries[0]?.targets[0].destination });
  });

  test('a relative folder is where the command is run', () => {
    const first = (cwd: string): string | undefined => {
      const [entry] = valueOf(applyTo(three, 'oci:out', cwd)).entries;
      return entry && formatReference(entry.targets[0].destination);
    };
    expect(first('/elsewhere')).toBe('oci:/elsewhere/out/a/b:1');
    expect(first(`${three.folder}/deep`)).toBe('oci:./deep/out/a/b:1');
  });
});
