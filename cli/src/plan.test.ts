/** `plan` on whole repositories: a config as people have it, in all its forms, and a thousand broken ones. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerOf, command, folderWith, type Answer, type Around } from '../testing.ts';

/** In the shape of a real repository's config: notes, pins, short names, a retag by digest of what is built here. */
const upstream = [
  'docker.io/library/alpine:3.18',
  'docker.io/vendor/base:8.8',
  'docker.io/vendor/base-minimal:8.8',
  'docker.io/agents/agent:7',
  'docker.io/library/debian:bookworm-slim',
  'docker.io/lint/lint:v2.12.0-alpine',
  'docker.io/infra/planner:1.5.0',
  'docker.io/library/node:16.17.1-alpine',
  'docker.io/library/node:20.3-alpine3.18',
  'docker.io/library/python:3.11.4-bullseye',
  'docker.io/library/python:3.11.4-alpine3.18',
  'docker.io/library/golang:1.16-alpine3.15',
  'images.example/minimal/go:latest',
  'images.example/minimal/static:latest',
  'images.example/minimal/nginx:latest',
  'images.example/minimal/node:20',
  'registry.example/base-images/docs:latest',
  'registry.example/vendor/conform:v0.1.0-alpha.27',
  'quay.example/centos/centos:7',
  'quay.example/centos/stream',
  'images.example/minimal/curl:8.1.2',
  'docker.io/security/proxy:2.11.1',
];

const sources = ['docs/Dockerfile', 'git/image.yaml', 'xslt/image.yaml', 'tex/image.yaml', 'chart/Dockerfile'];

const config = `# yaml-language-server: $schema=./docs/config.schema.json
sync:
  # NOTES
  # - an image with a digest stays what it is
${upstream
  .map(
    (source, n) => `  - source: ${source}@sha256:${String(n % 10).repeat(64)}
    destination: registry.example/base-images/synced-${n}:1 # why it is here
`,
  )
  .join('')}build:
  # NOTES
${sources
  .map(
    (source) => `  - source: ./images/${source}
    destination: registry.example/base-images/${source.split('/')[0]}:latest
`,
  )
  .join('')}`;

const apko = `contents:
  repositories: [https://packages.example/alpine/edge/main]
  packages: [busybox]
archs: [x86_64]
`;

const repository: Readonly<Record<string, string>> = {
  'config.yaml': config,
  ...Object.fromEntries(
    sources.map((source) => [`images/${source}`, source.endsWith('.yaml') ? apko : 'FROM alpine:3.20\nRUN true\n']),
  ),
};

const MAIN = { GITHUB_REF: 'refs/heads/main', GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567' };

function planJson(around: Around, ...args: readonly string[]) {
  return command(around, 'plan', '--json', ...args).then((ran) => ({ ...ran, answer: answerOf(ran) }));
}

describe('a config as people have it', () => {
  it('plans to 22 syncs and 5 builds, each at its line', async () => {
    const { code, answer, stderr } = await planJson({ cwd: folderWith(repository), env: MAIN });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const { entries } = answer;
    expect(entries.filter(({ kind }) => kind === 'sync')).toHaveLength(22);
    expect(entries.filter(({ kind }) => kind === 'build').map(({ mode }) => mode)).toEqual([
      'docker',
      'apko',
      'apko',
      'apko',
      'docker',
    ]);
    const lines = config.split('\n');
    for (const { at } of entries) {
      const [file, line, column] = at.split(':');
      expect(file).toBe('config.yaml');
      expect(lines[Number(line) - 1]?.slice(Number(column) - 1)).toMatch(/^source: /);
    }
  });

  it('is said in text: what, from where, and how many', async () => {
    const { code, stdout } = await command({ cwd: folderWith(repository), env: MAIN }, 'plan');
    expect(code).toBe(0);
    expect(stdout).toContain('sync (22)');
    expect(stdout).toContain('build (5)');
    expect(stdout).toContain('registry.example/base-images/git:latest ← images/git/image.yaml (apko)');
    expect(stdout).toMatch(/\n27 entries, \d+ tasks\n$/);
  });

  it.each([
    // Its tasks are more than mermaid draws.
    ['mermaid', /^flowchart LR\n/, /^ {2}e\d+\["/gm],
    ['dot', /^digraph slipway \{\n[^]*\}\n$/, /subgraph /g],
  ])('is drawn as %s, with every entry', async (format, form, entry) => {
    const { code, stdout } = await command({ cwd: folderWith(repository), env: MAIN }, 'plan', '--format', format);
    expect(code).toBe(0);
    expect(stdout).toMatch(form);
    expect(stdout.match(entry)).toHaveLength(27);
  });

  it('--to is about what is asked for, and keeps registries apart where it is told to', async () => {
    const two =
      'sync:\n  - { source: alpine, destination: one.example/a:1 }\n  - { source: busybox, destination: two.example/a:1 }\n';
    const around = { cwd: folderWith({ 'config.yaml': two }), env: MAIN };
    const both = await command(around, 'plan', '--to', 'localhost:5000/try');
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining("--to 'localhost:5000/try/{registry}'") });
    const one = await planJson(around, '--to', 'localhost:5000/try', '--exclude', 'two.example/*');
    expect(one.answer.entries.map(({ targets }) => targets)).toEqual([['localhost:5000/try/a:1']]);
    const apart = await planJson(around, '--to', 'localhost:5000/try/{registry}');
    expect(apart.answer.entries.flatMap(({ targets }) => targets)).toEqual([
      'localhost:5000/try/one.example/a:1',
      'localhost:5000/try/two.example/a:1',
    ]);
  });

  it('--only and --exclude select by id and destination', async () => {
    const cwd = folderWith(repository);
    const ids = async (...args: readonly string[]): Promise<readonly string[]> =>
      (await planJson({ cwd, env: MAIN }, ...args)).answer.entries.map(({ id }) => id);
    expect(await ids('--only', 'build:*')).toHaveLength(5);
    expect(await ids('--only', '*/git:latest')).toEqual(['build:registry.example/base-images/git:latest']);
    expect(await ids('--only', '*/git:latest', '--only', '*/tex:latest')).toHaveLength(2);
    expect(await ids('--exclude', 'sync:*')).toHaveLength(5);
    expect(await ids('--only', 'build:*', '--exclude', '*/git:*')).toHaveLength(4);
  });

  it('the same twice gives the same plan byte for byte', async () => {
    const cwd = folderWith(repository);
    expect((await planJson({ cwd, env: MAIN })).stdout).toBe((await planJson({ cwd, env: MAIN })).stdout);
  });

  it('marks what is copied without trust, and what a --to leaves unsigned', async () => {
    const cwd = folderWith({
      ...repository,
      'slipway.config.yaml': 'trust:\n  - match: "*/synced-1:1"\n    level: copy\n',
    });
    const { stdout } = await command({ cwd, env: MAIN }, 'plan', '--to', 'localhost:5000/scratch');
    expect(stdout).toContain('synced-1:1 ← docker.io/vendor/base:8.8@sha256:' + '1'.repeat(64) + ' (trust: copy');
    expect(stdout).toMatch(/localhost:5000\/scratch\/base-images\/git:latest ← .*not signed/);
  });
});

describe('a checkout of somebody else', () => {
  it('runs plugins and settings of its own, and with settings from elsewhere nothing that is in it', async () => {
    const mark = (name: string): string => `globalThis.ranOfCheckout = [...globalThis.ranOfCheckout ?? [], '${name}'];`;
    const ran = (): unknown => (globalThis as { ranOfCheckout?: unknown }).ranOfCheckout;
    const cwd = folderWith({
      'config.yaml': 'build:\n  - source: ./Dockerfile\n    destination: r.example/a:1\n',
      Dockerfile: 'FROM docker.io/library/alpine:3\n',
      'slipway.config.js': `${mark('settings')}\nexport default { plugins: ['./plugin.js'] };\n`,
      'plugin.js': `${mark('plugin')}\nexport default {};\n`,
      'package.json': '{ "type": "module" }',
    });
    const trusted = folderWith({ 'settings.yaml': 'main: main\n' });
    const plan = (...args: readonly string[]) => command({ cwd }, 'plan', ...args);
    expect((await plan('--settings', join(trusted, 'settings.yaml'))).code).toBe(0);
    expect(ran()).toBeUndefined();
    expect((await plan()).code).toBe(2);
    expect(ran()).toEqual(['settings', 'plugin']);
  });
});

describe('where and when', () => {
  const entry = (more: string): Readonly<Record<string, string>> => ({
    'config.yaml': `build:\n  - source: ./image.yaml\n    destination: registry.example/a:1\n${more}`,
    'image.yaml': apko,
  });

  it('buildOnMainOnly is skipped elsewhere, with the reason', async () => {
    const cwd = folderWith(entry('    buildOnMainOnly: true\n'));
    const on = async (env: Readonly<Record<string, string>>): Promise<Answer['entries'][number] | undefined> =>
      (await planJson({ cwd, env })).answer.entries[0];
    expect((await on(MAIN))?.skip).toBeUndefined();
    expect((await on({ GITHUB_REF: 'refs/heads/topic' }))?.skip).toContain('topic');
    expect((await on({}))?.skip).toContain('main');
    expect((await command({ cwd }, 'plan')).stdout).toContain('skipped: ');
  });

  it('{sha} is the commit; without git it is exit 2 at its place', async () => {
    const cwd = folderWith(entry("    tags: ['{sha}']\n"));
    const known = await planJson({ cwd, env: MAIN });
    expect(known.answer.entries[0]?.targets).toEqual([
      'registry.example/a:1',
      `registry.example/a:${MAIN.GITHUB_SHA.slice(0, 12)}`,
    ]);
    const unknown = await planJson({ cwd });
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/^config\.yaml:4:\d+: .*\{sha\}/);
  });
});

it('10,000 entries are planned', async () => {
  const many = Array.from(
    { length: 10_000 },
    (_, n) => `  - source: hub.example/library/image-${n}:1\n    destination: registry.example/mirror/image-${n}:1\n`,
  );
  const cwd = folderWith({ 'config.yaml': `sync:\n${many.join('')}` });
  const from = performance.now();
  const { code, stdout } = await command({ cwd }, 'plan', '--json');
  // About a second on an idle machine; quadratic would be minutes.
  expect(performance.now() - from).toBeLessThan(15_000);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).entries).toHaveLength(10_000);
});

describe('a config that went wrong', () => {
  const odd = [
    '\0',
    '\t',
    '\r\n',
    '\u202e',
    '\ud800',
    '"',
    "'",
    '{',
    '[',
    ': ',
    '- ',
    '#',
    '&a ',
    '*a',
    '!!x ',
    '%',
    '|',
    '---\n',
    '__proto__: ',
    '--help',
    '../../',
    '/etc/passwd',
    '$(x)',
    '{sha}',
    '{',
    '1e400',
    '['.repeat(3000),
    'x'.repeat(20_000),
  ];
  const at = fc.nat({ max: 1_000_000 });
  const mutation = fc.oneof(
    fc.tuple(at, fc.constantFrom(...odd)).map(
      ([n, text]) =>
        (yaml: string) =>
          splice(yaml, n, 0, text),
    ),
    fc.tuple(at, fc.nat({ max: 200 })).map(
      ([n, length]) =>
        (yaml: string) =>
          splice(yaml, n, length, ''),
    ),
    fc.tuple(at, fc.nat({ max: 255 })).map(
      ([n, byte]) =>
        (yaml: string) =>
          splice(yaml, n, 1, String.fromCharCode(byte)),
    ),
    fc.tuple(at, at).map(
      ([n, m]) =>
        (yaml: string) =>
          lines(yaml, (all) => all.toSpliced(n % all.length, 1, all[m % all.length] ?? '')),
    ),
    at.map((n) => (yaml: string) => lines(yaml, (all) => all.toSpliced(n % all.length, 1))),
  );

  it('1,000 times: planned, or refused with its place', { timeout: 300_000 }, async () => {
    const cwd = folderWith(repository);
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
        writeFileSync(
          join(cwd, 'config.yaml'),
          mutations.reduce((yaml, mutate) => mutate(yaml), config),
        );
        const from = performance.now();
        const { code, stderr } = await command({ cwd, env: MAIN }, 'plan', '--json');
        expect(performance.now() - from).toBeLessThan(2000);
        expect([0, 2]).toContain(code);
        if (code === 0) return;
        refused += 1;
        expect(stderr).toMatch(/^(?:config\.yaml|images\/\S+):\d+:\d+: /);
        expect(stderr).not.toMatch(/\n\s+at |\[object|undefined|[^\P{Cc}\n]/u);
      }),
      { numRuns: 1000, seed: 20_261_123 },
    );
    expect(refused).toBeGreaterThan(300);
    expect(refused).toBeLessThan(1000);
  });
});

function splice(text: string, n: number, length: number, insert: string): string {
  const from = n % Math.max(1, text.length);
  return text.slice(0, from) + insert + text.slice(from + length);
}

function lines(text: string, change: (all: readonly string[]) => readonly string[]): string {
  return change(text.split('\n')).join('\n');
}

describe('patterns of the settings', () => {
  const files = {
    'config.yaml':
      'sync:\n  - { source: alpine, destination: r.example/a:1 }\n' +
      "  - { source: busybox, destination: 'r.example/mirror/{name}:{tag}', select: { semver: '*' } }\n",
    'slipway.config.yaml': `policy:
  overrides:
    - { match: 'sync:r.exmaple/*', verdict: refuse }
    - { match: 'r.example/mirror/b*', verdict: refuse }
    - { match: 'localhost:5000/*', verdict: report }
  waivers:
    - { id: CVE-2026-1, match: 'build:*', reason: none, expires: '2099-01-01' }
    - { id: CVE-2026-2, reason: none, expires: '2099-01-01' }
    - { id: CVE-2026-3, match: 'r.example/a:1', reason: none, expires: '2099-01-01' }
trust:
  - { match: 'r.example/b:*', level: full }
  - { match: '*', level: copy }
check:
  waivers:
    - { rule: source-pinned, match: "r.example/c\\e[2J:1", reason: none, expires: '2099-01-01' }
`,
  };

  it('are told with their place where they match no entry: a mistake in one leaves an image to a milder rule', async () => {
    const around = { cwd: folderWith(files), env: MAIN };
    const idle = (text: string, where: string): string =>
      `warning: slipway.config.yaml:${text} of ${where} matches no entry, and so changes nothing; slipway plan lists the entries\n`;
    const others =
      idle('7:7: "build:*"', 'policy.waivers') +
      idle('11:5: "r.example/b:*"', 'trust') +
      idle('15:7: "r.example/c [2J:1"', 'check.waivers');
    const first = idle('3:7: "sync:r.exmaple/*"', 'policy.overrides');
    const { code, stderr } = await command(around, 'plan');
    expect(code).toBe(0);
    expect(stderr).toBe(first + idle('5:7: "localhost:5000/*"', 'policy.overrides') + others);
    const moved = await command(around, 'plan', '--to', 'localhost:5000/try');
    expect(moved.stderr).toBe(first + others);
  });
});
