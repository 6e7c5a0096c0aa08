/** `build-melange` with the real melange, bubblewrap and the world's Alpine repository. */
import { createServer } from 'node:net';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { chmod, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ContractInput, ContractOutput, Result } from '@slipway/core';
import { contractSuite, type TestWorld } from '@slipway/core/testing';
import plugin from '../../plugins/build-melange/src/index.ts';
import { freshFolder, world, writeFiles } from '../world.ts';
import { contextOf, hostOf, must, pluginWorld, recorded } from './plugin-world.ts';

type Input = ContractInput<'package.build@1'>;
type Output = ContractOutput<'package.build@1'>;

const ENVIRONMENT = `environment:
  contents:
    keyring: ['http://apk.slipway.example/keys/slipway.rsa.pub']
    repositories: ['http://apk.slipway.example/v3.20/main']
    packages: [busybox]
`;
const KEY = { signingKey: 'keys/packages.rsa' };

/** A config that makes one package; `needs` are installed to build it. */
function config(name: string, runs: string, needs: readonly string[] = []): string {
  return `package:
  name: ${name}
  version: 1.0.0
  epoch: 0
  copyright: [{license: Apache-2.0}]
${ENVIRONMENT.replace('[busybox]', `[${['busybox', ...needs].join(', ')}]`)}pipeline:
  - runs: |
${runs.replace(/^/gm, '      ')}
`;
}

/** Puts a file into the package. */
function put(path: string, command: string): string {
  return `mkdir -p "\${{targets.destdir}}/${dirname(path)}"\n${command} > "\${{targets.destdir}}/${path}"`;
}

const LIB = config('greeter-lib', put('usr/share/greeter/words', 'echo hello'));
const APP = config('greeter', put('usr/bin/greeter', 'cat /usr/share/greeter/words'), ['greeter-lib']);

afterEach(() => vi.unstubAllEnvs());

contractSuite(
  { describe, it },
  {
    plugin,
    options: KEY,
    contract: 'package.build@1',
    world: () => checkout({ 'p/lib.yaml': LIB }),
    input: async () => inputOf('p/lib.yaml'),
    repeatable: async (output) => contentOf(output),
    hostile: 6,
  },
);

describe('build-melange', () => {
  it('makes a repository with one index that lists every package, and the public key', async () => {
    const sub = `${LIB}subpackages:\n  - name: greeter-doc\n    pipeline:\n      - runs: ${JSON.stringify('mkdir -p "${{targets.subpkgdir}}/usr/share/doc" && echo doc > "${{targets.subpkgdir}}/usr/share/doc/greeter"')}\n`;
    const { output } = await build(await checkout({ 'p/lib.yaml': sub }), inputOf('p/lib.yaml'));
    const made = must(output);
    expect(made.packages).toEqual(['x86_64/greeter-doc-1.0.0-r0.apk', 'x86_64/greeter-lib-1.0.0-r0.apk']);
    expect((await readdir(made.repository)).sort()).toEqual(['packages.rsa.pub', 'x86_64']);
    expect(await indexed(made, 'x86_64')).toEqual(['greeter-doc', 'greeter-lib']);
  });

  it('gives parallel packages indexes of their own: none is torn or lacks a package', async () => {
    const names = ['one', 'two', 'three', 'four'];
    const files = Object.fromEntries(
      names.map((name) => [`${name}/p.yaml`, config(name, put(`usr/share/${name}`, 'echo a'))]),
    );
    const shared = await checkout(files);
    const starts: string[][] = [];
    const built = await Promise.all(names.map((name) => build(shared, inputOf(`${name}/p.yaml`), KEY, starts)));
    for (const [position, { output }] of built.entries())
      expect(await indexed(must(output), 'x86_64')).toEqual([names[position]]);
    expect(starts.filter(([, command]) => command === 'index')).toHaveLength(names.length);
    expect(
      starts.filter(([, command]) => command === 'build').every((args) => args.includes('--generate-index=false')),
    ).toBe(true);
  });

  it('always says for which architectures: without --arch melange would build for all it knows', async () => {
    const starts: string[][] = [];
    const { output } = await build(await checkout({ 'p/lib.yaml': LIB }), inputOf('p/lib.yaml'), KEY, starts);
    const [args = []] = starts.filter(([, command]) => command === 'build');
    expect(args[args.indexOf('--arch') + 1]).toBe('x86_64');
    expect((await readdir(must(output).repository)).filter((name) => !name.endsWith('.pub'))).toEqual(['x86_64']);
    const unknown = await build(await checkout({ 'p/lib.yaml': LIB }), {
      ...inputOf('p/lib.yaml'),
      architectures: ['vax'],
    });
    expect(unknown.output).toMatchObject({ ok: false, failure: { reason: 'config' } });
  });

  it('is not kept for ever by a unix socket beside the config, and still finds the files there', async () => {
    const testWorld = await checkout({
      'p/app.yaml': config(
        'app',
        `test -x run.sh && test ! -e socket && test ! -e app.yaml\n${put('usr/share/app', 'cat data/words.txt')}`,
      ),
      'p/data/words.txt': 'words\n',
      'p/run.sh': '#!/bin/sh\n',
    });
    await chmod(join(testWorld.root, 'p/run.sh'), 0o755);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(testWorld.root, 'p/socket'), resolve));
    onTestFinished(() => void server.close());
    expect(must((await build(testWorld, inputOf('p/app.yaml'))).output).packages).toHaveLength(1);
  });

  it('installs the packages it needs from the folders of earlier tasks', async () => {
    const testWorld = await checkout({ 'p/lib.yaml': LIB, 'p/app.yaml': APP });
    const lib = must((await build(testWorld, inputOf('p/lib.yaml'))).output);
    const app = must((await build(testWorld, inputOf('p/app.yaml', [lib.repository]))).output);
    expect(await indexed(app, 'x86_64')).toEqual(['greeter']);
    expect(await textOf(app)).toContain('hello');
  });

  it('gives melange one key of a name: of two it takes either', async () => {
    const testWorld = await checkout({ 'p/lib.yaml': LIB, 'p/app.yaml': APP });
    await copyFile(world().keys.packageKey, join(testWorld.root, 'keys/slipway.rsa'));
    const options = { signingKey: 'keys/slipway.rsa' };
    const lib = must((await build(testWorld, inputOf('p/lib.yaml'), options)).output);
    const starts: string[][] = [];
    must((await build(testWorld, inputOf('p/app.yaml', [lib.repository]), options, starts)).output);
    expect(starts.flat()).not.toContain('--keyring-append');
  });

  it('says that two keys have one name', async () => {
    const testWorld = await checkout({ 'p/lib.yaml': LIB, 'p/app.yaml': APP });
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await writeFile(join(testWorld.root, 'keys/slipway.rsa'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const options = { signingKey: 'keys/slipway.rsa' };
    const lib = must((await build(testWorld, inputOf('p/lib.yaml'), options)).output);
    const { output } = await build(testWorld, inputOf('p/app.yaml', [lib.repository]), options);
    expect(output).toMatchObject({
      ok: false,
      failure: { hint: expect.stringContaining('a name of its own') as string },
    });
  });

  it('takes a needed package also by the repository line of the reference set-up', async () => {
    const app = APP.replace("/main']", "/main', '@local /github/workspace/packages']").replace(
      'greeter-lib]',
      'greeter-lib@local]',
    );
    const testWorld = await checkout({ 'p/lib.yaml': LIB, 'p/app.yaml': app });
    const lib = must((await build(testWorld, inputOf('p/lib.yaml'))).output);
    const made = must((await build(testWorld, inputOf('p/app.yaml', [lib.repository]))).output);
    expect(await textOf(made)).toContain('hello');
  });

  it("takes pipelines of one's own from beside the config and from the root, and is built again when one that it uses changed", async () => {
    const steps = '  - uses: near\n  - uses: team/far\n    with: { word: hi }\n';
    const testWorld = await checkout({
      'p/app.yaml': config('app', '').replace(/ {2}- runs:[^]*$/, steps),
      'p/pipelines/near.yaml': `pipeline:\n  - runs: ${JSON.stringify(put('usr/share/near', 'echo near'))}\n`,
      'pipelines/near.yaml': 'pipeline:\n  - runs: exit 1\n',
      'pipelines/team/far.yaml': `inputs:\n  word: {required: true}\npipeline:\n  - runs: ${JSON.stringify(put('usr/share/far', 'echo ${{inputs.word}}'))}\n`,
      'pipelines/unused.yaml': 'pipeline:\n  - runs: exit 1\n',
    });
    must((await build(testWorld, inputOf('p/app.yaml'))).output);
    for (const [file, started] of [
      ['unused', 0],
      ['near', 0],
      ['team/far', 2],
    ] as const) {
      const path = join(testWorld.root, 'pipelines', `${file}.yaml`);
      await writeFile(path, `${await readFile(path, 'utf8')}# changed\n`);
      const starts: string[][] = [];
      must((await build(testWorld, inputOf('p/app.yaml'), KEY, starts)).output);
      expect(starts, file).toHaveLength(started);
    }
  });

  it('makes the same bytes from two checkouts at two paths, and no path of either gets in', async () => {
    const files = { 'p/lib.yaml': LIB, 'p/app.yaml': APP };
    const bytes: unknown[] = [];
    for (const below of ['here', 'far/away']) {
      const testWorld = await checkout(files, below);
      const lib = must((await build(testWorld, inputOf('p/lib.yaml'))).output);
      const app = must((await build(testWorld, inputOf('p/app.yaml', [lib.repository]))).output);
      bytes.push([await packagesOf(lib), await packagesOf(app)]);
      for (const path of [testWorld.root, testWorld.work]) expect(await textOf(app)).not.toContain(path);
    }
    expect(bytes[1]).toEqual(bytes[0]);
  });
});

it.each(['../../keys/outside.pub', '/etc/hostname'])('takes no key from outside of the folder: %s', async (path) => {
  const testWorld = await checkout({ 'p/lib.yaml': LIB.replace('keyring: [', `keyring: ['${path}', `) });
  const { output } = await build(testWorld, inputOf('p/lib.yaml'));
  expect(output).toMatchObject({
    ok: false,
    failure: { reason: 'config', message: expect.stringContaining(path) as string },
  });
  expect(await readdir(testWorld.work)).not.toContain('keys');
});

describe('packages that were made before', () => {
  it('are used again without a tool when nothing changed', async () => {
    const testWorld = await checkout({ 'p/lib.yaml': LIB, 'p/other.yaml': APP });
    const first = must((await build(testWorld, inputOf('p/lib.yaml'))).output);
    // The configuration of another package in the folder is none of its inputs.
    await writeFile(join(testWorld.root, 'p/other.yaml'), APP.replace('1.0.0', '2.0.0'));
    const starts: string[][] = [];
    const again = await build(testWorld, inputOf('p/lib.yaml'), KEY, starts);
    expect(starts).toEqual([]);
    expect(again.lines.join('\n')).toContain('not built again');
    expect(await contentOf(must(again.output))).toEqual(await contentOf(first));
  });

  it.each<[string, (root: string) => Promise<void>, Readonly<Record<string, unknown>>]>([
    ['the config', (root) => writeFile(join(root, 'p/lib.yaml'), LIB.replace('echo hello', 'echo bye')), {}],
    ['a file beside it', (root) => writeFile(join(root, 'p/data'), 'new'), {}],
    ['whether that can be executed', (root) => chmod(join(root, 'p/data'), 0o755), {}],
    [
      'the key',
      (root) => copyFile(join(root, 'keys/packages.rsa'), join(root, 'keys/other.rsa')),
      { signingKey: 'keys/other.rsa' },
    ],
    ['the date', async () => undefined, { sourceDateEpoch: 86_400 }],
    ['their age', async () => new Promise((resolve) => setTimeout(resolve, 1100)), { maxAge: '1s' }],
  ])('are built again when %s changed', async (_, change, options) => {
    const testWorld = await checkout({ 'p/lib.yaml': LIB, 'p/data': 'old' });
    must((await build(testWorld, inputOf('p/lib.yaml'))).output);
    await change(testWorld.root);
    const starts: string[][] = [];
    must((await build(testWorld, inputOf('p/lib.yaml'), { ...KEY, ...options }, starts)).output);
    expect(starts.map(([, command]) => command)).toEqual(['build', 'index']);
  });

  it('are built again when a package they were built with changed', async () => {
    const testWorld = await checkout({ 'p/lib.yaml': LIB, 'p/app.yaml': APP });
    const lib = must((await build(testWorld, inputOf('p/lib.yaml'))).output);
    must((await build(testWorld, inputOf('p/app.yaml', [lib.repository]))).output);
    await writeFile(join(testWorld.root, 'p/lib.yaml'), LIB.replace('echo hello', 'echo bye'));
    const changed = must((await build(testWorld, inputOf('p/lib.yaml'))).output);
    const starts: string[][] = [];
    const app = must((await build(testWorld, inputOf('p/app.yaml', [changed.repository]), KEY, starts)).output);
    expect(starts).toHaveLength(2);
    expect(await textOf(app)).toContain('bye');
  });

  it('are built again when what was kept is damaged', async () => {
    const testWorld = await checkout({ 'p/lib.yaml': LIB });
    const first = must((await build(testWorld, inputOf('p/lib.yaml'))).output);
    const kept = join(testWorld.work, 'cache', 'build-melange', 'packages');
    for (const name of await readdir(kept))
      await writeFile(join(kept, name, 'files', 'x86_64', 'greeter-lib-1.0.0-r0.apk'), 'broken');
    const starts: string[][] = [];
    const again = must((await build(testWorld, inputOf('p/lib.yaml'), KEY, starts)).output);
    expect(starts).toHaveLength(2);
    expect(await packagesOf(again)).toEqual(await packagesOf(first));
  });
});

describe('the signing key', () => {
  it('is made once a run when none is set, with a warning that digests will change', async () => {
    const testWorld = await checkout({
      'p/lib.yaml': LIB,
      'q/two.yaml': config('two', put('usr/share/two', 'echo a')),
    });
    const host = await hostOf(plugin, {});
    const starts: string[][] = [];
    const contexts = await Promise.all([contextOf(plugin, testWorld), contextOf(plugin, testWorld)]);
    const inputs = [inputOf('p/lib.yaml'), inputOf('q/two.yaml')];
    const outputs = await Promise.all(
      contexts.map(async (context, position) =>
        must(await host.call('package.build@1', inputs[position] ?? inputOf(''), recorded(context, starts))),
      ),
    );
    expect(starts.filter(([, command]) => command === 'keygen')).toHaveLength(1);
    const keys = await Promise.all(
      outputs.map(({ repository }) => readFile(join(repository, 'ephemeral.rsa.pub'), 'utf8')),
    );
    expect(keys[0]).toBe(keys[1]);
    expect(contexts.flatMap(({ lines }) => lines).filter((line) => line.startsWith('warning:'))).toEqual([
      expect.stringContaining('digest of an image changes'),
    ]);
    expect(
      await readdir(join(testWorld.work, 'cache', 'build-melange')).then((names) => names.includes('packages')),
    ).toBe(false);
  });

  it('can stand in the environment, and reaches neither arguments nor the log', async () => {
    const testWorld = await checkout({ 'p/lib.yaml': LIB });
    const pem = await readFile(world().keys.packageKey, 'utf8');
    vi.stubEnv('PACKAGE_KEY', pem);
    const starts: string[][] = [];
    const { output, lines } = await build(
      testWorld,
      inputOf('p/lib.yaml'),
      { signingKey: 'env://PACKAGE_KEY' },
      starts,
    );
    expect(await readdir(must(output).repository)).toContain('melange.rsa.pub');
    const line = pem.split('\n')[1] ?? '';
    expect(line).not.toBe('');
    expect([...starts.flat(), ...lines].join('\n')).not.toContain(line);
  });

  it.each([
    ['keys/none.rsa', 'cannot be read'],
    ['env://NO_SUCH_VARIABLE_HERE', 'not set'],
    ['p/lib.yaml', 'not a private key'],
    ['keys', 'not a key file'],
  ])('%s is a mistake that is told before anything runs', async (signingKey, words) => {
    const { root } = await checkout({ 'p/lib.yaml': LIB });
    const host = await hostOf(plugin, { signingKey });
    const tasks = [{ id: 'package:p/lib.yaml', contract: 'package.build@1', input: inputOf('p/lib.yaml') }];
    const failures = await host.preflight({ tasks, root, env: process.env });
    expect(failures).toMatchObject([{ reason: 'config', message: expect.stringContaining(words) as string }]);
  });
});

describe('what fails', () => {
  it.each<[string, string, RegExp]>([
    ['no shell in the build environment', LIB.replace('[busybox]', '[slipway-release]'), /no shell/],
    ['no repository', LIB.replace(/ {4}repositories:.*\n/, ''), /has no repository/],
    ['a repository that is not there', LIB.replace('v3.20', 'v9.99'), /there is no index \S+v9.99\S+/],
    [
      'a package that is nowhere',
      LIB.replace('[busybox]', '[busybox, no-such-package]'),
      /has the package "no-such-package"/,
    ],
    [
      'a pipeline that is nowhere',
      LIB.replace('runs: |', 'uses: a/b # |').replace(/^ {6}.*\n/gm, ''),
      /no pipeline "a\/b"/,
    ],
    ['a key that is not accepted', LIB.replace(/ {4}keyring:.*\n/, ''), /not signed by a key/],
    ['a step', config('greeter-lib', 'echo did-this && exit 3'), /greeter-lib ended with exit status 3/],
    [
      'a step of a subpackage',
      `${LIB}subpackages:\n  - name: lib-doc\n    pipeline:\n      - runs: exit 4\n`,
      /of lib-doc ended with exit status 4/,
    ],
  ])('says so in words: %s', async (_, text, words) => {
    const { output } = await build(await checkout({ 'p/lib.yaml': text }), inputOf('p/lib.yaml'));
    expect(output).toMatchObject({ ok: false, failure: { reason: 'tool', tool: 'melange', class: 'permanent' } });
    if (output.ok) return;
    expect(output.failure.message).toMatch(words);
    expect(output.failure.hint).toBeTruthy();
  });
});

/** A folder like a checkout's, with a key for packages; at `below` it has another path. */
async function checkout(files: Readonly<Record<string, string>>, below = 'here'): Promise<TestWorld> {
  const root = join(await freshFolder(), below);
  await mkdir(root, { recursive: true });
  await writeFiles(root, { 'keys/packages.rsa': await readFile(world().keys.packageKey, 'utf8'), ...files });
  return pluginWorld({ root });
}

function inputOf(path: string, repositories: readonly string[] = []): Input {
  return { config: path, architectures: ['amd64'], repositories };
}

async function build(
  testWorld: TestWorld,
  input: Input,
  options: Readonly<Record<string, unknown>> = KEY,
  starts: string[][] = [],
): Promise<{ readonly output: Result<Output>; readonly lines: readonly string[] }> {
  const context = await contextOf(plugin, testWorld);
  const host = await hostOf(plugin, options);
  return { output: await host.call('package.build@1', input, recorded(context, starts)), lines: context.lines };
}

/** Path in the repository → hash, of all files. */
async function contentOf({ repository }: Output): Promise<Readonly<Record<string, string>>> {
  const items = await readdir(repository, { withFileTypes: true, recursive: true });
  const files = items.filter((item) => item.isFile()).map((item) => join(item.parentPath, item.name));
  const hashes = files.map(async (file) => [
    file.slice(repository.length + 1),
    createHash('sha256')
      .update(await readFile(file))
      .digest('hex'),
  ]);
  const sorted = (await Promise.all(hashes)).toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted) as Readonly<Record<string, string>>;
}

async function packagesOf(output: Output): Promise<readonly (readonly [string, string])[]> {
  return Object.entries(await contentOf(output)).filter(([name]) => name.endsWith('.apk'));
}

/** All streams of a repository's packages as one text. */
async function textOf({ repository, packages }: Output): Promise<string> {
  const texts = await Promise.all(
    packages.map(async (name) => gunzipSync(await readFile(join(repository, name))).toString('latin1')),
  );
  return texts.join('\n');
}

/** Names of the packages that an index lists, sorted. */
async function indexed({ repository }: Output, architecture: string): Promise<readonly string[]> {
  const text = gunzipSync(await readFile(join(repository, architecture, 'APKINDEX.tar.gz'))).toString('latin1');
  return [...text.matchAll(/^P:(.*)$/gm)].map(([, name = '']) => name).sort();
}
