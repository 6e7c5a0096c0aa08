import { describe, expect, test } from 'vitest';
import { parseConfig } from '../config/load.ts';
import { complaints, digest, hints, options, valueOf } from '../config/fixtures.ts';
import { applyTo, checkMoved } from '../config/to.ts';
import type { Loaded } from '../config/loaded.ts';
import { fail, ok } from '../failure.ts';
import { formatReference, formatRepository, type Tag } from '../reference.ts';
import { attrition, expandSelections, type Expanded } from './expand.ts';
import { concerns, mayConcern } from './names.ts';

const FILE = '/w/config.yaml';

function expand(
  text: string,
  tags: Readonly<Record<string, readonly string[] | undefined>>,
): Promise<Loaded<Expanded>> {
  const config = valueOf(parseConfig(text, FILE, options));
  return expandSelections(config, async ({ source }) => {
    const found = tags[formatRepository(source)];
    return found === undefined
      ? fail({ reason: 'registry', class: 'transient', side: 'source', host: source.registry, message: 'down' })
      : ok(found as readonly Tag[]);
  });
}

function failuresOf({ expansions }: Expanded): readonly string[] {
  return expansions.flatMap(({ failure }) =>
    failure === undefined ? [] : [`${failure.at?.line}:${failure.at?.column} ${failure.message}`],
  );
}

const MIXED = `
sync:
  - { source: alpine, destination: r.example/alpine }
  - source: docker.io/library/node
    destination: r.example/mirror/{path}
    select: { semver: '>=18', latest: 2 }
    immutable: true
    platforms: [linux/arm64, x86_64]
  - { source: busybox, destination: r.example/busybox }
build: []
`;

describe('expandSelections', () => {
  test('as many tags as anybody may push are entries, or a failure of their selection alone', async () => {
    const tags = (count: number) => Array.from({ length: count }, (_, index) => `t${index}`);
    const text = (pattern: string) => `
sync:
  - { source: alpine, destination: r.example/alpine, select: { regex: '${pattern}' } }
  - { source: busybox, destination: r.example/busybox }
`;
    const many = valueOf(await expand(text('.*'), { 'docker.io/library/alpine': tags(50_000) }));
    expect(many.config.entries).toHaveLength(50_001);
    const { config, expansions } = valueOf(await expand(text('.*'), { 'docker.io/library/alpine': tags(200_000) }));
    expect(config.entries).toHaveLength(1);
    expect(expansions[0]?.failure).toMatchObject({
      class: 'permanent',
      message: expect.stringContaining('200000 tags of docker.io/library/alpine are selected'),
      at: { line: 3 },
    });
  });

  test('puts entries where the selection stands, with its options, its place and its id', async () => {
    const { config, expansions } = valueOf(
      await expand(MIXED, { 'docker.io/library/node': ['16.0.0', '20.1.0', '18.2.0', 'latest', '22.0.0'] }),
    );
    expect(config.entries.map(({ id }) => id)).toEqual([
      'sync:r.example/alpine:latest',
      'sync:r.example/mirror/library/node:22.0.0',
      'sync:r.example/mirror/library/node:20.1.0',
      'sync:r.example/busybox:latest',
    ]);
    expect(config.entries[1]).toMatchObject({
      selection: 'sync:r.example/mirror/library/node:{tag}',
      immutable: true,
      platforms: [
        { os: 'linux', architecture: 'amd64' },
        { os: 'linux', architecture: 'arm64' },
      ],
      at: { line: 4, column: 5 },
      source: { kind: 'tagged', path: 'library/node', tag: '22.0.0' },
    });
    expect(config.selections).toEqual([]);
    expect(expansions.map(({ selected }) => selected && attrition(selected))).toEqual([
      '5 tags, 2 dropped by semver, 1 by latest',
    ]);
  });

  test('a source that cannot be listed, and one of which too little is left, fail alone', async () => {
    const text = `
sync:
  - { source: a.example/down, destination: r.example/down, select: { regex: '.*' } }
  - { source: a.example/none, destination: r.example/none, select: { regex: 'x+' } }
  - { source: a.example/few, destination: r.example/few, select: { regex: '[0-9]', minimum: 3 } }
  - { source: a.example/gone, destination: r.example/gone, select: { regex: '.*' } }
  - { source: a.example/empty, destination: r.example/empty, select: { regex: 'x+', allowEmpty: true } }
  - { source: a.example/good, destination: r.example/good, select: { regex: '.*' } }
`;
    const { config, expansions } = valueOf(
      await expand(text, {
        'a.example/none': ['1', '2'],
        'a.example/few': ['1', '2'],
        'a.example/gone': [],
        'a.example/empty': ['1'],
        'a.example/good': ['1'],
      }),
    );
    expect(config.entries.map(({ id }) => id)).toEqual(['sync:r.example/good:1']);
    expect(config.selections.map(({ id }) => id)).toEqual(
      ['down', 'none', 'few', 'gone', 'empty'].map((name) => `sync:r.example/${name}:{tag}`),
    );
    expect(expansions.map(({ failure }) => failure?.message)).toEqual([
      'down',
      'no tag of a.example/none is selected: 2 tags, 2 dropped by regex',
      '2 of the 3 tags that "minimum" asks for of a.example/few are selected: 2 tags',
      'a.example/gone has no tags',
      undefined,
      undefined,
    ]);
    expect(expansions.slice(0, 4).map(({ failure }) => failure)).toEqual(
      Array.from({ length: 4 }, (_, index) =>
        expect.objectContaining({
          reason: 'registry',
          side: 'source',
          at: expect.objectContaining({ line: 3 + index }),
        }),
      ),
    );
  });

  test('whoever picks a suffix by a pattern is told how versions with one are compared', async () => {
    const text = `
sync:
  - { source: a.example/x, destination: r.example/x, select: { regex: '.*-alpine', sort: semver, latest: 2 } }
  - { source: a.example/x, destination: r.example/y, select: { regex: '.*-alpine', prerelease: true, semver: '>=2' } }
`;
    const { expansions } = valueOf(await expand(text, { 'a.example/x': ['1.2.0-alpine', '1.3.0-alpine', '1.3.0'] }));
    expect(expansions.map(({ failure }) => failure?.hint)).toEqual([
      expect.stringMatching(/^what follows a version makes it a prerelease: .* extract: .*; correct "select"/),
      'correct "select"; allowEmpty: true makes it no failure',
    ]);
  });

  test('tags that go where another item sends its own fail their selection alone: the later one, with both places', async () => {
    const text = `
sync:
  - source: a.example/x
    destination: R.EXAMPLE/x
    select: { regex: '.*' }
  - source: a.example/y
    destination: r.example/{name}
    select: { regex: '.*' }
  - { source: b.example/x, destination: 'r.example/x:2' }
`;
    const tags = { 'a.example/x': ['1', '2'], 'a.example/y': ['1'] };
    const one = valueOf(await expand(text, tags));
    expect(one.config.entries.map(({ id }) => id)).toEqual(['sync:r.example/y:1', 'sync:r.example/x:2']);
    expect(one.config.selections.map(({ id }) => id)).toEqual(['sync:r.example/x:{tag}']);
    expect(failuresOf(one)).toEqual([
      '4:18 the destination r.example/x:2 of a tag of a.example/x is also that of line 9, column 5',
    ]);
    const clash = text
      .replace('r.example/{name}', 'r.example/x')
      .replace("b.example/x, destination: 'r.example/x:2'", "b.example/x, destination: 'r.example/z:2'");
    const later = valueOf(await expand(clash, tags));
    expect(later.config.entries.map(({ id }) => id)).toEqual([
      'sync:r.example/x:1',
      'sync:r.example/x:2',
      'sync:r.example/z:2',
    ]);
    expect(failuresOf(later)).toEqual([
      '7:18 the destination r.example/x:1 of a tag of a.example/y is also that of line 4, column 18',
    ]);
    expect(later.expansions[1]?.failure).toMatchObject({ reason: 'registry', side: 'source', class: 'permanent' });
    const itself = `sync:\n  - { source: a.example/x, destination: 'r.example/x:{tag}', tags: [newest], select: { regex: '.*' } }\n`;
    expect(failuresOf(valueOf(await expand(itself, tags)))).toEqual([
      '2:69 several tags of a.example/x go to one destination: r.example/x:newest',
    ]);
  });

  test('all that two items have in common is one text, with the first few', async () => {
    const item = (source: string) => `  - { source: '${source}', destination: r.example/x, select: { regex: '.*' } }\n`;
    const written = "  - { source: d.example/x, destination: 'r.example/x:7' }\n";
    const text = `sync:\n${['a', 'b', 'c'].map((name) => item(`s.example/${name}`)).join('')}${written}`;
    const tags = {
      's.example/a': ['1', '2', '3', '4', '5'],
      's.example/b': ['2', '3', '4', '5', '6'],
      's.example/c': ['5', '7'],
    };
    const told = valueOf(await expand(text, tags));
    expect(told.config.entries).toHaveLength(6);
    expect(failuresOf(told)).toEqual([
      '3:43 4 destinations of tags of s.example/b are also those of line 2, column 43: r.example/x:2, r.example/x:3, r.example/x:4 and 1 more',
      '4:43 the destination r.example/x:5 of a tag of s.example/c is also that of line 2, column 43; the destination r.example/x:7 of a tag of s.example/c is also that of line 5, column 5',
    ]);
  });

  test('what a failed selection would have done is no clash for the next', async () => {
    const item = (source: string) => `  - { source: ${source}, destination: r.example/x, select: { regex: '.*' } }\n`;
    const text = `sync:
  - { source: b.example/x, destination: 'r.example/x:1' }
${item('s.example/a')}${item('s.example/b')}`;
    const { config } = valueOf(await expand(text, { 's.example/a': ['1', '2'], 's.example/b': ['2'] }));
    expect(config.entries.map(({ id, at }) => [id, at.line])).toEqual([
      ['sync:r.example/x:1', 2],
      ['sync:r.example/x:2', 4],
    ]);
  });

  test('what a failed selection would have done as well is done by the other that chose it', async () => {
    const item = (name: string, select: string) =>
      `  - { source: a.example/x, destination: ${name}, select: ${select} }\n`;
    const text = `sync:
  - { source: b.example/x, destination: 'r.example/x:1' }
${item('r.example/x', "{ regex: '[12]' }")}${item('r.example/x', "{ regex: '[23]' }")}`;
    const { config } = valueOf(await expand(text, { 'a.example/x': ['1', '2', '3'] }));
    expect(config.entries.map(({ id, at }) => [id, at.line])).toEqual([
      ['sync:r.example/x:1', 2],
      ['sync:r.example/x:2', 4],
      ['sync:r.example/x:3', 4],
    ]);
    expect(config.selections.map(({ at }) => at.line)).toEqual([3]);
  });

  test('a tag that two items choose in the same way is one entry; in another way, or from elsewhere, it collides', async () => {
    const text = (options: string, source = 'a.example/x') => `
sync:
  - { source: a.example/x, destination: r.example/x, platforms: [x86_64], select: { regex: '3.*', tags: [edge] } }
  - { source: ${source}, destination: 'r.example/{name}:{tag}', ${options}, select: { semver: '>=3' } }
  - { source: 'a.example/x:3.1', destination: 'r.example/x:3.1', platforms: [linux/amd64] }
`;
    const tags = { 'a.example/x': ['2.0', '3.0', '3.1', '4.0'], 'b.example/x': ['3.0'] };
    const { config } = valueOf(await expand(text('platforms: [linux/amd64]'), tags));
    expect(config.entries.map(({ id, at }) => [id, at.line])).toEqual([
      ['sync:r.example/x:edge', 3],
      ['sync:r.example/x:3.0', 3],
      ['sync:r.example/x:3.1', 3],
      ['sync:r.example/x:4.0', 4],
    ]);
    expect(config.selections).toEqual([]);
    expect(failuresOf(valueOf(await expand(text('referrers: true'), tags)))).toEqual([
      expect.stringMatching(
        /the destination r.example\/x:3.1 .* line 5, .*; the destination r.example\/x:3.0 .* line 3,/,
      ),
    ]);
    expect(failuresOf(valueOf(await expand(text('platforms: [linux/amd64]', 'b.example/x'), tags)))).toEqual([
      expect.stringContaining('the destination r.example/x:3.0 of a tag of b.example/x is also that of line 3'),
    ]);
  });

  test('a tag that is no part of a repository name is a failure at the template', async () => {
    const text = `sync:\n  - { source: a.example/x, destination: 'r.example/x/{tag}:1', select: { regex: '.*' } }\n`;
    expect(valueOf(await expand(text, { 'a.example/x': ['1'] })).config.entries[0]?.id).toBe('sync:r.example/x/1:1');
    expect(complaints(await expand(text, { 'a.example/x': ['V1'] }))).toEqual([
      expect.stringMatching(/^2:41 with the tag V1 of a.example\/x, .*"x\/V1" is not a repository name/),
    ]);
  });

  test('--to maps what was expanded, finds new collisions, and follows literal tags of other entries', async () => {
    const text = `
sync:
  - { source: a.example/x, destination: 'one.example/x', select: { tags: ['1', '2'] } }
  - { source: one.example/x, destination: 'two.example/y', select: { regex: '.*', latest: 1, sort: alphabetical } }
`;
    const { config } = valueOf(await expand(text, { 'one.example/x': ['1', '2'] }));
    const moved = valueOf(applyTo(config, 'scratch.example/p'));
    expect(
      moved.entries.map((entry) => [
        formatReference(entry.targets[0].destination),
        entry.kind === 'sync' && formatReference(entry.source),
      ]),
    ).toEqual([
      ['scratch.example/p/x:1', 'a.example/x:1'],
      ['scratch.example/p/x:2', 'a.example/x:2'],
      ['scratch.example/p/y:2', 'scratch.example/p/x:2'],
    ]);
    const same = text.replace('two.example/y', 'two.example/x');
    const clashing = valueOf(await expand(same, { 'one.example/x': ['2'] }));
    const asked = new Set(clashing.config.entries.map(({ id }) => id));
    const to = valueOf(applyTo(clashing.config, 'scratch.example'));
    expect(complaints(checkMoved(to, 'scratch.example', asked))).toEqual([
      expect.stringContaining('the destination scratch.example/x:2 is already in line 3'),
      expect.stringContaining('the source of "sync:two.example/x:2" becomes scratch.example/x:2'),
    ]);
  });

  test('a pattern that may be about a selection is never said not to be', () => {
    const [selection] = valueOf(parseConfig(MIXED, FILE, options)).selections;
    if (selection === undefined) throw new Error('there is one');
    const may = [
      'sync:*',
      '*',
      'r.example/mirror/library/node:20',
      'sync:r.example/mirror/**',
      '{sync,build}:r*',
      '**/node:*',
    ];
    expect(may.filter((pattern) => !mayConcern(pattern, selection))).toEqual([]);
    const never = ['build:*', 'sync:r.example/alpine:latest', 'r.example/mirror/library/nodes:1', 'other*'];
    expect(never.filter((pattern) => mayConcern(pattern, selection))).toEqual([]);
  });

  test('only what is certain to match every tag leaves a selection out', () => {
    const [selection] = valueOf(parseConfig(MIXED, FILE, options)).selections;
    if (selection === undefined) throw new Error('there is one');
    const runs = (pattern: string) => concerns({ command: 'sync', only: [], exclude: [pattern] }, selection);
    const all = [
      '*',
      'sync:*',
      '*/node:*',
      'r.example/mirror/**',
      selection.id,
      selection.destination,
      '{*/x,*/node:*}',
    ];
    expect(all.filter(runs)).toEqual([]);
    const some = ['*/node:2*', '*{tag}', '*tag*', '*/node:?', '*/node:[!3]*', '*/node:!(3)', '*/node', '*-alpine'];
    expect(some.filter((pattern) => !runs(pattern))).toEqual([]);
  });
});

describe('reading of selections', () => {
  const read = (text: string) => parseConfig(text, FILE, options);
  const item = (rest: string) => `sync:\n  - source: a.example/x\n${rest.replace(/^/gm, '    ')}\n`;

  test('literal tags are entries at once, and ask nobody', () => {
    const config = valueOf(
      read(item("destination: r.example/{name}-copy\nselect: { tags: ['1', '2'] }\ntags: ['{tag}-{date}']")),
    );
    expect(config.selections).toEqual([]);
    expect(
      config.entries.map(({ id, targets }) => [
        id,
        targets.map(({ destination, templated }) => [destination.tag, templated]),
      ]),
    ).toEqual([
      [
        'sync:r.example/x-copy:1',
        [
          ['1', false],
          ['1-2026-11-23', true],
        ],
      ],
      [
        'sync:r.example/x-copy:2',
        [
          ['2', false],
          ['2-2026-11-23', true],
        ],
      ],
    ]);
  });

  test('ids of two selections with one destination differ', () => {
    const one = "  - { source: a.example/x, destination: r.example/x, select: { regex: 'NAME.*' } }\n";
    const config = valueOf(read(`sync:\n${one.replace('NAME', 'a')}${one.replace('NAME', 'b')}`));
    expect(config.selections.map(({ id }) => id)).toEqual(['sync:r.example/x:{tag}', 'sync:r.example/x:{tag}~2']);
  });

  test('literal tags collide at load, with entries and among selections', () => {
    const text = `sync:
  - { source: a.example/x, destination: r.example/x, select: { tags: ['1'] } }
  - { source: a.example/y, destination: r.example/x, select: { tags: ['1'], semver: '>=2' } }
  - { source: a.example/z, destination: 'r.example/x:1' }
`;
    expect(complaints(read(text)).map((line) => line.replace(/column \d+/, '…'))).toEqual(
      [
        '3:41 the destination r.example/x:1 is already in line 2, …',
        '4:41 the destination r.example/x:1 is already in line 2, …',
      ].sort(),
    );
  });

  test.each([
    ['destination: r.example/x\nselect: { latest: 3 }', '"latest" does not say what makes a tag newer'],
    [
      "destination: 'r.example/x:one'\nselect: { regex: '.*' }",
      'every tag of this selection would go to "r.example/x:one"',
    ],
    ["destination: 'r.example/x:{tog}'\nselect: { regex: '.*' }", '"{tog}" cannot be filled in'],
    ["destination: r.example/x\nselect: { semver: 'new' }", '"new" is not a range of versions'],
    [
      "destination: r.example/x\nselect: { regex: '(' }",
      '"(" is not a regular expression of RE2: missing closing ): `(`',
    ],
    [
      "destination: r.example/x\nselect: { exclude: ['*-rc', '/(/'] }",
      '"/(/" is not a regular expression of RE2: missing closing ): `(`',
    ],
    [
      "destination: r.example/x\nselect: { regex: '.*', exclude: ['*-[a-z]*'] }",
      '"*-[a-z]*" leaves no tag out, since none has "[" in it',
    ],
    [
      "destination: r.example/x\nselect: { regex: '.*', exclude: ['^v1'] }",
      '"^v1" leaves no tag out, since none has "^" in it',
    ],
    ["destination: r.example/x\nselect: { extract: 'a', sort: semver }", '"a" has no group to extract'],
    [
      "destination: r.example/x\nselect: { regex: '.*', minimum: 4, latest: 3, sort: semver }",
      'there can never be 4 tags here',
    ],
    [`destination: r.example/x\nselect: { tags: ['sha256-${'a'.repeat(64)}.sig'] }`, 'is not a tag of an image'],
    ["destination: r.example/x\nselect: { regex: '.*' }\nbackup: old", '"backup" is one tag for all of the tags here'],
    ['destination: r.example/x\nselect: {}', '"select" is empty'],
    ["destination: r.example/x\nselect: { semvar: '1' }", 'unknown key "semvar" in "select" (did you mean "semver"?)'],
    ["destination: r.example/x\nselect: { allow: ['1'] }", 'unknown key "allow" in "select" (did you mean "regex"?)'],
    ["destination: r.example/x\nselect: { deny: ['1'] }", 'unknown key "deny" in "select" (did you mean "exclude"?)'],
    [
      'destination: r.example/x\nselect: { allowEmty: true }',
      'unknown key "allowEmty" in "select" (did you mean "allowEmpty"?)',
    ],
  ])('%s', (rest, message) => {
    const result = read(item(rest));
    const found = complaints(result).map((line, index) => `${line} (${hints(result)[index]})`);
    expect(found.join('\n')).toContain(message);
  });

  test('a source with a tag or a digest is none of a selection', () => {
    const text = (source: string) =>
      `sync:\n  - { source: '${source}', destination: r.example/x, select: { regex: '.*' } }\n`;
    for (const source of ['a.example/x:1', `a.example/x@${digest('a')}`]) {
      expect(complaints(read(text(source)))).toEqual([expect.stringContaining('has a tag or a digest')]);
    }
    expect(valueOf(read(text('localhost:5000/x'))).selections[0]?.source).toEqual({
      registry: 'localhost:5000',
      path: 'x',
    });
  });
});

describe('reading of what a sync may ask for', () => {
  const read = (rest: string, source = 'docker.io/library/alpine:3.20') =>
    parseConfig(`sync:\n  - source: ${source}\n    ${rest.replace(/\n/g, '\n    ')}\n`, FILE, options);
  const entry = (rest: string) => valueOf(read(rest)).entries[0];

  test('templates of the source are filled in, and are no reason to wait for a new digest', () => {
    expect(entry("destination: 'r.example/{registry}/{path}:{tag}'\ntags: ['{tag}-{date}']")).toMatchObject({
      id: 'sync:r.example/docker.io/library/alpine:3.20',
      targets: [{ templated: false }, { templated: true }],
    });
    expect(complaints(read("destination: 'r.example/x:{tag}'", `alpine@${digest('a')}`))).toEqual([
      expect.stringContaining('"{tag}" needs a tag, and the source has only a digest'),
    ]);
  });

  test('referrers, verification, backup', () => {
    expect(entry('destination: r.example/x\nreferrers: true')).toMatchObject({ referrers: {} });
    expect(entry('destination: r.example/x\nreferrers: false')).not.toHaveProperty('referrers');
    expect(entry("destination: r.example/x\nreferrers: { types: ['application/*'] }")).toMatchObject({
      referrers: { types: ['application/*'] },
    });
    const verify = 'verify: { issuer: https://i.example, subjectPattern: "https://s.example/.*", minAge: 7d }';
    expect(entry(`destination: r.example/x\n${verify}`)).toMatchObject({
      verify: {
        minAge: 604_800_000,
        accept: [
          {
            kind: 'identity',
            issuer: { exact: 'https://i.example' },
            subject: { pattern: '^(?:https://s.example/.*)$' },
          },
        ],
      },
    });
    expect(entry('destination: r.example/x\nverify: { minAge: 1h }')).toMatchObject({
      verify: { accept: [], minAge: 3_600_000 },
    });
    expect(entry("destination: r.example/x\nbackup: 'old-{date}'")).toMatchObject({
      backup: { template: 'old-{date}' },
    });
  });

  test.each([
    ['verify: {}', '"verify" is empty'],
    ['verify: { issuer: a }', '"subject" is missing'],
    ['verify: { anyOf: [], issuer: a, subject: b }', '"anyOf" and a signer beside it exclude each other'],
    ['verify: { key: ./k.pub }', 'was not read'],
    ['verify: { key: ../k.pub }', "leaves the config's folder"],
    ['verify: { minAge: soon }', 'cannot be "soon"'],
    ['backup: "{tog}"', '"{tog}" cannot be filled in'],
    ['backup: "a b"', 'is not a tag'],
    ['backup: old\ntags: [b]', '"backup" is one tag for all of the tags here'],
    ['referrers: 1', '"referrers" must be true or false or a mapping'],
    ['platforms: [x68]', '"x68" is not a platform'],
    ['immutable: yes please', '"immutable" must be true or false'],
  ])('%s', (rest, message) => {
    expect(complaints(read(`destination: r.example/x\n${rest}`)).join('\n')).toContain(message);
  });
});
