import { describe, expect, test } from 'vitest';
import { formatReference } from '../reference.ts';
import { complaints, digest, options, valueOf } from './fixtures.ts';
import { parseConfig } from './load.ts';
import { applyTo } from './to.ts';

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

test('two destinations that become one are failures with places', () => {
  const result = applyTo(
    config('sync:\n  - {source: a, destination: ghcr.io/a/b}\n  - {source: a, destination: quay.io/a/b}\n'),
    'x.example',
  );
  expect(complaints(result)).toEqual(['3:5 the destination x.example/a/b:latest is already in line 2, column 5']);
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
