/** Files whose parts are about the same images, or about each other's. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expanded, imported } from './fixtures.ts';

const regsync = (...steps: readonly string[]) =>
  imported('regsync', `sync:\n${steps.map((step) => `  - { ${step} }\n`).join('')}`);
const skopeo = (text: string, scoped = false) => imported('skopeo', text, { destination: 'r.example/m', scoped });
const alpine = 'type: repository, source: alpine, target: r.example/a';

describe('parts of a file about one repository', () => {
  it('are one where source, destination and options are the same, images of it too', async () => {
    const { config, unsupported } = regsync(
      `${alpine}, tags: { allow: ["3\\\\.19.*", latest] }`,
      `${alpine}, tags: { semverRange: [">=3.19"] }`,
      'type: image, source: busybox, target: r.example/b',
      'type: image, source: "docker.io/library/alpine:edge", target: "r.example/a:edge"',
      `${alpine}, tags: { allow: [edge, "3.18"] }`,
      'type: image, source: busybox, target: r.example/b',
    );
    expect(unsupported).toEqual([]);
    expect(await expanded(config, ['3.18', '3.19', '3.20', 'latest', 'edge'])).toEqual([
      'sync:r.example/a:edge',
      'sync:r.example/a:3.18',
      'sync:r.example/a:3.19',
      'sync:r.example/a:latest',
      'sync:r.example/a:3.20',
      'sync:r.example/b:latest',
    ]);
  });

  it('stay apart with other options, and are named where a pattern may choose the same tag', () => {
    const { config, text, unsupported } = regsync(
      `${alpine}, tags: { semverRange: [">=3"] }`,
      `${alpine}, tags: { allow: ["edge.*"] }, referrers: true`,
    );
    expect(config.selections).toHaveLength(2);
    const why = 'a tag of it that sync[0] has too is an error, since both go to r.example/a';
    expect(unsupported).toEqual([
      `3:5 sync[1]: ${why}: give one of them another destination, or leave it out of one with select.exclude`,
    ]);
    expect(text).toContain(`  # ${why}\n  - source: alpine\n`);
  });

  it('are named where two sources have one name, and not where no tag can be the same', () => {
    const file = `docker.io:
  images-by-semver: { prom/prometheus: '>= 2.53.0', prom/alert: '>=1' }
quay.io:
  images-by-semver: { prometheus/prometheus: '>= v2.53.0' }
  images: { other/alert: [edge], third/alert: ['1.2'] }
`;
    expect(skopeo(file).unsupported.map((line) => line.replace(/ has too .*: import/, ' …: import'))).toEqual([
      '4:46 quay.io.images-by-semver.prometheus/prometheus: a tag of it that docker.io.images-by-semver.prom/prometheus …: import with --scoped, which keeps whole names, give one of them another destination, or leave it out of one with select.exclude',
      expect.stringContaining('quay.io.images.third/alert: a tag of it that docker.io.images-by-semver.prom/alert …'),
    ]);
    expect(skopeo(file, true).unsupported).toEqual([]);
  });

  it('lose the tags that another has, and nothing else', () => {
    const { config, unsupported } = skopeo(`docker.io:
  images: { grafana/loki: ['2.9.8', '3.0.0', '3.1.0'] }
ghcr.io:
  images: { grafana/loki: ['3.1.0', '3.2.0', '3.3.0'], x/loki: ['3.0.0'] }
`);
    expect(config.entries.map(({ id }) => id)).toEqual(
      ['2.9.8', '3.0.0', '3.1.0', '3.2.0', '3.3.0'].map((tag) => `sync:r.example/m/loki:${tag}`),
    );
    expect(unsupported).toEqual([
      '4:27 ghcr.io.images.grafana/loki: left out of it: the destination r.example/m/loki:3.1.0 belongs to an earlier one already (one destination belongs to one entry)',
      expect.stringContaining('4:64 ghcr.io.images.x/loki: left out: the destination r.example/m/loki:3.0.0 belongs'),
    ]);
    // What cannot load has no destination.
    const { entries } = skopeo('no host:\n  images: { a/loki: [x] }\nghcr.io:\n  images: { b/loki: [x] }\n');
    expect(entries).toBe(1);
  });
});

describe('steps that take what others make', () => {
  const image = (from: string, to: string) =>
    `source: '${from}', target: '${to}', type: image, platforms: [linux/amd64]`;

  it('take it with the platforms that it has there', () => {
    const { config, unsupported, text } = regsync(
      image('alpine:3.20', 'r.example/alpine:3.20'),
      image('r.example/alpine:3.20', 's.example/alpine:3.20'),
      image('r.example/alpine:3.19', 's.example/alpine:3.19'),
    );
    expect(config.entries.map((entry) => [entry.id, 'platforms' in entry && entry.platforms !== undefined])).toEqual([
      ['sync:r.example/alpine:3.20', true],
      ['sync:s.example/alpine:3.20', false],
      ['sync:s.example/alpine:3.19', true],
    ]);
    const why = 'left out: it takes what sync[0] makes, with the platforms that are asked for there';
    expect(unsupported).toEqual([`3:5 sync[1].platforms: ${why}`]);
    expect(text).toContain(`# platforms: [linux/amd64] ${why}\n  - source: r.example/alpine:3.20`);
  });

  it('are left out where they close a circle', () => {
    const { entries, unsupported } = regsync(
      'source: a.example/x, target: b.example/x, type: repository',
      image('b.example/x:1', 'c.example/x:1'),
      image('c.example/x:1', 'a.example/x:1'),
      image('d.example/x:1', 'd.example/x:1'),
      'source: e.example/x, target: e.example/x, type: repository, tags: { allow: ["1.*"] }',
    );
    expect(entries).toBe(2);
    expect(unsupported.filter((line) => !line.includes('platforms'))).toEqual([
      '4:5 sync[2]: left out: it would close a circle, since sync[0] takes what it makes',
      '5:5 sync[3]: left out: it takes what it makes',
      '6:5 sync[4]: left out: it takes what it makes',
    ]);
  });

  it('always plan, whatever the tags turn out to be', async () => {
    const tags = ['1', '2', 'x'];
    const repository = fc.constantFrom('a.example/x', 'b.example/x', 'c.example/x', 'd.example/y');
    const more = fc.constantFrom('', ', platforms: [linux/amd64]', ', referrers: true');
    const image = fc
      .tuple(repository, fc.constantFrom(...tags), repository, fc.constantFrom(...tags), more)
      .map(([from, tag, to, other, rest]) => `type: image, source: '${from}:${tag}', target: '${to}:${other}'${rest}`);
    const set = fc.constantFrom(
      '',
      ', tags: { allow: ["1"] }',
      ', tags: { semverRange: [">=1"] }',
      ', tags: { deny: [x] }',
    );
    const step = fc
      .tuple(repository, repository, set, more)
      .map(([from, to, chosen, rest]) => `type: repository, source: ${from}, target: ${to}${chosen}${rest}`);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(image, step), { minLength: 1, maxLength: 6 }), async (steps) => {
        const { config, unsupported } = regsync(...steps);
        const wrong = (await expanded(config, tags)).filter((line) => !line.startsWith('sync:'));
        // Two sources of one tag are told, and nothing else is wrong.
        if (unsupported.some((line) => line.includes('is an error, since'))) return;
        expect(wrong).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
