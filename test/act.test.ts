/**
 * The emitted workflows, read by actionlint and run by act, without a container: the registry ends as after a local run. act is
 * another implementation of GitHub's runner: it shows that steps, variables and outputs fit together, not GitHub's limits.
 */
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../demo/world/processes.ts';
import { worldEnvironment } from '../demo/world/settings.ts';
import { HELLO, project, type Project } from './chain/project.ts';
import { digestOf, source } from './chain/shorthand.ts';
import { crane, freshFolder, freshPath, launcher, slipway, tool, world, writeFiles } from './world.ts';

interface Made {
  readonly repository: Project;
  readonly references: readonly string[];
  readonly paths: readonly string[];
}

async function made(from: string): Promise<Made> {
  const { host } = world().destination;
  const [built, synced] = [freshPath('act'), freshPath('act')];
  const references = [`${host}/${built}:1`, `${host}/${synced}:1`, `${host}/${built}:stable`];
  const [build = '', copy = '', stable = ''] = references;
  const repository = await project({
    build: [{ source: `./${HELLO}`, destination: build }],
    sync: [
      { source: `hub.slipway.example/${from}:1`, destination: copy },
      { source: build, destination: stable },
    ],
  });
  return { repository, references, paths: [built, synced] };
}

/** What each tag names, and how often each kind of statement is attached to which image. */
async function seen({ references, paths }: Made): Promise<unknown> {
  const attached = await Promise.all(
    paths.map(async (path, index) => {
      const repository = `${world().destination.host}/${path}`;
      const tags = (await crane('ls', repository)).stdout.split('\n').filter((tag) => tag.startsWith('sha256-'));
      const lists = await Promise.all(
        tags
          .toSorted((a, b) => a.localeCompare(b))
          .map(async (tag) => {
            const { manifests } = JSON.parse((await crane('manifest', `${repository}:${tag}`)).stdout) as Referrers;
            const kinds = manifests.map(
              ({ annotations = {} }) => annotations['dev.sigstore.bundle.predicateType'] ?? '',
            );
            return { tag, kinds: kinds.toSorted((a, b) => a.localeCompare(b)) };
          }),
      );
      return { index, lists };
    }),
  );
  return { digests: await Promise.all(references.map(digestOf)), attached };
}

interface Referrers {
  readonly manifests: readonly { readonly annotations?: Readonly<Record<string, string>> }[];
}

/** A repository on main, with Slipway installed, and an action in place of the one that only GitHub's caches answer. */
async function checkedOut({ folder }: Project): Promise<readonly string[]> {
  await mkdir(join(folder, 'node_modules', '.bin'), { recursive: true });
  await symlink(launcher(), join(folder, 'node_modules', '.bin', 'slipway'));
  await writeFiles(folder, { '.gitignore': '.slipway/\n' });
  const git = (...args: readonly string[]) => run('git', ['-C', folder, ...args]);
  await git('init', '--quiet', '--initial-branch', 'main');
  await git('add', '--all');
  await git('-c', 'user.name=a', '-c', 'user.email=a@slipway.example', 'commit', '--quiet', '--message', 'one');
  const nothing = await freshFolder();
  const empty =
    'name: nothing\ndescription: nothing\nruns:\n  using: composite\n  steps:\n    - run: "true"\n      shell: sh\n';
  await writeFiles(nothing, { 'action.yml': empty });
  const build = await readFile(join(folder, '.github', 'workflows', 'pull-request.yml'), 'utf8');
  const used = [...build.matchAll(/uses: (\S+)/g)].map(([, name = '']) => name);
  return used.flatMap((name) => ['--local-repository', `${name}=${nothing}`]);
}

async function act(folder: string, event: string, workflow: string, local: readonly string[]) {
  const { COSIGN_PASSWORD = '', ...env } = worldEnvironment(world());
  const home = await freshFolder();
  const given = Object.entries({ ...env, SLIPWAY_TOOLS: process.env['SLIPWAY_TOOLS'] ?? '' }).filter(
    ([, value]) => value !== '',
  );
  const args = [
    ...[event, '--workflows', `.github/workflows/${workflow}.yml`, '--platform', 'ubuntu-24.04=-self-hosted'],
    ...['--no-cache-server', '--action-offline-mode', '--action-cache-path', join(home, 'act'), ...local],
    ...given.flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ...['--secret', 'COSIGN_PASSWORD'],
  ];
  return tool('act', args, { cwd: folder, timeout: 180_000, env: { COSIGN_PASSWORD, DOCKER_HOST: 'unix:///nowhere' } });
}

test('act runs the workflows, and the registry ends as after a local run', { timeout: 400_000 }, async () => {
  const { path } = await source('act');
  const local = await made(path);
  expect((await local.repository.run('run')).code).toBe(0);

  const remote = await made(path);
  const { folder } = remote.repository;
  expect((await slipway(['emit', 'github'], { cwd: folder })).code).toBe(0);
  const stand = await checkedOut(remote.repository);
  for (const workflow of ['build', 'sync']) {
    const ran = await act(folder, 'push', workflow, stand);
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  }
  expect(await seen(remote)).toEqual(await seen(local));
});

test('act runs jobs of their own, after those that they need', { timeout: 400_000 }, async () => {
  const { path } = await source('act');
  const remote = await made(path);
  const { folder } = remote.repository;
  expect((await slipway(['emit', 'github', '--split'], { cwd: folder })).code).toBe(0);
  const stand = await checkedOut(remote.repository);
  const ran = await act(folder, 'push', 'run', stand);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  const [built, , stable] = await Promise.all(remote.references.map(digestOf));
  expect(stable).toBe(built);
  const lines = ran.stdout.split('\n');
  const first = (entry: string | undefined, what: string): number =>
    lines.findIndex((line) => line.split(']', 1)[0]?.trimEnd().endsWith(`/${entry}`) === true && line.includes(what));
  const [build, , retag] = remote.references;
  const done = first(`build:${build}`, 'Job succeeded');
  expect(done).toBeGreaterThan(0);
  expect(first(`sync:${retag}`, 'Run Main slipway run')).toBeGreaterThan(done);
  // Each job says what it came to.
  expect(lines.filter((line) => line.includes(`digest=${built}`)).length).toBeGreaterThanOrEqual(2);
});

test('act tries a pull request on a registry of its own, which has ended then', { timeout: 400_000 }, async () => {
  const { path } = await source('act');
  const remote = await made(path);
  const { folder } = remote.repository;
  expect((await slipway(['emit', 'github'], { cwd: folder })).code).toBe(0);
  const stand = await checkedOut(remote.repository);
  const ran = await act(folder, 'pull_request', 'pull-request', stand);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  const [, host = ''] = /published (127\.0\.0\.1:\d+)\/scratch\//.exec(ran.stdout) ?? [];
  expect(host).not.toBe('');
  expect((await crane('catalog', host)).code).not.toBe(0);
  expect(await Promise.all(remote.references.map(digestOf))).toEqual([undefined, undefined, undefined]);
});

test('actionlint has nothing to say about any of them', async () => {
  const { path } = await source('actionlint');
  for (const args of [[], ['--split']]) {
    const { repository } = await made(path);
    const { folder } = repository;
    expect((await slipway(['emit', 'github', ...args], { cwd: folder })).code).toBe(0);
    const names = await readdir(join(folder, '.github', 'workflows'));
    expect(names).toContain(args.length === 0 ? 'build.yml' : 'run.yml');
    const files = names.map((name) => join('.github', 'workflows', name));
    const linted = await tool('actionlint', ['-no-color', ...files], { cwd: folder });
    expect(linted, linted.stdout).toMatchObject({ code: 0, stdout: '' });
  }
});
