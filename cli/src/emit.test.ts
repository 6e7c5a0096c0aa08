/** What `emit github` writes: the plan's edges, nothing that a name could run, and the same bytes every day on every branch. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHost, emitContext, emitPlan, loadPlugins, planJson, type EmitInput } from '@slipway/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Plan } from '../../core/src/plan/model.ts';
import { build, planned, settings, sync } from '../../core/src/plan/sample.ts';
import { answerOf, command, folderWith } from '../testing.ts';
import { defaultPlugins } from './default-plugins.ts';

interface Step {
  readonly name: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}
interface Job {
  readonly name: string;
  readonly if?: string;
  readonly needs?: readonly string[];
  readonly permissions: Readonly<Record<string, string>>;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly permissions: object;
  readonly jobs: Readonly<Record<string, Job>>;
}

const loaded = await loadPlugins({ settings: { folder: '/', plugins: [] }, defaults: defaultPlugins });
const hosted = loaded.ok ? await createHost(loaded.value, {}) : loaded;

async function emitted(plan: Plan, more: Partial<EmitInput> = {}) {
  if (!hosted.ok) throw new Error('the default plugins load');
  const input: EmitInput = {
    plan: planJson(plan, [], '/repo'),
    context: emitContext(settings(), { config: 'config.yaml' }),
    split: true,
    ...more,
  };
  const surroundings = { root: '/repo', log: () => {}, signal: new AbortController().signal };
  return emitPlan(hosted.value, 'github', input, surroundings);
}

async function workflows(...args: Parameters<typeof emitted>): Promise<ReadonlyMap<string, Workflow>> {
  const result = await emitted(...args);
  if (!result.ok) throw new Error(result.failure.message);
  return new Map(result.value.files.map(({ path, content }) => [path, parse(content) as Workflow]));
}

async function jobsOf(plan: Plan): Promise<Readonly<Record<string, Job>>> {
  return (await workflows(plan)).get('workflows/run.yml')?.jobs ?? {};
}

/** Images on images, and retags of them: each is built on some of those before it. */
const plans = fc
  .array(fc.record({ bases: fc.array(fc.nat(20), { maxLength: 3 }), retag: fc.boolean() }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((images) => {
    const name = (index: number): string => `registry.example/team/image-${index}:1`;
    const files = Object.fromEntries(
      images.map(({ bases }, index) => {
        const before = bases.filter((base) => base < index).map((base) => `FROM ${name(base)}\n`);
        return [`images/${index}/Dockerfile`, `FROM docker.io/library/alpine:3.20\n${before.join('')}`];
      }),
    );
    const entries = images.flatMap(({ retag }, index) => [
      build(`images/${index}/Dockerfile`, name(index)),
      ...(retag ? [sync(name(index), `registry.example/team/stable-${index}:1`)] : []),
    ]);
    return { entries, files };
  });

describe('jobs of their own', () => {
  it('have the edges of the plan, and no others', async () => {
    let edges = 0;
    await fc.assert(
      fc.asyncProperty(plans, async ({ entries, files }) => {
        const { plan } = await planned(entries, files);
        const jobs = await jobsOf(plan);
        const entryOf = (id: string): string => jobs[id]?.name ?? '';
        const found = Object.values(jobs).flatMap((job) =>
          (job.needs ?? []).map((need) => `${entryOf(need)} → ${job.name}`),
        );
        const meant = plan.entries.flatMap(({ id, needs }) => needs.map((need) => `${need} → ${id}`));
        edges += meant.length;
        expect(new Set(found)).toEqual(new Set(meant));
        expect(found).toHaveLength(meant.length);
        expect(Object.values(jobs).map(({ name }) => name)).toEqual(plan.entries.map(({ id }) => id));
        expect(Object.keys(jobs).filter((id) => !/^[A-Za-z_][A-Za-z0-9_-]{0,99}$/.test(id))).toEqual([]);
      }),
      { numRuns: 50 },
    );
    expect(edges).toBeGreaterThan(50);
  });

  it.each([
    ['as a destination', 'docker.io/library/alpine', 'ghcr.io/org/alpine:{tag}', 'write'],
    ['as a source', 'ghcr.io/org/alpine', 'r.example/alpine:{tag}', 'read'],
  ])("log in to GitHub's registry where only a selection names it, %s", async (_, source, destination, access) => {
    const { plan } = await planned([sync('docker.io/library/a:1', 'r.example/a:1')]);
    const selections = [{ id: `sync:${destination}`, source, destination }];
    for (const split of [true, false]) {
      const made = await workflows(plan, { plan: { ...planJson(plan, [], '/repo'), selections }, split });
      const jobs = [...made].flatMap(([path, { jobs: all }]) =>
        path.includes('pull') ? [] : Object.values(all).filter(({ permissions }) => permissions['packages'] === access),
      );
      expect(jobs.length).toBeGreaterThan(0);
      for (const { steps } of jobs) expect(steps.some(({ run }) => run?.includes('docker login ghcr.io'))).toBe(true);
    }
  });

  it("leave the login to GitHub's registry to the settings where those have one", async () => {
    const { plan } = await planned([sync('docker.io/library/a:1', 'ghcr.io/org/a:1')]);
    const registries = [
      { match: 'ghcr.io', login: { kind: 'env', username: 'ann', passwordEnv: 'GHCR_TOKEN' } },
    ] as const;
    const context = emitContext({ ...settings(), registries }, { config: 'config.yaml' });
    const steps = [...(await workflows(plan, { context })).values()]
      .flatMap(({ jobs }) => Object.values(jobs))
      .flatMap((job) => job.steps);
    expect(steps.some(({ env }) => env?.['GHCR_TOKEN'] !== undefined)).toBe(true);
    expect(steps.filter(({ run }) => run?.includes('docker login'))).toEqual([]);
  });

  it('hand on digests, and run one entry each, whatever signs are in its name', async () => {
    const { plan } = await planned([build('a/Dockerfile', 'r.example/a:1'), sync('r.example/a:1', 'r.example/b:1')], {
      'a/Dockerfile': 'FROM docker.io/library/alpine:3\n',
    });
    const odd = {
      ...plan,
      entries: plan.entries.map((entry) => ({ ...entry, id: entry.id.replace('b:1', 'b:{date}') })),
    };
    const jobs = await jobsOf(odd);
    const [first, second] = Object.entries(jobs);
    expect(first?.[1].outputs).toEqual({ digest: '${{ steps.slipway.outputs.digest }}' });
    const { env, run } = second?.[1].steps.at(-1) ?? {};
    expect(env).toMatchObject({
      SLIPWAY_ENTRY: 'sync:r.example/b:1'.replace('b:1', 'b:\\{date\\}'),
      SLIPWAY_NEEDS: `build:r.example/a:1 \${{ needs.${first?.[0]}.outputs.digest }}\n`,
    });
    expect(run).toBe('exec node_modules/.bin/slipway run --config "$SLIPWAY_CONFIG" --only "$SLIPWAY_ENTRY"\n');
  });

  it('are refused where there would be too many, too much text, or a promise that no job can keep', async () => {
    const many = async (count: number, name = 'i') =>
      (
        await planned(
          Array.from({ length: count }, (_, n) => sync('docker.io/library/a:1', `r.example/${name}-${n}:1`)),
        )
      ).plan;
    expect(await emitted(await many(1_001))).toMatchObject({
      ok: false,
      failure: { message: expect.stringContaining('1001 jobs') },
    });
    expect(await emitted(await many(1_000, 'n'.repeat(180)))).toMatchObject({
      ok: false,
      failure: { message: expect.stringContaining('GitHub takes 500000'), hint: expect.stringContaining('--split') },
    });
    expect(await emitted(await many(1_001), { split: false })).toMatchObject({ ok: true });
    const context = emitContext({ ...settings(), publish: 'together' }, { config: 'config.yaml' });
    expect(await emitted(await many(2), { context })).toMatchObject({ ok: false, failure: { reason: 'config' } });
  });
});

describe('every workflow', () => {
  const all = async (more: Partial<EmitInput> = {}, to = 'ghcr.io/example/a:1'): Promise<readonly Job[]> => {
    const { plan } = await planned([build('a/Dockerfile', to)], {
      'a/Dockerfile': 'FROM docker.io/library/alpine:3\n',
    });
    return [...(await workflows(plan, more)).values()].flatMap(({ jobs }) => Object.values(jobs));
  };

  it('evaluates nothing in a script, and starts Slipway so that a signal reaches it', async () => {
    const path = 'a ${{ github.token }}"; echo owned #.yaml';
    const base = emitContext(settings(), { config: path, settings: path });
    for (const split of [true, false]) {
      const steps = (await all({ split, context: { ...base, main: "it's" } })).flatMap((job) => job.steps);
      for (const { run = '' } of steps) {
        expect(run).not.toContain('${{');
        expect(run).not.toContain('owned');
        for (const line of run.split('\n').filter((each) => each.includes('.bin/slipway') && !each.startsWith('if ')))
          expect(line).toMatch(/^exec node_modules\/\.bin\/slipway /);
      }
      const paths = steps.flatMap(({ env = {} }) => [env['SLIPWAY_CONFIG'], env['SLIPWAY_SETTINGS']].filter(Boolean));
      expect(new Set(paths)).toEqual(new Set([path.replace('${{', "${{ '${{' }}")]));
      expect(
        steps
          .flatMap(({ uses }) => uses ?? [])
          .filter((uses) => !/^actions\/(?:checkout|cache)@[0-9a-f]{40}$/.test(uses)),
      ).toEqual([]);
    }
  });

  it('may do what it must, and no more', async () => {
    const keyless = { keyless: true, secrets: [] };
    const base = emitContext(settings(), { config: 'config.yaml' });
    const of = async (context: EmitInput['context'], to?: string) =>
      (await all({ split: false, context }, to)).map(({ permissions }) => permissions);
    const contents = 'read';
    expect(await of(base, 'r.example/a:1')).toEqual([{ contents }, { contents }, { contents }]);
    const publishes = { contents, packages: 'write', 'id-token': 'write' };
    expect(await of({ ...base, production: keyless })).toEqual([publishes, publishes, { contents, packages: 'read' }]);
    expect((await of({ ...base, scratch: keyless })).at(-1)).toEqual({
      contents,
      packages: 'read',
      'id-token': 'write',
    });
  });

  it('caches tools and compiled code by name, never the mark that a pull request could read with them', async () => {
    for (const split of [true, false]) {
      const kept = (await all({ split }))
        .flatMap(({ steps }) => steps)
        .filter(({ uses = '' }) => uses.startsWith('actions/cache@'))
        .map((step) => step.with?.['path']);
      expect(new Set(kept)).toEqual(new Set(['~/.cache/slipway/tools\n~/.cache/slipway/compiled\n~/.npm\n']));
    }
  });

  it('publishes from the main branch alone, also when it is started by hand', async () => {
    const jobs = await all({ split: false, context: { ...emitContext(settings(), { config: 'c' }), main: "it's" } });
    expect(jobs.map((job) => job.if)).toEqual([
      "github.ref == 'refs/heads/it''s'",
      "github.ref == 'refs/heads/it''s'",
      undefined,
    ]);
  });

  it('names secrets in the environment of the one step that needs them, and the production key in no pull request', async () => {
    const signer = (key: string) => ({ key, signer: undefined, accept: [] }) as never;
    const context = emitContext(
      {
        ...settings(),
        signing: signer('env://PROD_KEY'),
        scratch: signer('env://SCRATCH_KEY'),
        plugins: [
          { name: 'build-melange', options: { signingKey: 'env://PACKAGE_KEY', secrets: { a: { env: 'NPM_TOKEN' } } } },
        ],
      },
      { config: 'config.yaml' },
    );
    const secretsIn = ({ env = {} }: Step) => Object.entries(env).filter(([, value]) => value.includes('secrets.'));
    const [publish, , pullRequest] = await all({ split: false, context });
    const named = (job: Job | undefined) => job?.steps.flatMap(secretsIn).map(([name]) => name);
    expect(named(publish)).toEqual(['COSIGN_PASSWORD', 'NPM_TOKEN', 'PACKAGE_KEY', 'PROD_KEY']);
    expect(named(pullRequest)).toEqual(['COSIGN_PASSWORD', 'NPM_TOKEN', 'PACKAGE_KEY', 'SCRATCH_KEY']);
    expect(publish?.steps.filter((step) => secretsIn(step).length > 0)).toHaveLength(1);
  });
});

describe('the command', () => {
  const config = (...names: readonly string[]): string =>
    `sync:\n${names.map((name) => `  - { source: 'docker.io/library/a:1', destination: 'ghcr.io/example/${name}' }\n`).join('')}`;

  it('writes, compares, and takes away what is not emitted any more', async () => {
    const cwd = folderWith({ 'config.yaml': config('a:1'), '.github/workflows/own.yml': 'name: own\n' });
    const written = await command({ cwd }, 'emit', 'github', '--json');
    expect(answerOf(written)).toMatchObject({
      ok: true,
      files: expect.arrayContaining([{ path: '.github/workflows/sync.yml', state: 'new' }]),
    });
    expect(await command({ cwd }, 'emit', 'github', '--check')).toMatchObject({ code: 0 });

    const file = join(cwd, '.github/workflows/sync.yml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('contents: read', 'contents: write'));
    const drift = await command({ cwd }, 'emit', 'github', '--check');
    expect(drift.code).toBe(1);
    expect(drift.stdout).toMatch(
      /sync\.yml is not what the config says\n {2}- +contents: write\n {2}\+ +contents: read\n/,
    );
    expect(readFileSync(file, 'utf8')).toContain('contents: write');

    const split = await command({ cwd }, 'emit', 'github', '--split', '--json');
    expect(answerOf(split)).toMatchObject({
      files: expect.arrayContaining([{ path: '.github/workflows/sync.yml', state: 'gone' }]),
    });
    expect(existsSync(file)).toBe(false);
    expect(existsSync(join(cwd, '.github/workflows/own.yml'))).toBe(true);
    expect(await command({ cwd }, 'emit', 'github', '--check')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('run.yml is not emitted any more'),
    });
  });

  it('gives the same bytes on any branch, with any commit, and for a date in a tag', async () => {
    const cwd = folderWith({
      'config.yaml': `${config('a:{date}', 'b:{sha}')}build:\n  - { source: ./image.yaml, destination: 'ghcr.io/example/c:1', buildOnMainOnly: true }\n`,
      'image.yaml': 'contents: { packages: [busybox] }\narchs: [x86_64]\n',
    });
    const env = (branch: string, digit: string) => ({
      GITHUB_REF: `refs/heads/${branch}`,
      GITHUB_SHA: digit.repeat(40),
    });
    for (const more of [[], ['--split']]) {
      expect((await command({ cwd, env: env('main', 'a') }, 'emit', 'github', ...more)).code).toBe(0);
      expect(await command({ cwd, env: env('other', 'b') }, 'emit', 'github', '--check', ...more)).toMatchObject({
        code: 0,
      });
    }
    expect(readFileSync(join(cwd, '.github/workflows/run.yml'), 'utf8')).not.toContain(
      new Date().toISOString().slice(0, 10),
    );
  });

  it('wants a config inside of the folder that it runs in, and says where it cannot write', async () => {
    const folder = folderWith({ 'config.yaml': config('a:1'), 'sub/x': '' });
    const outside = await command({ cwd: join(folder, 'sub') }, 'emit', 'github', '--config', '../config.yaml');
    expect(outside).toMatchObject({ code: 2, stderr: expect.stringContaining('outside of the folder') });
    mkdirSync(join(folder, '.github'));
    writeFileSync(join(folder, '.github/workflows'), '');
    expect(await command({ cwd: folder }, 'emit', 'github')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot be written'),
    });
    // Of a folder that is made there, /proc says that it is not there: no way of making it may be tried for ever.
    expect(await command({ cwd: folder }, 'emit', 'github', '--dir', '/proc/slipway/deep')).toMatchObject({ code: 2 });
  });

  it('warns of workflows that would end for want of who signs', async () => {
    const cwd = folderWith({ 'config.yaml': config('a:1') });
    const { code, stderr } = await command({ cwd }, 'emit', 'github');
    expect(code).toBe(0);
    expect(stderr).toContain('nothing says whose signatures count');
  });

  it('warns of a workflow whose own signature would not count', async () => {
    const signs = (subject: string): string =>
      `signing:\n  keyless: { issuer: 'https://token.actions.githubusercontent.com', ${subject} }\n`;
    const file = (name: string): string => `https://github.com/o/r/.github/workflows/${name}@refs/heads/main`;
    const warned = async (settings: string): Promise<string> => {
      const cwd = folderWith({ 'config.yaml': config('a:1'), 'slipway.config.yaml': settings });
      return (await command({ cwd }, 'emit', 'github')).stderr;
    };
    expect(await warned(signs(`subject: '${file('slipway.yml')}'`))).toContain('sync.yml signs as itself');
    expect(await warned(signs(`subject: '${file('sync.yml')}'`))).toContain('scan.yml signs as itself');
    const both = `  accept: [{ issuer: 'https://token.actions.githubusercontent.com', subject: '${file('scan.yml')}' }]\n`;
    expect(await warned(`${signs(`subject: '${file('sync.yml')}'`)}${both}`)).toBe('');
    // Who else is accepted, from another issuer, is no workflow.
    const other = `  accept: [{ issuer: 'https://gitlab.example', subjectPattern: '.*' }]\n`;
    expect(await warned(`${signs(`subject: '${file('sync.yml')}'`)}${other}`)).toContain('scan.yml signs as itself');
    expect(await warned(signs(`subjectPattern: '.*/(sync|scan)\\.yml@refs/heads/main'`))).toBe('');
    const given = `${signs(`subject: '${file('slipway.yml')}'`)}  identityTokenEnv: TOKEN\n`;
    expect(await warned(given)).toBe('');
    const mirror = `${signs(`subject: '${file('slipway.yml')}'`)}trust: [{ match: '*', level: copy }]\n`;
    expect(await warned(mirror)).toBe('');
  });

  it('says how to write what it compares, with the options that it was given', async () => {
    const cwd = folderWith({ 'config.yaml': config('a:1') });
    const { code, stdout } = await command({ cwd }, 'emit', 'github', '--check', '--split', '--dir', 'ci');
    expect(code).toBe(1);
    expect(stdout).toContain('the same command without --check');
  });
});

describe('emit, for a format of a plugin', () => {
  const emitter = (run: string): string =>
    `export default { name: 'emit-tekton', version: '1.0.0', api: '1.1', needs: { tools: [] },
      apply(hooks) { hooks.task.for('plan.emit@1/tekton').tapPromise('emit-tekton', ${run}); } };`;
  const repository = (run: string): string =>
    folderWith({
      'config.yaml': 'sync: [{ source: a:1, destination: r.example/a:1 }]\n',
      // Which of them count in GitHub is nothing to another engine.
      'slipway.config.yaml': `plugins: [./emit.mjs]
signing: { keyless: { issuer: 'https://token.actions.githubusercontent.com', subject: 'https://github.com/o/r/.github/workflows/run.yml@refs/heads/main' } }
`,
      'emit.mjs': emitter(run),
    });

  it('writes its files, and finds that they drifted', async () => {
    const cwd = repository(
      "async ({ context }) => ({ ok: true, value: { files: [{ path: 'run.yaml', content: context.config }], warnings: ['not tried'] } })",
    );
    expect(await command({ cwd }, 'emit', 'tekton')).toMatchObject({ code: 0, stderr: 'warning: not tried\n' });
    expect(readFileSync(join(cwd, '.tekton/run.yaml'), 'utf8')).toBe('config.yaml');
    expect((await command({ cwd }, 'emit', 'tekton', '--check')).code).toBe(0);
    const elsewhere = await command({ cwd }, 'emit', 'tekton', '--check', '--dir', 'other');
    expect(elsewhere).toMatchObject({ code: 1, stdout: expect.stringContaining('other/run.yaml is missing') });
  });

  it('says that no plugin has it, and what it is called that is near, or there', async () => {
    const told = async (format: string) =>
      answerOf(await command({ cwd: repository('async () => undefined') }, 'emit', format, '--json')).failures;
    const list = 'list a plugin that does under plugins in the settings';
    expect(await told('jenkins')).toMatchObject([
      { message: 'no plugin implements plan.emit@1/jenkins', hint: `${list}; loaded are github, tekton` },
    ]);
    expect(await told('tektn')).toMatchObject([{ hint: `did you mean "tekton"? If not, ${list}` }]);
    expect(await told('githb')).toMatchObject([{ hint: `did you mean "github"? If not, ${list}` }]);
    const unsigned = folderWith({ 'config.yaml': 'sync: [{ source: a:1, destination: r.example/a:1 }]\n' });
    // Nothing of what files would do that nobody makes.
    expect((await command({ cwd: unsigned }, 'emit', 'githb')).stderr).not.toContain('warning');
  });

  it.each([
    ['#!/bin/sh', true],
    ['# Made by slipway emit tekton', false],
  ])('takes away files that begin with its own first line, %s, only if it says whose they are', async (line, stays) => {
    const cwd = repository(
      `async () => ({ ok: true, value: { files: [{ path: 'run.sh', content: '${line}\\nslipway run\\n' }] } })`,
    );
    writeFileSync(join(cwd, 'another.sh'), `${line}\necho another\n`);
    const emitted = await command({ cwd }, 'emit', 'tekton', '--dir', '.', '--json');
    expect(answerOf(emitted)).toMatchObject({
      files: [{ path: 'run.sh', state: 'new' }, ...(stays ? [] : [{ path: 'another.sh', state: 'gone' }])],
    });
    expect(existsSync(join(cwd, 'another.sh'))).toBe(stays);
  });
});
