/** Regsync's config as one of ours. */
import { describe, expect, it } from 'vitest';
import { valueOf } from '../config/fixtures.ts';
import { readSettings } from '../config/settings.ts';
import { parseYaml } from '../config/yaml.ts';
import type { Tag } from '../reference.ts';
import { selectTags } from '../selection/select-tags.ts';
import { imported as importedBy } from './fixtures.ts';
import { importConfig } from './import.ts';

const FILE = '/somewhere/regsync.yml';

function imported(text: string, environment: Readonly<Record<string, string>> = {}) {
  return importedBy('regsync', text, { environment });
}

function chosen(set: string, tags: readonly string[]): readonly string[] {
  const { config } = imported(`sync:\n  - { source: r.example/a, target: s.example/a, type: repository, ${set} }\n`);
  const all = config.selections.flatMap(({ select }) => selectTags(select, tags as unknown as Tag[]).tags);
  return [...new Set(all)].toSorted();
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
    const { text, entries, unsupported, notes } = imported(REAL);
    expect(text).toMatchInlineSnapshot(`
      "# Imported from regsync's config by slipway import.
      # That no tag is selected is a failure; allowEmpty: true makes it a warning, as regsync has it.
      # Versions with a _, as 17.0.1_12, are excluded from ranges: regsync passes over them.
      # A backup without {date} is kept for each move, up to 100; then the tag moves no more. Regsync overwrites it.

      sync:
        # an index of this one platform, where regsync tags the image itself
        - source: busybox:latest
          destination: localhost:5000/library/busybox:latest
          platforms: [linux/amd64]
          missingPlatforms: skip
          backup: backup-{tag}
        # referrers: true has all digest tags (sha256-…) with it, which digestTags was for
        # backup: "{{ $t := time.Now }}" has no equivalent: "backup" knows {tag}, {date} and {sha}; "backup-{tag}-{date}" was written
        - source: alpine
          destination: localhost:5000/library/alpine:{tag}
          select:
            regex: latest|edge|3|3.\\d+
            exclude: [3?0, /.*-rc\\d?/]
          referrers: true
          backup: backup-{tag}-{date}
        - source: quay.io/tools/tool
          destination: localhost:5000/quay.io/tools/tool:{tag}
          select:
            semver: ['>=1.2.0 <2.0.0', '>=3.0.0 <4.0.0']
            prerelease: true
            exclude: ['/[^-]*_.*/']
          referrers:
            types: [application/spdx+json]
          foreignLayers: true
          backup: old-{tag}-{date}
        - source: oci:./carried/alpine:3
          destination: localhost:5000/carried:3
          backup: backup-{tag}
      "
    `);
    expect(unsupported).toMatchInlineSnapshot(`
      [
        "4:13 sync[1].schedule: when a sync runs is for what starts it to say, as the schedule of a CI workflow",
        "10:11 creds[1].user: who logs in is not said in a config: use "docker login", or "login" of the registry in the settings",
        "11:11 creds[1].pass: secrets do not belong into a config, and none was taken over: use "docker login", or "login" of the registry in the settings",
        "21:15 sync[0].interval: when a sync runs is for what starts it to say, as the schedule of a CI workflow",
        "30:13 sync[1].backup: "{{ $t := time.Now }}" has no equivalent: "backup" knows {tag}, {date} and {sha}; "backup-{tag}-{date}" was written",
        "47:11 sync[4].type: a whole registry is no source: write a "repository" step for each repository, and import again",
      ]
    `);
    expect(notes).toMatchInlineSnapshot(`
      [
        "8:10 creds[0].tls: it belongs into the settings: plainHttp: ["localhost:5000"]",
        "12:14 creds[1].mirrors: they belong into the settings: mirrors: [{ source: docker.io, mirror: mirror.example }]",
        "14:14 defaults.ratelimit: requests in flight adapt to what a registry bears, and its limits and Retry-After are kept without being told; pulls that are left to others are "reserve" of the registry in the settings",
        "15:13 defaults.parallel: requests in flight adapt to what a registry bears, and its limits and Retry-After are kept without being told; "limits" in the settings has the rest",
        "40:16 sync[2].fastCheck: nothing has to be said for it: an unchanged tag costs two requests; "always: true" looks at all that it names",
      ]
    `);
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
    [
      'tags: { semverRange: [">=17 <19"], deny: [".*-rc.*"] }',
      ['17.0.1_12', '17.0.1_12-jdk', '17.0.1-jdk_12', '17.0.2.1', '18.0.0', '18.0.0-alpine', '18.1.0-rc.1'],
      ['17.0.1-jdk_12', '17.0.2.1', '18.0.0', '18.0.0-alpine'],
    ],
    ['tags: { semverRange: [">20000101000000"] }', ['20240108120000', '1.0'], ['20240108120000']],
    ['tagSets: [{ allow: ["a.*"] }, { allow: ["b.*"] }]', ['a1', 'b1', 'c1'], ['a1', 'b1']],
    ['tagSets: [{ semverRange: ["^1"] }, { semverRange: ["^2"] }]', ['1.1.1', '2.1.1', '3.1.1'], ['1.1.1', '2.1.1']],
    ['tagSets: [{ allow: [latest] }, { semverRange: ["^2"] }]', ['latest', '2.1.1', '3.1.1'], ['2.1.1', 'latest']],
    [
      'tagSets: [{ allow: [latest, "1.*"] }, { semverRange: ["<3"], deny: [".*-rc"] }]',
      ['latest', '1.0.0-rc', '1.1', '2.0.0', '2.0.0-rc', '3.0.0'],
      ['1.0.0-rc', '1.1', '2.0.0', 'latest'],
    ],
    [
      'tagSets: [{ semverRange: ["^1"], deny: ["1.2.*"] }, { semverRange: ["^2"], deny: ["1.2.*"] }]',
      ['1.1.1', '1.2.3', '2.1.1', '3.1.1'],
      ['1.1.1', '2.1.1'],
    ],
    [
      'tags: { allow: ["v.*"], deny: ["v1\\\\.[0-6]\\\\.\\\\d+"] }',
      ['v1.6.10', 'v1.7.0', 'v2.0.0'],
      ['v1.7.0', 'v2.0.0'],
    ],
    ['platforms: [linux/amd64]', ['x', 'y'], ['x', 'y']],
  ])('chooses by %s what regsync does', (set, tags, expected) => {
    expect(chosen(set, tags)).toEqual(expected);
  });

  it('names what it cannot say, and leaves out a step whose names it does not know', () => {
    const { entries, unsupported } = imported(`sync:
  - { source: 'r.example/a:1', target: '{{ env "TARGET" }}/a:1', type: image }
  - { source: r.example/b, target: s.example/b, type: repository, tags: { deny: ["[0-9]+"] }, hooks: { pre: { type: x } } }
  - { source: r.example/c, target: s.example/c, type: repository, tags: { semverRange: ["one"] } }
  - { source: r.example/d, target: s.example/d, type: repository, tagSets: [{ semverRange: ["1"] }, { semverRange: ["2"], deny: ["2.1"] }] }
  - { source: r.example/e:1, target: s.example/e:1, type: folder }
  - { source: r.example/f:1, target: s.example/f:1, type: image, platforms: [linux/amd64, local], backup: other.example/x, speed: 9, referrers: true, referrerFilters: [{ annotations: { a: b } }] }
  - { source: r.example/g:1, target: s.example/f:1, type: image }
sink: 1
`);
    expect(entries).toBe(4);
    expect(unsupported).toMatchInlineSnapshot(`
      [
        "2:5 env: a step was left out: set TARGET, as regsync finds it in its environment, and import again",
        "4:89 sync[2].tags.semverRange[0]: "one" is not a range that "select.semver" reads",
        "6:59 sync[4].type: "folder" is neither "image" nor "repository", so nothing was taken over",
        "7:91 sync[5].platforms[1]: "local" is the platform of the machine that runs regsync: name it, as linux/amd64",
        "7:107 sync[5].backup: a backup is a tag in the same repository; "backup-{tag}-{date}" was written",
        "7:131 sync[5].speed: regsync has no such key that is known here",
        "7:184 sync[5].referrerFilters[0].annotations: referrers are chosen by their type alone",
        "8:5 sync[6]: left out: the destination s.example/f:1 belongs to an earlier one already (one destination belongs to one entry)",
        "9:7 sink: regsync has no such key that is known here",
      ]
    `);
  });

  it('fills in the environment, as regsync does, and says what stays fixed by that', () => {
    const text = `creds:
  - { registry: '{{ env "TARGET" }}', tls: disabled }
sync:
  - { source: 'debian:{{ env "DEBIAN" }}', target: '{{ env "TARGET" }}/debian:{{ env "DEBIAN" }}', type: image }
  - { source: 'gcr.io/a/b:1', target: '{{ env "TARGET" }}/gcr/{{ index (split .Sync.Source "gcr.io/") 1 }}', type: image }
  - { source: 'r.example/c:1', target: '{{ default "s.example" (env "NONE") }}/{{ "C" | lower }}:{{ printf "%s-%s" "1" "x" }}', type: image }
`;
    const { config, unsupported, notes } = imported(text, { TARGET: 't.example', DEBIAN: 'bookworm' });
    expect(unsupported).toEqual([]);
    expect(config.entries.map(({ id }) => id)).toEqual([
      'sync:t.example/debian:bookworm',
      'sync:t.example/gcr/a/b:1',
      'sync:s.example/c:1-x',
    ]);
    expect(notes).toEqual([
      '2:44 creds[0].tls: it belongs into the settings: plainHttp: ["t.example"]',
      '4:15 env.DEBIAN: a config has no variables: its value of now was written',
      '4:52 env.TARGET: a config has no variables: its value of now was written',
    ]);
    const without = imported(text, { DEBIAN: 'bookworm' });
    expect(without.entries).toBe(1);
    expect(without.unsupported).toContain(
      '4:5 env: 2 steps were left out: set TARGET, as regsync finds it in its environment, and import again',
    );
  });

  it.each([
    '{{ index (split .Sync.Source "/") 9 }}',
    '{{ .Sync.Unknown }}',
    '{{ if .Sync.Source }}a{{ end }}',
    '{{ env }}',
    '{{ "a" "b" }}',
    '{{ lower ( "a" }}',
    '{{ file "/etc/hostname" }}',
    '{{ a ~ b }}',
  ])('leaves out a step with %s', (action) => {
    const { entries, unsupported } = imported(
      `sync:\n  - { source: 'r.example/a:1', target: 's.example/a:${action}', type: image }\n`,
    );
    expect(entries).toBe(0);
    expect(unsupported[0]).toContain('cannot be filled in here');
  });

  it('takes a registry whose repositories are named one by one', () => {
    const step = (repos: string) =>
      imported(
        `sync:\n  - { source: r.example, target: s.example/m, type: registry, repos: ${repos}, tags: { allow: [x, "y.*"] } }\n`,
      );
    const { config, unsupported } = step('{ allow: [library/alpine, team/app.web] }');
    expect(config.selections.map(({ id, select }) => [id, select.regex])).toEqual([
      ['sync:s.example/m/library/alpine:{tag}', 'x|y.*'],
      ['sync:s.example/m/team/app.web:{tag}', 'x|y.*'],
    ]);
    expect(unsupported).toEqual([]);
    for (const repos of ['{ allow: ["library/.*"] }', '{ allow: [a], deny: [b] }', '{ deny: [a] }']) {
      const left = step(repos);
      expect(left.entries).toBe(0);
      expect(left.unsupported.map((line) => line.split(' ')[1])).toEqual(['sync[0].type:', 'sync[0].repos:']);
    }
  });

  it('looks past a tag on a repository, which regsync does not use', () => {
    const { text } = imported(
      'sync:\n  - { source: "r.example:5000/a:1", target: "s.example/a:1", type: repository, tags: { allow: [x, "y.*"] } }\n',
    );
    expect(text).toContain('source: r.example:5000/a\n');
    expect(text).toContain('destination: s.example/a:{tag}\n');
  });

  it.each([
    ['version: 2\nsync: []\n', 'version "2"'],
    ['docker.io:\n  images: {}\n', 'there is no list "sync"'],
    [
      'kind: ConfigMap\ndata:\n  regsync.yml: |\n    sync: []\n---\nkind: Pod\n',
      'the file is a ConfigMap of Kubernetes',
    ],
  ])('refuses %j', (text, why) => {
    const result = importConfig('regsync', [{ file: FILE, text: text }], {});
    expect(result.ok ? '' : result.failures[0]?.message).toContain(why);
  });

  it('comes with settings: a mirror, and who we are at registries by names of variables', () => {
    const { settings, unsupported } = imported(
      `creds:
  - { registry: docker.io, user: '{{env "HUB_USER"}}', pass: '{{ env "HUB_TOKEN" }}', mirrors: [mirror.example/hub], repoAuth: true }
  - { registry: '{{ env "HOST" }}', tls: disabled, reqPerSec: 12.5, reqConcurrent: 9999 }
  - { registry: ecr.example/team, credHelper: docker-credential-ecr-login, reqPerSec: 1 }
  - { registry: plain.example, user: robot, pass: correct-horse }
  - { registry: aws.example, user: AWS, pass: '{{ env "ECR_TOKEN" }}' }
  - { registry: filled.example, user: '\${USER}', pass: '{{ env "ECR_TOKEN" }}' }
  - { registry: 'no host', tls: disabled }
defaults: { ratelimit: { min: 100 } }
sync: []
`,
      { HOST: 'localhost:5000', HUB_TOKEN: 'battery' },
    );
    expect(settings).toMatchInlineSnapshot(`
      "# A mirror, as the file makes one: what is published is neither scanned nor signed.
      trust:
        - match: "*"
          level: copy
      plainHttp:
        - localhost:5000
      mirrors:
        - source: docker.io
          mirror: mirror.example/hub
      registries:
        - match: docker.io
          login:
            usernameEnv: HUB_USER
            passwordEnv: HUB_TOKEN
          reserve: 100
        - match: localhost:5000
          connections: 256
          requestsPerSecond: 12
        - match: ecr.example/team
          login:
            helper: ecr-login
        - match: aws.example
          login:
            username: AWS
            passwordEnv: ECR_TOKEN
      "
    `);
    // What the settings have is none of what is lost.
    expect(unsupported.map((line) => line.split(' ')[1])).toEqual([
      'creds[2].reqPerSec:',
      'creds[3].user:',
      'creds[3].pass:',
      'creds[5].user:',
      'creds[5].pass:',
      'creds[6].registry:',
    ]);
  });

  it('finds mirrors under the names that the file has for them, and settings that load', async () => {
    const { settings, unsupported } = imported(`creds:
  - { registry: hub-mirror, hostname: harbor.example.com, pathPrefix: /hub-proxy, user: '{{ env "H" }}', pass: '{{ env "P" }}', reqConcurrent: 4 }
  - { registry: cache.example.com, pathPrefix: proxy/hub, tls: disabled }
  - { registry: docker.io, mirrors: [hub-mirror, cache.example.com, plain.example.com, nowhere] }
  - { registry: lost, user: u, reqPerSec: 2 }
  - { registry: moved.example.com, hostname: real.example.com }
  - { registry: INDEX.docker.io/team, credHelper: docker-credential-hub }
  - { registry: '{{ env "ENDPOINT" }}', user: u }
  - { registry: theirs, hostname: '{{ env "THEIRS" }}', user: u }
sync: []
`);
    expect(settings).toMatchInlineSnapshot(`
      "# A mirror, as the file makes one: what is published is neither scanned nor signed.
      trust:
        - match: "*"
          level: copy
      plainHttp:
        - cache.example.com
      mirrors:
        - source: docker.io
          mirror: harbor.example.com/hub-proxy
        - source: docker.io
          mirror: cache.example.com/proxy/hub
        - source: docker.io
          mirror: plain.example.com
      registries:
        - match: harbor.example.com/hub-proxy
          login:
            usernameEnv: H
            passwordEnv: P
        - match: docker.io/team
          login:
            helper: hub
      "
    `);
    expect(unsupported.filter((line) => /mirror|registry|hostname|Prefix/.test(line))).toMatchInlineSnapshot(`
      [
        "4:37 creds[2].mirrors: they belong into the settings: mirrors: [{ source: docker.io, mirror: harbor.example.com/hub-proxy }, { source: docker.io, mirror: cache.example.com/proxy/hub }, { source: docker.io, mirror: plain.example.com }]; left out: "nowhere", of which nothing says at which host it is",
        "5:17 creds[3].registry: "lost" is no host, and no "hostname" says where it is: nothing of it is in the settings",
        "6:46 creds[4].hostname: how a registry is reached belongs into the settings (docs/settings.md)",
        "8:17 creds[6].registry: where it is needs ENDPOINT, not set in the environment: nothing of it is in the settings",
        "9:17 creds[7].registry: where it is needs THEIRS, not set in the environment: nothing of it is in the settings",
      ]
    `);
    const document = valueOf(parseYaml(settings, '/slipway.config.yaml'));
    const read = valueOf(await readSettings(document, { date: '2026-11-23', parallelism: 1 }));
    expect(read.mirrors).toHaveLength(3);
  });

  it("misses nothing for a key that regsync's own site has, and that regsync passes over", () => {
    const { unsupported, notes } = imported(
      'sync:\n  - { source: alpine, target: r.example/a, type: image, fastCopy: true }\n',
    );
    expect(unsupported).toEqual([]);
    expect(notes).toEqual([
      '2:67 sync[0].fastCopy: regsync knows no such key and passes over it, though its site has it in an example: it means fastCheck',
    ]);
  });

  it('reads what stands twice as regsync does, and names it', () => {
    const { config, unsupported, notes } = imported(`x-type: &type
  type: repository
  source: alpine
x-tags: &tags
  type: image
  tags: { allow: [latest, edge] }
sync:
  - <<: *type
    target: a.example/alpine
    target: b.example/alpine
    <<: *tags
    type: repository
`);
    expect(config.entries.map(({ id }) => id)).toEqual(['sync:b.example/alpine:latest', 'sync:b.example/alpine:edge']);
    expect(unsupported).toEqual([]);
    expect(notes).toEqual(['10:5 target: it is in line 9 already: regsync takes the last, and so did the import']);
    expect(
      importConfig('skopeo', [{ file: FILE, text: 'a.b:\n  images: {}\na.b:\n' }], { destination: 'r.example' }).ok,
    ).toBe(false);
  });

  it('never shows a password', () => {
    const { text, settings, unsupported } = imported(
      'creds:\n  - { registry: r.example, user: u, pass: correct-horse, clientKey: battery }\nsync: []\n',
    );
    expect(JSON.stringify({ text, settings, unsupported })).not.toMatch(/correct-horse|battery/);
    expect(unsupported).toHaveLength(3);
  });
});
