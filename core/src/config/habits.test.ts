/** What people bring along from other tools and other files: it works, or the answer says what is meant here. */
import { expect, test } from 'vitest';
import { complaints, hints, options, valueOf } from './fixtures.ts';
import { parseConfig } from './load.ts';

const parse = (text: string) => parseConfig(text, '/repository/config.yaml', options);

test('entries share what stands under x- by anchors and merge keys; what is wrong with it is told where it stands', () => {
  const shared = `x-all: &all
  always: true
  platforms: [linux/amd64]
sync:
  - <<: *all
    source: a
    destination: r.example/a
  - <<: *all
    source: a
    destination: s.example/a
    always: false
`;
  expect(valueOf(parse(shared)).entries).toMatchObject([
    { always: true, platforms: [{ os: 'linux', architecture: 'amd64' }] },
    { always: false, platforms: [{ os: 'linux', architecture: 'amd64' }] },
  ]);
  expect(complaints(parse(shared.replace('always: true', 'alway: true')))[0]).toBe(
    '2:3 unknown key "alway" in "sync[0]"',
  );
});

test('a list that is none, a range among several, and a port in a name are answered at their place', () => {
  const text = `sync:
  - { source: a, destination: r.example/a, platforms: linux/amd64 }
  - { source: a, destination: r.example/b, select: { semver: ['>=1', new] } }
  - { source: 'localhost:5000/a', destination: 'r.example/{registry}/a' }
`;
  expect(complaints(parse(text))).toEqual([
    '2:55 "platforms" must be a list, not text',
    '3:70 "new" is not a range of versions',
    '4:48 "r.example/localhost:5000/a:latest" is not an image reference: "localhost:5000/a" is not a repository name',
  ]);
  expect(hints(parse(text))).toEqual([
    'for example [linux/amd64, linux/arm64]',
    "for example '>=1.2 <2'",
    'a repository\'s name has no ":": write another name in place of {registry}, which is localhost:5000',
  ]);
});

test('a destination of a selection that is none is shown as it is written', () => {
  const text =
    "sync: [{ source: 'r.example:5000/a', destination: 's.example/{registry}/{tag}', select: { tags: [b] } }]";
  expect(complaints(parse(text))).toEqual([
    expect.stringContaining('"s.example/r.example:5000/{tag}:{tag}" is not an image reference'),
  ]);
});

test.each(['', 'sync:\n#  - source: a\n', 'sync: []\nbuild: []\n'])(
  'a config that names nothing (%j) says so',
  (text) => {
    const parsed = parse(text);
    expect(parsed.ok && parsed.warnings).toEqual(['config.yaml names no image, so that nothing is done']);
  },
);

test('what stands in the settings is sent there', () => {
  const text = 'sync: []\ntrust: []\npolicy: {}\n';
  const there = 'that stands in the settings, slipway.config.yaml beside this file';
  expect(hints(parse(text))).toEqual([there, there]);
});

test('a mapping where a list belongs is told how an item begins', () => {
  const text = 'sync:\n  source: a\n  destination: r.example/a\n';
  expect(complaints(parse(text))).toEqual(['2:3 "sync" must be a list, not a mapping of keys to values']);
  expect(hints(parse(text))).toEqual(['begin each item of the list with "- "']);
});

test('what other tools write is answered with what is meant here', () => {
  const text = `sync:
  - from: docker://alpine
    target: \${REGISTRY}/alpine
  - { source: oci://r.example/a, destination: 's.example/\${ORG}/a' }
  - { source: 'ocidir://mirror/a:1', destination: s.example/b }
`;
  expect(hints(parse(text))).toEqual([
    'did you mean "source"?',
    'did you mean "destination"?',
    'leave out "oci://" of a registry; a folder has one slash at most, as oci:/r.example/a',
    'variables of the environment are not filled in; there are {registry}, {path}, {name} and {tag}',
    'a layout is oci:./mirror/a',
  ]);
  const known = text.replace('from:', 'source:').replace('target:', 'destination:');
  expect(hints(parse(known)).slice(0, 2)).toEqual([
    'leave out "docker://"',
    'variables of the environment are not filled in; there are {registry}, {path}, {name} and {tag}',
  ]);
});

test('several destinations and all tags are answered with how they are said', () => {
  const text = `sync:
  - { source: a, destinations: [r.example/a, s.example/a] }
  - { source: a, destinations: r.example/b }
  - { source: a, destination: r.example/c, select: { all: true } }
`;
  expect(complaints(parse(text))).toEqual([
    '2:18 unknown key "destinations" in "sync[0]"',
    '3:18 unknown key "destinations" in "sync[1]"',
    '4:54 unknown key "all" in "select"',
  ]);
  expect(hints(parse(text))).toEqual([
    'write an entry each: an entry has one "destination", and under "tags" further tags in the same repository',
    'did you mean "destination"?',
    "for every tag write regex: '.*'",
  ]);
});

test('keys of the layout that this one replaces are taken as they are', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const text = `sync:
  - source: cgr.dev/chainguard/static:latest@${digest}
    sourceSignature:
      issuerRegExp: https://token.actions.githubusercontent.com
      subjectRegExp: '^https://github.com/chainguard-images/|x$'
    destination: r.example/static:latest
    auto-update-mutable-tag-digest: true
`;
  const { entries } = valueOf(parse(text));
  expect(entries[0]).toMatchObject({
    verify: {
      accept: [
        {
          kind: 'identity',
          issuer: { pattern: '^.*(?:https://token.actions.githubusercontent.com).*$' },
          subject: { pattern: '^.*(?:^https://github.com/chainguard-images/|x$).*$' },
        },
      ],
    },
  });
  const pattern = new RegExp('^.*(?:^https://github.com/chainguard-images/|x$).*$', 'u');
  const found = ['https://github.com/chainguard-images/a', 'a https://github.com/chainguard-images/', 'ax', 'xa'];
  expect(found.filter((subject) => pattern.test(subject))).toEqual(['https://github.com/chainguard-images/a', 'ax']);
  expect(complaints(parse(text.replace('|x$', ')(x')))).toEqual([
    '5:22 "^https://github.com/chainguard-images/)(x" is not a regular expression of RE2: unexpected ): `^https://github.com/chainguard-images/)(x`',
  ]);
  expect(complaints(parse(text.replace('    destination', '    verify: { minAge: 1d }\n    destination')))).toEqual([
    '4:7 "sourceSignature" and "verify" exclude each other',
  ]);
});
