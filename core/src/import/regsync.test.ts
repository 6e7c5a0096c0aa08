/** Regsync's config as one of ours. */
import { describe, expect, it } from 'vitest';
import { options, valueOf } from '../config/fixtures.ts';
import { parseConfig } from '../config/load.ts';
import type { Tag } from '../reference.ts';
import { selectTags } from '../selection/select-tags.ts';
import { importConfig } from './import.ts';

const FILE = '/somewhere/regsync.yml';

function imported(text: string) {
  const { config, entries, unsupported } = valueOf(importConfig('regsync', text, FILE, {}));
  return {
    text: config,
    entries,
    config: valueOf(parseConfig(config, '/config.yaml', options)),
    unsupported: unsupported.map(({ at, what, why }) => `${at.line}:${at.column} ${what}: ${why}`),
  };
}

function chosen(set: string, tags: readonly string[]): readonly string[] {
  const { config } = imported(`sync:\n  - { source: r.example/a, target: s.example/a, type: repository, ${set} }\n`);
  const [selection] = config.selections;
  return selection === undefined ? [] : selectTags(selection.select, tags as unknown as Tag[]).tags.toSorted();
}

const REAL = `x-sched-a: &sched-a "15 01 * * *"
x-common: &common
  digestTags: true
  schedule: *sched-a
version: 1
creds:
  - registry: localhost:5000
    tls: disabled
  - registry: docker.io
    user: "{{env \\"HUB_USER\\"}}"
    pass: "{{file \\"/var/run/secrets/hub_token\\"}}"
    mirrors: [mirror.example]
defaults:
  ratelimit: { min: 100, retry: 15m }
  parallel: 2
  backup: "backup-{{.Ref.Tag}}"
sync:
  - source: busybox:latest
    target: localhost:5000/library/busybox:latest
    type: image
    interval: 60m
    platform: linux/amd64
  - <<: *common
    source: alpine
    target: localhost:5000/library/alpine
    type: repository
    tags:
      allow: [latest, edge, 3, "3.\\\\d+"]
      deny: ["3.0", ".*-rc\\\\d?"]
    backup: "{{$t := time.Now}}{{printf \\"%s/%d\\" .Ref.Registry $t.Year}}"
  - source: quay.io/tools/tool
    target: localhost:5000/{{ .Sync.Source }}
    type: repository
    tags:
      semverRange: [">=1.2 <2", "^3"]
    referrers: true
    referrerFilters:
      - artifactType: application/spdx+json
    includeExternal: true
    fastCheck: true
    backup: '{{ printf "old-%s" .Ref.Tag }}-{{ time.Now.Format "2006-01-02" }}'
  - source: ocidir://carried/alpine:3
    target: localhost:5000/carried:3
    type: image
  - source: localreg:5000
    target: localcopy:5000
    type: registry
`;

describe("regsync's config", () => {
  it('becomes entries with the same tests, platforms, referrers and backups', () => {
    const { text, entries, unsupported } = imported(REAL);
    expect(text).toMatchInlineSnapshot();
    expect(unsupported).toMatchInlineSnapshot();
    expect(entries).toBeGreaterThan(2);
  });

  it.each([
    ['tags: { allow: ["1", "2.*"] }', ['1', '11', '2', '2.1', '3'], ['1', '2', '2.1']],
    // Anchored without a group, as regsync does.
    ['tags: { allow: ["1|2"] }', ['1', '1x', 'x2', '2', '3'], ['1', '1x', '2', 'x2']],
    [
      'tags: { deny: [".*-rc.*", "[ab]", "(x|y)-.+", "v\\\\d"] }',
      ['1', '1-rc1', 'a', 'c', 'x-1', 'y-', 'v1', 'v12'],
      ['1', 'c', 'v12', 'y-'],
    ],
    [
      'tags: { semverRange: ["<=1.2"] }',
      ['1.1', '1.2', '1.2.0', '1.2.1', '1.2.0-rc.1', 'latest'],
      ['1.1', '1.2', '1.2.0', '1.2.0-rc.1'],
    ],
    ['tags: { semverRange: ["~1.2", "^0.3"] }', ['1.2.9', '1.3.0', '0.3.1', '0.4.0'], ['0.3.1', '1.2.9']],
    [
      'tags: { semverRange: ["^1"], allow: [".*-alpine"] }',
      ['1.2.0-alpine', '1.2.0', '2.0.0-alpine.1'],
      ['1.2.0-alpine'],
    ],
    ['tagSets: [{ allow: ["a.*"] }, { allow: ["b.*"] }]', ['a1', 'b1', 'c1'], ['a1', 'b1']],
    ['tagSets: [{ semverRange: ["^1"] }, { semverRange: ["^2"] }]', ['1.1.1', '2.1.1', '3.1.1'], ['1.1.1', '2.1.1']],
    ['tagSets: [{ allow: [latest] }, { semverRange: ["^2"] }]', ['latest', '2.1.1', '3.1.1'], ['2.1.1', 'latest']],
    ['platforms: [linux/amd64]', ['x', 'y'], ['x', 'y']],
  ])('chooses by %s what regsync does', (set, tags, expected) => {
    expect(chosen(set, tags)).toEqual(expected);
  });

  it('names what it cannot say, and leaves out a step whose names it does not know', () => {
    const { entries, unsupported } = imported(`sync:
  - { source: 'r.example/a:1', target: '{{ env "TARGET" }}/a:1', type: image }
  - { source: r.example/b, target: s.example/b, type: repository, tags: { deny: ["[0-9]+"] }, hooks: { pre: { type: x } } }
  - { source: r.example/c, target: s.example/c, type: repository, tags: { semverRange: ["one"] } }
  - { source: r.example/d, target: s.example/d, type: repository, tagSets: [{ semverRange: ["1"] }, { allow: ["a.*"] }] }
  - { source: r.example/e:1, target: s.example/e:1, type: folder }
  - { source: r.example/f:1, target: s.example/f:1, type: image, platforms: [linux/amd64, local], backup: other.example/x, speed: 9, referrers: true, referrerFilters: [{ annotations: { a: b } }] }
  - { source: r.example/g:1, target: s.example/f:1, type: image }
sink: 1
`);
    expect(entries).toBe(3);
    expect(unsupported).toMatchInlineSnapshot();
  });

  it.each([
    ['version: 2\nsync: []\n', 'version "2"'],
    ['docker.io:\n  images: {}\n', 'there is no list "sync"'],
  ])('refuses %j', (text, why) => {
    const result = importConfig('regsync', text, FILE, {});
    expect(result.ok ? '' : result.failures[0]?.message).toContain(why);
  });

  it('never shows a password', () => {
    const { text, unsupported } = imported(
      'creds:\n  - { registry: r.example, user: u, pass: correct-horse, clientKey: battery }\nsync: []\n',
    );
    expect(JSON.stringify({ text, unsupported })).not.toMatch(/correct-horse|battery/);
    expect(unsupported).toHaveLength(3);
  });
});
