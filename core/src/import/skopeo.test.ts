/** The YAML of `skopeo sync` as a config of ours. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digest } from '../config/fixtures.ts';
import { selectTags } from '../selection/select-tags.ts';
import type { Tag } from '../reference.ts';
import { imported as importedBy } from './fixtures.ts';
import { importConfig } from './import.ts';
import type { ImportRequest } from './model.ts';

const FILE = '/somewhere/sync.yml';

function imported(text: string | readonly string[], request: Partial<ImportRequest> = {}) {
  return importedBy('skopeo', text, { destination: 'registry.example/mirror', ...request });
}

/** In the shape of a real organisation's file: lists, ranges, one regular expression, numbers without quotes. */
const REAL = `docker.io:
  tls-verify: true
  images-by-semver:
    tools/govern: ">= v0.37.0"
    charts/charts-oss: ">= 11.1.0"
  images-by-tag-regex:
    go: ^1\\.24(\\.[0-9]+)?-alpine3\\.22$
  images:
    alpine:
      - '3.22'
      - '3.20'
    vendor/ubi8:
      - '8.10'
    python:
      - 3.10
      - 3.11-bookworm
    lint/lint:
      - v2.12.0-alpine
quay.io:
  tls-verify: true
  images:
    os/core-os:
      - stable
    copy/stable:
      - 'v1.17'
  images-by-semver:
    metrics/metrics: ">= v2.53.0"
cgr.dev:
  images:
    guarded/nginx:
      - 'latest'
`;

describe('a file of skopeo', () => {
  it('becomes the same images under the last part of their names', () => {
    const { text, unsupported, config } = imported(REAL);
    expect(unsupported).toEqual([]);
    expect(text).toMatchInlineSnapshot(`
      "# Imported from the YAML of skopeo sync by slipway import.
      # Images are copied with all of their platforms, as skopeo sync --all does.
      # That no tag is selected is a failure; allowEmpty: true makes it a warning, as skopeo has it.
      # Versions with a _, as 17.0.1_12, are excluded from ranges: skopeo passes over them.
      # Versions with a fourth number, as 3.8.1.1, are in ranges too; skopeo passes over them.

      sync:
        - source: docker.io/library/alpine
          destination: registry.example/mirror/alpine:{tag}
          select:
            tags: ['3.22', '3.20']
        - source: docker.io/vendor/ubi8:8.10
          destination: registry.example/mirror/ubi8:8.10
        - source: docker.io/library/python
          destination: registry.example/mirror/python:{tag}
          select:
            tags: ['3.10', 3.11-bookworm]
        - source: docker.io/lint/lint:v2.12.0-alpine
          destination: registry.example/mirror/lint:v2.12.0-alpine
        - source: docker.io/library/go
          destination: registry.example/mirror/go:{tag}
          select:
            regex: 1\\.24(\\.[0-9]+)?-alpine3\\.22
        - source: docker.io/tools/govern
          destination: registry.example/mirror/govern:{tag}
          select:
            semver: '>= v0.37.0'
            exclude: ['*_*']
        - source: docker.io/charts/charts-oss
          destination: registry.example/mirror/charts-oss:{tag}
          select:
            semver: '>= 11.1.0'
            exclude: ['*_*']
        - source: quay.io/os/core-os:stable
          destination: registry.example/mirror/core-os:stable
        - source: quay.io/copy/stable:v1.17
          destination: registry.example/mirror/stable:v1.17
        - source: quay.io/metrics/metrics
          destination: registry.example/mirror/metrics:{tag}
          select:
            semver: '>= v2.53.0'
            exclude: ['*_*']
        - source: cgr.dev/guarded/nginx:latest
          destination: registry.example/mirror/nginx:latest
      "
    `);
    expect(config.entries.map(({ id }) => id)).toContain('sync:registry.example/mirror/ubi8:8.10');
    expect(config.selections.map(({ id }) => id)).toContain('sync:registry.example/mirror/metrics:{tag}');
  });

  it('keeps the whole name with --scoped, and adds a suffix and platforms', () => {
    const { text } = imported('docker.io:\n  images:\n    alpine: ["3.20"]\n    debian: [a, b]\n', {
      scoped: true,
      appendSuffix: '-copy',
      platforms: ['linux/amd64'],
    });
    expect(text).toContain('destination: registry.example/mirror/docker.io/library/alpine:3.20-copy\n');
    expect(text).toContain('destination: registry.example/mirror/docker.io/library/debian:{tag}-copy\n');
    expect(text.match(/platforms: \[linux\/amd64\]/g)).toHaveLength(2);
    expect(text).not.toContain('--all');
  });

  it('takes every tag where no list is given, tests in addition to names, and a digest under a tag to choose', () => {
    const { config, unsupported } = imported(
      `r.example:\n  images:\n    all: []\n    none:\n    both: [edge]\n    one:\n      - ${digest('a')}\n` +
        "  images-by-semver:\n    both: '>= 1.0, != 1.5.0'\n",
    );
    expect(config.selections.map(({ select }) => select)).toMatchObject([
      { regex: '.*', tags: [] },
      { regex: '.*', tags: [] },
      { tags: ['edge'], semver: ['>= 1.0 <1.5.0 || >= 1.0 >1.5.0'] },
    ]);
    expect(config.entries[0]).toMatchObject({
      source: { kind: 'pinned', digest: digest('a') },
      targets: [{ destination: { tag: 'digest-aaaaaaaaaaaa' } }],
    });
    expect(unsupported).toEqual([
      expect.stringContaining('7:9 r.example.images.one[0]: skopeo keeps it without a tag'),
    ]);
  });

  it('takes a tag that a name, a pattern or a range means, and none of them twice', () => {
    const { config, unsupported } = imported(`r.example:
  images:
    proxy: [edge]
  images-by-tag-regex:
    proxy: ^distroless-v?1
  images-by-semver:
    proxy: '>= 1.20'
    lists: ['3.12 - 3.13', '>= 3.17']
`);
    expect(unsupported).toEqual([]);
    const tags = [
      'edge',
      'distroless-v1.20',
      'distroless-1',
      '1.20.0',
      '1.19.0',
      '3.12.1',
      '3.14.0',
      '3.17.1',
      'v2.0.0',
      '3.18.0_1',
      '3.18.0_rc1',
    ];
    const chosen = (repository: string) =>
      config.selections
        .filter(({ source }) => source.path === repository)
        .flatMap(({ select }) => selectTags(select, tags as unknown as Tag[]).tags);
    expect(chosen('proxy')).toEqual([
      'edge',
      'distroless-1',
      'distroless-v1.20',
      '3.17.1',
      '3.14.0',
      '3.12.1',
      'v2.0.0',
      '1.20.0',
    ]);
    expect(chosen('lists')).toEqual(['3.17.1', '3.12.1']);
  });

  it('names what it cannot say, with its place, and never a secret', () => {
    const { text, entries, unsupported } = imported(`r.example:
  credentials:
    username: robot
    password: correct-horse
  cert-dir: /etc/certs
  tls-verify: false
  retries: 3
  images:
    Upper: [a]
    ok: [fine, 'not a tag']
  images-by-semver:
    strange: '1 or 2'
  images-by-tag-regex:
    broken: '('
`);
    expect(unsupported).toEqual([
      '3:5 r.example.credentials: secrets do not belong into a config, and none was taken over: use "docker login", or "login" of the registry in the settings',
      '5:13 r.example.cert-dir: certificates belong into the settings, as "ca", "cert" and "key" of the registry',
      expect.stringContaining('6:15 r.example.tls-verify: no certificate goes unverified'),
      '7:12 r.example.retries: skopeo has no such key that is known here',
      '9:12 r.example.images.Upper: "Upper" is not a repository name',
      '10:16 r.example.images.ok[1]: "not a tag" is not a tag',
      '12:14 r.example.images-by-semver.strange: "1 or 2" is not a range that "select.semver" reads',
      expect.stringContaining('14:13 r.example.images-by-tag-regex.broken: left out: '),
    ]);
    expect(entries).toBe(1);
    expect(JSON.stringify({ text, unsupported })).not.toContain('correct-horse');
  });

  it('takes any pattern of a list, and refuses what is none', () => {
    const { config, unsupported } = imported(`r.example:
  images-by-tag-regex:
    busybox: ['^1\\.3[5-6]', '^edge$', '(']
    one: ['^8']
    nothing:
    mapping: { a: b }
    blank: ['']
  images-by-semver:
    none:
    empty: ''
`);
    expect(config.selections.map(({ source, select }) => [source.path, select.regex])).toEqual([
      ['busybox', '1\\.3[5-6].*|edge'],
      ['one', '8.*'],
    ]);
    const none = 'nothing chooses its tags, so it was left out';
    expect(unsupported.map((line) => line.replace(/^\S+ r.example.images-by-/, ''))).toEqual([
      expect.stringContaining('tag-regex.busybox[2]: left out: "(" is not a regular expression of RE2'),
      `tag-regex.nothing: ${none}`,
      'tag-regex.mapping: left out: "" is no pattern',
      'tag-regex.blank[0]: left out: "" is no pattern',
      `semver.none: ${none}`,
      `semver.empty: ${none}`,
    ]);
  });

  it('takes several files for one, and names what is wrong in their order', () => {
    const { config, unsupported } = imported([
      'quay.io:\n  images:\n    a/tool: [x]\n  retries: 1\n',
      'quay.io:\n  images: { a/tool: [y, x] }\n  images-by-semver: { b/tool: one }\n',
    ]);
    expect(config.entries.map(({ id }) => id)).toEqual([
      'sync:registry.example/mirror/tool:x',
      'sync:registry.example/mirror/tool:y',
    ]);
    expect(unsupported).toEqual([
      '4:12 quay.io.retries: skopeo has no such key that is known here',
      '3:31 quay.io.images-by-semver.b/tool: "one" is not a range that "select.semver" reads',
    ]);
    const file = { file: FILE, text: 'sync: []\n' };
    expect(importConfig('regsync', [file, { ...file, file: '/other.yml' }], {}).ok).toBe(false);
  });

  it('leaves out what another image would overwrite', () => {
    const { config, unsupported } = imported(
      'a.example:\n  images:\n    x/stable: [v1]\nb.example:\n  images:\n    y/stable: [v1]\n',
    );
    expect(config.entries).toHaveLength(1);
    expect(unsupported).toEqual([
      '6:15 b.example.images.y/stable: left out: the destination registry.example/mirror/stable:v1 belongs to an earlier one already (one destination belongs to one entry)',
    ]);
  });

  it.each([
    ['', 'the file holds no mapping'],
    ['- a\n', 'the file holds no mapping'],
    ['a: [\n', 'not valid YAML'],
  ])('refuses %j', (text, why) => {
    const result = importConfig('skopeo', [{ file: FILE, text: text }], { destination: 'r.example' });
    expect(result.ok ? '' : result.failures[0]?.message).toContain(why);
  });

  it.each([undefined, 'Nowhere At All'])('refuses the destination %j', (destination) => {
    const request = destination === undefined ? {} : { destination };
    expect(importConfig('skopeo', [{ file: FILE, text: REAL }], request).ok).toBe(false);
  });

  it('searches with a regular expression as skopeo does', () => {
    const tags = [
      '1.24-alpine3.22',
      '1.24.1-alpine3.22',
      '1.24.1-alpine3.22-x',
      'x1.24-alpine3.22',
      'rc-1',
      '1-rc',
      'rc',
    ];
    for (const regex of ['^1\\.24(\\.[0-9]+)?-alpine3\\.22$', 'rc', '^rc', 'rc$', '^1|rc$', '^(1|rc)$', '[|$]|x']) {
      const { config } = imported(`r.example:\n  images-by-tag-regex:\n    a: '${regex}'\n`);
      const [selection] = config.selections;
      const chosen = selection === undefined ? undefined : selectTags(selection.select, tags as unknown as Tag[]).tags;
      expect(new Set(chosen)).toEqual(new Set(tags.filter((tag) => new RegExp(regex).test(tag))));
    }
  });

  it('never prints a config that does not load', () => {
    const name = fc.constantFrom('alpine', 'a/b', 'UP', '', '..', 'x/b', '{tag}', 'a:b', '日本');
    const tag = fc.constantFrom(
      '1',
      '1.10',
      'latest',
      '',
      ' ',
      '$(x)',
      '{date}',
      digest('b'),
      'sha256:bad',
      `sha256-${'c'.repeat(64)}`,
    );
    const test = fc.constantFrom('>=1', '!=1', '(', '.*', '', '^1 || 2', '*', 'a'.repeat(600));
    const registry = fc.record({
      images: fc.dictionary(name, fc.oneof(fc.array(tag), tag)),
      'images-by-semver': fc.dictionary(name, test),
      'images-by-tag-regex': fc.dictionary(name, test),
    });
    const file = fc.dictionary(fc.constantFrom('docker.io', 'r.example:5000', 'no host', 'x', '__proto__'), registry);
    fc.assert(
      fc.property(file, fc.boolean(), (data, scoped) => {
        const made = imported(JSON.stringify(data), { scoped });
        expect(made.text.match(/^  - source:/gm)?.length ?? 0).toBe(made.entries);
      }),
      { numRuns: 100 },
    );
  });
});
