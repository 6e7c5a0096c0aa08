/** What a step of regsync says of tags and options: taken over as it works there, or named. */
import { describe, expect, it } from 'vitest';
import { imported, expanded } from './fixtures.ts';

const steps = (...written: readonly string[]) =>
  imported('regsync', `sync:\n${written.map((step) => `  - { ${step} }\n`).join('')}`);
const repository = (name: string, rest: string) =>
  `type: repository, source: r.example/${name}, target: s.example/${name}, ${rest}`;
const tags = (set: string) => steps(repository('a', set));

describe('tags of a step', () => {
  it.each([
    ['allow: ["*"]', ['1-slim', '1', 'slim']],
    ['allow: ["*-slim"]', ['1-slim']],
    ['allow: ["?-slim"]', ['1-slim']],
    ['allow: ["+1|slim"]', ['1-slim', '1', 'slim']],
    ['allow: ["+slim"]', ['slim']],
    ['allow: ["^*slim"]', ['slim']],
    ['deny: ["*-slim"]', ['1', 'slim']],
  ])('are those that Go finds with %s', async (set, expected) => {
    const { config, unsupported } = tags(`tags: { ${set} }`);
    expect(unsupported).toEqual([]);
    const found = await expanded(config, ['1-slim', '1', 'slim']);
    expect(found.map((id) => id.slice('sync:s.example/a:'.length)).toSorted()).toEqual(expected.toSorted());
  });

  it.each([
    ['tags: [latest, "3.20"]', 'sync[0].tags: it is no mapping with allow, deny, semverRange'],
    ['tags: latest', 'sync[0].tags: it is no mapping'],
    ['tagSets: [{ allow: [a] }, b]', 'sync[0].tagSets[1]: it is no mapping'],
    ['tags: { include: [latest] }', 'sync[0].tags.include: regsync has no such test of tags'],
    ['tags: { allow: [a, "(b"] }', 'sync[0].tags.allow[1]: "(b" is not a regular expression of RE2'],
    ['tags: { deny: ["**"] }', 'sync[0].tags.deny[0]: "**" is not a regular expression of RE2'],
    ['tags: { deny: [{ a: b }] }', 'sync[0].tags.deny[0]: "" is no pattern'],
  ])('that cannot be told leave the step out: %s', (set, why) => {
    const { entries, unsupported } = tags(set);
    expect(unsupported).toEqual([expect.stringContaining(why)]);
    expect(unsupported[0]).toContain('so the step was left out');
    expect(entries).toBe(0);
  });

  it.each([
    ['tags: { allow: [~, v0.1.1] }', 'tags.allow[0]', ['v0.1.1']],
    ['tags: { allow: ["", "v.*"] }', 'tags.allow[0]', ['v0.1.1', 'v1']],
    ['tags: { deny: ["v.*", ~] }', 'tags.deny[1]', ['18.0.0', 'latest']],
    ['tags: { semverRange: ["", "=18.0.0"] }', 'tags.semverRange[0]', ['18.0.0']],
    ['tags: { semverRange: [""] }', 'tags.semverRange[0]', ['18.0.0', 'latest', 'v0.1.1', 'v1']],
    ['tagSets: [{ allow: [""] }, { allow: ["v.*"] }]', 'tagSets[0].allow[0]', ['v0.1.1', 'v1']],
  ])('lose an empty item and nothing else: %s', async (set, what, expected) => {
    const { config, notes } = tags(set);
    expect(notes).toEqual([expect.stringContaining(`sync[0].${what}: an empty item`)]);
    const found = await expanded(config, ['18.0.0', 'latest', 'v0.1.1', 'v1']);
    expect(found.map((id) => id.slice('sync:s.example/a:'.length)).toSorted()).toEqual(expected);
  });

  it('of signatures that a pattern asks for come as referrers', () => {
    const { config, text, unsupported, notes } = tags("tags: { allow: ['latest', 'v\\d+', 'sha256-.*'] }");
    expect(config.selections).toMatchObject([{ referrers: {} }]);
    expect(unsupported).toEqual([]);
    expect(notes).toEqual([expect.stringContaining('sync[0].tags.allow[2]: no pattern finds tags as sha256-…')]);
    expect(text).toContain('  # tags.allow[2]: no pattern finds');
    for (const set of ["{ allow: ['.*'] }", "{ allow: ['v.*'] }", '{ allow: ["[a-z0-9.-]+"] }']) {
      expect(tags(`tags: ${set}`).notes).toEqual([]);
    }
    const some = 'referrers: true, referrerFilters: [{ artifactType: a/b }]';
    expect(tags(`${some}, tags: { allow: ['sha256-.*'] }`).config.selections).toMatchObject([
      { referrers: { types: ['a/b'] } },
    ]);
  });

  it('beside an image are told of, since regsync does not look at them', () => {
    const { config, notes, text } = steps(
      'type: image, source: r.example/a, target: s.example/a, tags: { allow: [x] }',
    );
    expect(config.entries.map(({ id }) => id)).toEqual(['sync:s.example/a:latest']);
    expect(notes).toEqual([expect.stringContaining('sync[0].tags: regsync chooses no tags with type: image')]);
    expect(text).toContain('  # tags: regsync chooses no tags with type: image');
  });

  it('are none where every item is empty, as with regsync', () => {
    const { entries, unsupported } = tags('tags: { allow: [""] }');
    expect(unsupported).toEqual([expect.stringContaining('sync[0].tags.allow: it has empty items alone')]);
    expect(entries).toBe(0);
  });

  it('are taken by what is known beside a test that is not', () => {
    const { entries, unsupported } = tags('tags: { allow: ["1.*"], limit: 3 }');
    expect(unsupported).toEqual([
      '2:98 sync[0].tags.limit: regsync has no such test of tags: there are allow, deny, semverRange',
    ]);
    expect(entries).toBe(1);
  });

  it('of more than two kinds of sets are a selection each', async () => {
    const { config, unsupported } = tags(
      'tagSets: [{ allow: [x] }, { semverRange: [">=1 <2"], allow: [".*-a"] }, { semverRange: [">=2 <3"], deny: [".*-b"] }, { semverRange: ["^3"] }]',
    );
    expect(unsupported).toEqual([]);
    expect(await expanded(config, ['x', '1.1-a', '1.1-b', '2.1-a', '2.1-b', '3.0', '4.0'])).toEqual(
      ['x', '1.1-a', '2.1-a', '3.0'].map((tag) => `sync:s.example/a:${tag}`),
    );
  });

  it('are told of in the header: names that are not there, and what is none of all', () => {
    const missing = '# A tag by name that is not there is a failure';
    const signatures = '# Of all tags those as sha256-… are left out';
    expect(tags('tags: { allow: [a, b] }').text).toContain(missing);
    expect(tags('tags: { allow: [a] }').text).toContain(missing);
    expect(tags('tags: { allow: ["a.*"] }').text).not.toContain(missing);
    expect(tags('tags: {}').text).toContain(signatures);
    expect(tags('tags: { allow: ["a.*"] }').text).not.toContain(signatures);
    expect(imported('skopeo', 'r.example: { images: { x: [] } }', { destination: 's.example' }).text).toContain(
      signatures,
    );
    expect(imported('skopeo', 'r.example: { images: { x: [a, b] } }', { destination: 's.example' }).text).not.toContain(
      missing,
    );
  });
});

describe('options of a step', () => {
  it('say which referrers do not come along, above the entry too', () => {
    const { text, unsupported } = tags(
      'referrers: true, referrerSource: "ocidir://scout", referrerTarget: other.example/a',
    );
    const here = '"ocidir://scout" is no repository of a registry: referrers are read beside the image';
    const there = 'referrers are written where the image goes: none goes to other.example/a';
    expect(unsupported.map((line) => line.replace(/^\S+ /, ''))).toEqual([
      `sync[0].referrerSource: ${here}`,
      `sync[0].referrerTarget: ${there}`,
    ]);
    expect(text).toContain(`  # referrerSource: ${here}\n  # referrerTarget: ${there}\n  - source`);
    expect(tags('referrers: true, referrerTarget: s.example/a').unsupported).toEqual([]);
    expect(tags('referrerSource: scout.example/a').unsupported).toEqual([]);
  });

  it('say where referrers are read', () => {
    const elsewhere = 'referrers: true, referrerSource: scout.example/a';
    expect(tags(elsewhere)).toMatchObject({ unsupported: [], text: expect.stringContaining('from: scout.example/a') });
    expect(tags('referrers: true, referrerSource: r.example/a').text).toContain('referrers: true');
    expect(tags(`${elsewhere}, referrerFilters: [{ artifactType: a/b }]`).text).toMatch(/types:[^]*from: scout/);
    expect(tags(`${elsewhere}, digestTags: true`).unsupported).toEqual([
      expect.stringContaining('of digest tags those at scout.example/a are copied'),
    ]);
  });

  it('name the digest tags that do not come along with some types', () => {
    const filters = 'referrers: true, digestTags: true, referrerFilters: [{ artifactType: a/b }]';
    expect(tags(filters).unsupported).toEqual([expect.stringContaining('sync[0].digestTags: beside "types"')]);
    expect(tags('referrers: true, digestTags: true').unsupported).toEqual([]);
  });

  it('name the kinds of images that a shortened list keeps from regsync', () => {
    const all = ['docker.distribution.manifest.v2+json', 'docker.distribution.manifest.list.v2+json'].map(
      (type) => `application/vnd.${type}`,
    );
    const oci = ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.oci.image.index.v1+json'];
    const types = (list: readonly string[]) => tags(`mediaTypes: [${list.map((type) => `"${type}"`).join(', ')}]`);
    expect(types([...oci, ...all]).unsupported).toEqual([]);
    expect(types(oci).unsupported).toEqual([
      expect.stringContaining(`is copied: also ${all.join(', ')}, which regsync`),
    ]);
  });

  it('look at all that an index names with forceRecursive', () => {
    const { config, unsupported } = tags('forceRecursive: true');
    expect(config.selections).toMatchObject([{ always: true }]);
    expect(unsupported).toEqual([]);
    expect(tags('forceRecursive: false').config.selections).toMatchObject([{ always: false }]);
  });

  it('take of platforms those that there are, with a word on the digest', () => {
    const { config, text, unsupported } = tags('platforms: [linux/amd64, linux/arm64]');
    expect(unsupported).toEqual([]);
    expect(config.selections).toMatchObject([{ platforms: [{}, {}], missingPlatforms: 'skip' }]);
    expect(text).toContain('  # where platforms are left out, the digest is that of a new index');
    expect(tags('platform: linux/amd64').config.selections).toMatchObject([{ missingPlatforms: 'skip' }]);
  });

  it('that cannot be had leave the rest as it is', () => {
    const { config, text, unsupported } = steps(
      repository('a', 'backup: backup'),
      repository('b', 'backup: "-{{.Ref.Tag}}"'),
      'type: image, source: r.example/c, target: s.example/c, backup: backup, platform: local',
    );
    expect(unsupported.map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'sync[0].backup: each tag of a repository needs a backup of its own name; "backup-{tag}" was written',
      'sync[1].backup: a backup is a tag in the same repository; "backup-{tag}-{date}" was written',
      'sync[2].platform: "local" is the platform of the machine that runs regsync: name it, as linux/amd64',
    ]);
    expect(config.selections).toHaveLength(2);
    expect(config.entries).toMatchObject([{ backup: { template: 'backup' } }]);
    expect(text).not.toContain('this one platform');
  });

  it.each([
    ['{{.Ref.Tag}}-{{time.Now.Format "2006-01-02"}}', '{tag}-{date}', 0],
    ['{{.Ref.Tag}}-{{ time.Now.Format "20060102" }}', '{tag}-{date}', 1],
    ['old-{{printf "%s.%s" .Ref.Tag (time.Now.UTC.Format `20060102T150405`)}}', 'old-{tag}.{date}', 1],
    ['{{$t := time.Now}}{{printf "%s-%d%d" .Ref.Tag $t.Year $t.YearDay}}', 'backup-{tag}-{date}', 1],
    ['{{.Ref.Registry}}/old/{{.Ref.Repository}}:{{.Ref.Tag}}', 'backup-{tag}-{date}', 1],
    ['s.example/old:{{.Ref.Tag}}', 'backup-{tag}-{date}', 1],
    ['{{env "STAGE"}}-{{.Ref.Tag}}', 'backup-{tag}-{date}', 1],
  ])('keep a backup, by the nearest name: %s', (written, backup, told) => {
    const { config, unsupported } = tags(`backup: '${written}'`);
    expect(config.selections).toMatchObject([{ backup: { template: backup } }]);
    expect(unsupported).toHaveLength(told);
  });

  it('that are not set in the environment are asked for at once', () => {
    const { entries, unsupported } = steps(
      'type: image, source: r.example/a, target: \'{{ env "ONE" }}/a\'',
      'type: image, source: \'r.example/{{ env "TWO" }}\', target: \'{{ env "ONE" }}/b\'',
      'type: image, source: r.example/c, target: s.example/c',
    );
    expect(unsupported).toEqual([
      '2:5 env: 2 steps were left out: set ONE, TWO, as regsync finds them in its environment, and import again',
    ]);
    expect(entries).toBe(1);
  });
});
