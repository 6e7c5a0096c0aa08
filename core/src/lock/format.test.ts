/** A lock as text: the same state is the same text, and comes back as it was. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { complaints, digest, valueOf } from '../config/fixtures.ts';
import type { Digest, Tag } from '../reference.ts';
import { formatLock, parseLock } from './format.ts';
import type { Lock, LockedImage } from './model.ts';

const FILE = '/repo/slipway.lock.yaml';

const image: fc.Arbitrary<LockedImage> = fc.record(
  {
    digest: fc.constantFrom('a', 'b').map((character) => digest(character) as Digest),
    platforms: fc.array(fc.constantFrom('linux/amd64', 'linux/arm64', 'windows/amd64:10.0')),
    verified: fc.constantFrom('https://example.com/x@refs/heads/main', '0'.repeat(64), 'a: b # c'),
  },
  { requiredKeys: ['digest', 'platforms'] },
);
const key = fc.constant('0123456789abcdef');
const id = fc.constantFrom(
  'sync:r.example/a:1',
  'sync:r.example/b:{tag}',
  '__proto__',
  `sync:${'x'.repeat(1000)}:{date}`,
  '1',
);
const tag = fc.constantFrom(
  '10',
  '9',
  '1.10',
  '1.1',
  'latest',
  'true',
  'null',
  '0x1',
  '1e3',
  '__proto__',
  '_',
) as fc.Arbitrary<Tag>;
const mapOf = <K extends string, V>(name: fc.Arbitrary<K>, value: fc.Arbitrary<V>) =>
  fc.array(fc.tuple(name, value)).map((pairs) => new Map(pairs));
const lock: fc.Arbitrary<Lock> = fc.record({
  sources: mapOf(
    id,
    fc.tuple(key, image).map(([of, one]) => ({ key: of, source: 'r.example/a:1', ...one })),
  ),
  selections: mapOf(
    id,
    fc.tuple(key, mapOf(tag, image)).map(([of, tags]) => ({ key: of, source: 'r.example/a', tags })),
  ),
});

it('comes back as it was, and does not depend on the order in which it was made', () => {
  fc.assert(
    fc.property(lock, (made) => {
      const text = formatLock(made);
      const read = valueOf(parseLock(text, FILE));
      expect(read).toEqual(made);
      const backwards = {
        sources: new Map([...made.sources].toReversed()),
        selections: new Map([...made.selections].toReversed()),
      };
      expect(formatLock(backwards)).toBe(text);
      expect(formatLock(read)).toBe(text);
    }),
  );
});

it('is easy to review', () => {
  const one: LockedImage = { digest: digest('a') as Digest, platforms: ['linux/amd64', 'linux/arm64'] };
  const text = formatLock({
    sources: new Map([['sync:r.example/a:1', { key: '0123456789abcdef', source: 'docker.io/library/a:1', ...one }]]),
    selections: new Map([
      [
        'sync:r.example/b:{tag}',
        {
          key: '0123456789abcdef',
          source: 'docker.io/b/b',
          tags: new Map([['1.10' as Tag, { ...one, verified: 'me' }]]),
        },
      ],
    ]),
  });
  expect(text).toMatchInlineSnapshot(`
    "version: 1
    sources:
      sync:r.example/a:1:
        key: 0123456789abcdef
        source: docker.io/library/a:1
        digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        platforms: [linux/amd64, linux/arm64]
    selections:
      sync:r.example/b:{tag}:
        key: 0123456789abcdef
        source: docker.io/b/b
        tags:
          '1.10':
            digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
            platforms: [linux/amd64, linux/arm64]
            verified: me
    "
  `);
});

it.each([
  ['', '1:1 '],
  ['version: 2\nsources: {}\nselections: {}\n', '1:10 version 2 of the lock is not known'],
  ['version: 1\nsources:\n  a: { key: x }\nselections: {}\n', '3:'],
  [
    'version: 1\n<<<<<<< HEAD\nsources: {}\n=======\nsources: {a: 1}\n>>>>>>> b\nselections: {}\n',
    '2:1 a conflict of a merge',
  ],
  ['version: 1\r\n<<<<<<< HEAD\r\nsources: {}\r\n', '2:1 a conflict of a merge'],
  ['version: 1\nsources: {}\nselections: {}\nmore: 1\n', '4:1 unknown key "more"'],
  ['version: 1\nsources: {}\nselections: { a: { key: 0123456789abcdef, source: b, tags: { "-x": 1 } } }\n', '3:'],
])('refuses %j with its place', (text, start) => {
  expect(complaints(parseLock(text, FILE))[0]).toMatch(new RegExp(`^${start}`));
});

it('says of what update cannot read either how it is mended', () => {
  const read = parseLock('', FILE);
  expect(read.ok ? undefined : read.failures[0]?.hint).toContain('delete it and run slipway update');
});
