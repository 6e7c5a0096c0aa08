/** The packages as they are published: what is in them, how they resolve, and that a project outside runs on them. */
import { existsSync, globSync } from 'node:fs';
import { chmod, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import semver from 'semver';
import { beforeAll, describe, expect, it } from 'vitest';
import { run, runAny, type Output } from '../demo/world/processes.ts';
import { packed, PACKING, published, userEnvironment, type Packed } from './packed.ts';
import { freshFolder, freshPath, root, world, writeFiles, writeSettings } from './world.ts';

let made: Packed;
beforeAll(async () => {
  made = await packed();
}, PACKING);

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly repository: { readonly directory: string };
  readonly exports: Readonly<Record<string, unknown>>;
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly publishConfig: unknown;
}

const manifestOf = async (path: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(root, path, 'package.json'), 'utf8'));

/** The files of a tarball, without the folder that npm puts them in. */
async function filesOf(path: string): Promise<readonly string[]> {
  const tarball = made.tarballs[(await manifestOf(path)).name] ?? '';
  const { stdout } = await run('tar', ['-tzf', tarball]);
  return stdout
    .trim()
    .split('\n')
    .map((name) => name.replace(/^package\//, ''));
}

/** A program in the consumer's project. */
function consumer(
  version: 22 | 24,
  program: string,
  args: readonly string[],
  cwd = made.project,
  env = {},
): Promise<Output> {
  return runAny(program, args, { cwd, env: { ...userEnvironment(version), ...env }, timeout: 100_000 });
}

describe.each(published)('the package of %s', (path) => {
  it('says whose it is, where it comes from and what it runs on', async () => {
    const manifest = await manifestOf(path);
    expect(manifest).toMatchObject({
      license: 'Apache-2.0',
      version: (await manifestOf('core')).version,
      repository: { type: 'git', directory: path },
      publishConfig: { access: 'public', provenance: true },
      engines: { node: expect.stringMatching(/^\^22\.\d+\.\d+ \|\| /) },
      description: expect.any(String),
    });
    const { version } = await manifestOf('core');
    for (const [name, range] of Object.entries(manifest.dependencies)) {
      expect(range, name).toMatch(/^\d+\.\d+\.\d+$/);
      if (name.startsWith('@slipway/')) expect(range, name).toBe(version);
    }
  });

  it('promises no Node that one of its dependencies refuses', async () => {
    const { dependencies, engines } = await manifestOf(path);
    const own = lowest(engines.node);
    for (const name of Object.keys(dependencies)) {
      const file = join(made.project, 'node_modules', name, 'package.json');
      const theirs = (JSON.parse(await readFile(file, 'utf8')) as Partial<Manifest>).engines?.node;
      if (theirs === undefined) continue;
      for (const version of own)
        expect(semver.satisfies(version, theirs), `${name} wants ${theirs}, not ${version}`).toBe(true);
    }
  });

  it('holds a readme, and neither sources nor tests nor fixtures', async () => {
    const files = await filesOf(path);
    expect(files).toContain('README.md');
    // The template is a package of its own, with a test and a fixture.
    const foreign = files.filter(
      (name) => !name.startsWith('template/') && /(?:^|\/)(?:src|test)\/|\.test\.|fixture|(?<!\.d)\.ts$/.test(name),
    );
    expect(foreign).toEqual([]);
  });

  it('is well formed by publint', async () => {
    const { publint } = await import('publint');
    const { formatMessage } = await import('publint/utils');
    const tarball = await readFile(made.tarballs[(await manifestOf(path)).name] ?? '');
    const bytes = tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.byteLength) as ArrayBuffer;
    const { messages, pkg } = await publint({ pack: { tarball: bytes }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });
});

// The command has nothing to import.
describe.each(published.filter((path) => path !== 'cli'))('the package of %s', (path) => {
  it('has types that resolve as its code does', async () => {
    const { name } = await manifestOf(path);
    const attw = join(root, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js');
    const args = [attw, made.tarballs[name] ?? '', '--profile', 'esm-only', '--no-color', '--no-emoji'];
    const { code, stdout } = await runAny(process.execPath, args);
    expect(code, stdout).toBe(0);
  });
});

/** The first version of each part of a range, as `^22.22.2 || >=24.15.0` has them. */
function lowest(range: string): readonly string[] {
  return range.split('||').map((part) => part.replace(/[^\d.]/g, ''));
}

describe('assets', () => {
  it('are in the packages that read them', async () => {
    const tools = await filesOf('tools');
    for (const name of ['crane', 'cosign', 'trivy'])
      expect(tools).toEqual(expect.arrayContaining([`go/${name}/go.mod`, `go/${name}/go.sum`]));
    expect(tools).toContain('go/vulndb/main.go');
    const cli = await filesOf('cli');
    expect(cli).toEqual(
      expect.arrayContaining([
        'bin/slipway',
        'schemas/envelope.schema.json',
        'template/package.json.template',
        'template/src/mode.test.ts',
      ]),
    );
  });
});

describe('a project that installs them', () => {
  it('has nothing of this checkout', async () => {
    for (const name of Object.keys(made.tarballs)) {
      expect(existsSync(join(made.project, 'node_modules', name, 'src')), name).toBe(false);
    }
  });

  it('type-checks a plugin and its test, libraries included', async () => {
    const folder = join(made.project, 'types');
    await writeFiles(folder, {
      'plugin.ts': CONSUMER,
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          target: 'es2024',
          module: 'nodenext',
          types: ['node'],
          noEmit: true,
        },
      }),
    });
    const { code, stdout } = await consumer(22, 'npx', ['--no-install', 'tsc', '-p', '.'], folder);
    expect(code, stdout).toBe(0);
  });

  it.each([22, 24] as const)('runs on Node %i', async (version) => {
    expect((await consumer(version, 'node', ['--version'])).stdout).toMatch(new RegExp(`^v${version}\\.`));
    const told = await consumer(version, 'npx', ['--no-install', 'slipway', '--version']);
    expect(told).toMatchObject({ code: 0, stdout: `${(await manifestOf('cli')).version}\n` });
    const folder = await freshFolder();
    const build = [{ source: './image.yaml', destination: `${world().destination.host}/${freshPath('node')}:1` }];
    await writeFiles(folder, {
      'config.yaml': JSON.stringify({ build }),
      'image.yaml': 'contents: {packages: [hello]}\n',
    });
    await writeSettings(folder);
    const slipway = join(made.project, 'node_modules', '.bin', 'slipway');
    const cache = await freshFolder();
    const plan = () => consumer(version, slipway, ['plan', '--json'], folder, { XDG_CACHE_HOME: cache });
    const planned = await plan();
    expect(planned, planned.stderr).toMatchObject({ code: 0, stderr: '' });
    const kept = globSync('slipway/compiled/start-*/plan', { cwd: cache });
    expect(kept).toHaveLength(1);
    const { ino } = await stat(join(cache, kept[0] ?? ''));
    expect(await plan()).toEqual(planned);
    // All of it was taken: it would have been written anew otherwise.
    expect((await stat(join(cache, kept[0] ?? ''))).ino).toBe(ino);
    expect(JSON.parse(planned.stdout)).toMatchObject({ command: 'plan', ok: true, entries: [{ mode: 'apko' }] });
    const apko = join(folder, 'bin', 'apko');
    await writeFiles(folder, { 'bin/apko': '#!/bin/sh\necho \'{"gitVersion": "v1.2.99"}\'\n' });
    await chmod(apko, 0o755);
    const PATH = `${dirname(apko)}:${userEnvironment(version)['PATH']}`;
    const looked = await consumer(version, slipway, ['doctor', '--json'], folder, { PATH });
    // What starts tools is a file of its own in each of the packages.
    expect(looked.stdout).toContain(`1.2.99 (>=1.2 <2) ${apko}`);
    const code = `import { runProcess } from '@slipway/core';
      const { signal } = new AbortController();
      const request = { path: '/bin/echo', args: ['started'], cwd: '/', env: {}, timeout: 10000, maxOutput: 100, signal };
      console.log((await runProcess(request)).stdout);`;
    const started = await consumer(version, 'node', ['--input-type=module', '-e', code]);
    expect(started).toMatchObject({ code: 0, stdout: 'started\n\n', stderr: '' });
    const refused = await consumer(version, slipway, ['plan', '--config', 'missing.yaml'], folder);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('missing.yaml') });
    expect(refused.stderr).not.toMatch(/\n\s+at /);
  });

  it('finds the modules that its tools are built from', async () => {
    const code =
      "import { catalogue } from '@slipway/tools'; import { existsSync } from 'node:fs'; import { join, dirname } from 'node:path';" +
      "const go = join(dirname(new URL(import.meta.resolve('@slipway/tools')).pathname), '..', 'go');" +
      'process.exitCode = catalogue.every(({ name }) => existsSync(join(go, name, "go.mod"))) ? 0 : 1;';
    expect(await consumer(22, 'node', ['--input-type=module', '-e', code])).toMatchObject({ code: 0 });
  });
});

/** Touches what authors use of each entry point. */
const CONSUMER = `import { fail, folderFiles, implement, ok, writeImageLayout } from '@slipway/core';
import type { BuildContext, Built, ContractInput, Mode, Plugin, Result } from '@slipway/core';
import { contractSuite, createTestWorld, modeInput, modeSuite } from '@slipway/core/testing';
import { createToolFinder } from '@slipway/tools';
import crane from '@slipway/sync-crane';
import { describe, it } from 'vitest';

const mode: Mode = {
  name: 'typed',
  claims: (source) => source.endsWith('.typed'),
  inputs: async (entry, files) => {
    const text = await files.read(entry.source);
    return text.ok
      ? ok({ files: [entry.source], packageIndexes: [], bases: [], platforms: [], packages: [], options: {} })
      : fail(text.failure);
  },
  build: async (context: BuildContext): Promise<Result<Built>> => {
    const platform = context.platforms[0] ?? { os: 'linux', architecture: 'amd64' };
    const content = await folderFiles(context.files.root).read(context.entry.source);
    if (!content.ok) return content;
    const written = await writeImageLayout(context.files.work, [
      { platform, layers: [[{ type: 'file', path: 'text', content: Buffer.from(content.value) }]] },
    ]);
    return written.ok ? ok({ layout: context.files.work }) : written;
  },
};

export const plugin: Plugin = {
  name: 'build-typed',
  version: '1.0.0',
  api: '1.0',
  needs: { tools: [] },
  apply(hooks) {
    hooks.mode.tapPromise('build-typed', async (modes) => modes.add(mode));
    implement(hooks, 'image.copy@1', 'build-typed', async ({ destination }: ContractInput<'image.copy@1'>) =>
      ok({ digest: destination.digest }),
    );
    // @ts-expect-error: a contract's output is checked.
    implement(hooks, 'image.copy@1', 'build-typed', async () => ok({ digest: 1 }));
  },
};

const world = () => createTestWorld({ files: { a: '' }, finder: createToolFinder({ env: process.env }) });
const input = () => modeInput({ plugin, mode: 'typed', root: '/', source: 'a' });
modeSuite({ describe, it }, { plugin, mode: 'typed', world, input, repeatable: false });
export const suite: typeof contractSuite = contractSuite;
export const name: string = crane.name;
`;
