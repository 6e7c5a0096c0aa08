/** `build-apko` with the real apko and the world's Alpine repository. */
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { folderFiles, type BuildContext, type BuildEntry, type Mode, type TaskContext } from '@slipway/core';
import { modeSuite, type ModeInput } from '@slipway/core/testing';
import plugin from '../../plugins/build-apko/src/index.ts';
import { freshFolder, world, writeFiles } from '../world.ts';
import { contextOf, hostOf, must, pluginWorld } from './plugin-world.ts';

const REPOSITORY = 'http://apk.slipway.example/v3.20/main';
const HELLO = `contents:
  keyring: [keys/slipway.rsa.pub]
  repositories: [${REPOSITORY}]
  packages: [slipway-release, hello]
entrypoint:
  command: /usr/bin/hello
archs: [x86_64, aarch64]
`;

afterEach(() => vi.unstubAllEnvs());

/** Of the suite, whose every check builds the same checkout. */
let root = '';

modeSuite(
  { describe, it },
  {
    plugin,
    mode: 'apko',
    world: async () => {
      root = await checkout({ 'images/hello.yaml': HELLO });
      return pluginWorld({ root });
    },
    input: () => inputOf(root, 'images/hello.yaml'),
    repeatable: digestOf,
    hostile: 3,
  },
);

describe('build-apko', () => {
  it('gives one digest from two checkouts at two paths, whatever SOURCE_DATE_EPOCH says', async () => {
    const first = await build(await checkout({ 'images/hello.yaml': HELLO }), 'images/hello.yaml');
    vi.stubEnv('SOURCE_DATE_EPOCH', '');
    const empty = await build(await checkout({ 'images/hello.yaml': HELLO }, 'far/away'), 'images/hello.yaml');
    vi.stubEnv('SOURCE_DATE_EPOCH', '1700000000');
    const set = await build(await checkout({ 'images/hello.yaml': HELLO }), 'images/hello.yaml');
    expect(await digestOf(empty)).toBe(await digestOf(first));
    expect(await digestOf(set)).toBe(await digestOf(first));
  });

  it('gives an SBOM of each platform that is built, not one that lies about', async () => {
    const stale = JSON.stringify({ name: 'stale' });
    const files = { 'images/hello.yaml': HELLO, 'sbom-x86_64.spdx.json': stale, 'sboms/sbom-x86_64.spdx.json': stale };
    const built = await build(await checkout(files), 'images/hello.yaml');
    const index = JSON.parse(await readFile(join(built.layout, 'index.json'), 'utf8')) as {
      manifests: { digest: string }[];
    };
    expect(built.sboms?.map(({ digest }) => digest)).toEqual(index.manifests.map(({ digest }) => digest));
    for (const { digest, spdx } of built.sboms ?? []) {
      expect(JSON.stringify(spdx)).toContain(digest);
      // apko itself leaves out what has no SBOM of its own.
      expect(JSON.stringify(spdx)).toContain('pkg:apk/alpine/busybox@');
    }
  });

  it('resolves to what it then builds', async () => {
    const { mode, context } = await ready(await checkout({ 'images/hello.yaml': HELLO }), 'images/hello.yaml');
    const resolved = must((await mode.resolve?.(context)) ?? { ok: true, value: {} });
    expect(Object.keys(resolved)).toEqual(
      ['aarch64', 'x86_64'].flatMap((arch) => ['busybox', 'hello', 'slipway-release'].map((name) => `${arch}/${name}`)),
    );
    expect(resolved['x86_64/hello']).toMatch(/^1\.0\.0-r0 Q1/);
    const materials = must(await mode.build(context)).materials?.map(({ uri }) => uri);
    expect(materials).toContain('pkg:apk/alpine/hello@1.0.0-r0?arch=x86_64');
    expect(materials).toContain(`${REPOSITORY}/aarch64/APKINDEX.tar.gz`);
  });

  it('builds a checkout with CRLF line ends: the lock that counts the bytes is made of the same bytes', async () => {
    const root = await checkout({ 'images/hello.yaml': HELLO.replaceAll('\n', '\r\n') });
    const plain = await build(await checkout({ 'images/hello.yaml': HELLO }), 'images/hello.yaml');
    expect(await digestOf(await build(root, 'images/hello.yaml'))).toBe(await digestOf(plain));
  });

  it('builds for linux/amd64 alone when nothing names a platform', async () => {
    const root = await checkout({ 'images/hello.yaml': HELLO.replace(/archs:.*\n/, '') });
    const { inputs } = await inputOf(root, 'images/hello.yaml');
    expect(inputs.platforms).toEqual([{ os: 'linux', architecture: 'amd64' }]);
    expect((await build(root, 'images/hello.yaml')).sboms).toHaveLength(1);
  });

  it('reads includes and keys beside the source, and the workspace of the reference set-up', async () => {
    const root = await checkout({
      'images/base/common.yaml': HELLO.replace('keys/', '/github/workspace/keys/'),
      'images/top.yaml': 'include: base/common.yaml\ncmd: there\n',
    });
    const { inputs } = await inputOf(root, 'images/top.yaml');
    expect(inputs.files).toEqual(['images/base/common.yaml', 'images/top.yaml', 'keys/slipway.rsa.pub']);
    await build(root, 'images/top.yaml');
  });

  it('takes packages of melange by the repository that the source names, and leaves no path in the image', async () => {
    const packages = join(await freshFolder(), 'packages');
    await cp(join(world().folder, 'apk.slipway.example', 'v3.20', 'main'), packages, { recursive: true });
    const source = HELLO.replace(`[${REPOSITORY}]`, `['${REPOSITORY}', '@local /github/workspace/packages']`).replace(
      'hello]',
      'hello@local]',
    );
    const root = await checkout({ 'images/hello.yaml': source });
    const { mode, context } = await ready(root, 'images/hello.yaml', { melangeConfigs: ['hello.melange.yaml'] });
    const built = must(await mode.build({ ...context, packageRepositories: [packages] }));
    const text = await layersOf(built.layout);
    expect(text).toContain('@local ./packages');
    expect(text).not.toContain(packages);
    expect(text).not.toContain(context.files.work);
  });

  it('fails with the place when a path leaves the folder or the YAML is wrong', async () => {
    const escape = await checkout({ 'a.yaml': 'contents:\n  keyring:\n    - ../../etc/passwd\n' });
    expect(await failing(escape, 'a.yaml')).toMatchObject({
      reason: 'config',
      at: { file: 'a.yaml', line: 3, column: 7 },
    });
    const broken = await checkout({ 'a.yaml': 'contents:\n  packages: [a\n' });
    expect(await failing(broken, 'a.yaml')).toMatchObject({ reason: 'config', at: { file: 'a.yaml' } });
  });

  it.each([
    ['entrypoints: {command: /bin/a}\n', '', /does not understand a\.yaml: line 8: field entrypoints not found/],
    ['include: base.yaml\n', 'cmds: a\n', /does not understand what a\.yaml includes: line 1: field cmds not found/],
  ])('says in which file and line apko does not understand %j', async (more, base, words) => {
    const root = await checkout({ 'a.yaml': HELLO + more, 'base.yaml': base });
    const { mode, context } = await ready(root, 'a.yaml');
    const result = await mode.build(context);
    expect(result).toMatchObject({ ok: false, failure: { reason: 'tool', class: 'permanent' } });
    if (!result.ok) expect(result.failure.message).toMatch(words);
  });

  it('says what to look at when a package is in no repository', async () => {
    const { mode, context } = await ready(
      await checkout({ 'a.yaml': HELLO.replace('hello]', 'no-such-package]') }),
      'a.yaml',
    );
    const result = await mode.build(context);
    expect(result).toMatchObject({ ok: false, failure: { reason: 'tool', class: 'permanent' } });
    if (!result.ok) expect(result.failure.hint).toContain('contents.packages');
  });
});

/** A folder like a checkout's, with the package key in `keys/`; at `below` it has another path. */
async function checkout(files: Readonly<Record<string, string>>, below = 'here'): Promise<string> {
  const root = join(await freshFolder(), below);
  await mkdir(root, { recursive: true });
  await writeFiles(root, {
    'keys/slipway.rsa.pub': await readFile(`${world().keys.packageKey}.pub`, 'utf8'),
    ...files,
  });
  return root;
}

function entryOf(source: string, changes: Partial<BuildEntry> = {}): BuildEntry {
  return {
    kind: 'build',
    id: 'build:registry.example/team/hello:1',
    at: { file: 'config.yaml', line: 1, column: 1 },
    targets: [
      {
        destination: { kind: 'tagged', registry: 'registry.example', path: 'team/hello', tag: '1' as never },
        templated: false,
      },
    ],
    always: false,
    source,
    melangeConfigs: [],
    dockerOptions: {},
    buildOnMainOnly: false,
    options: {},
    ...changes,
  };
}

async function inputOf(root: string, source: string, changes: Partial<BuildEntry> = {}): Promise<ModeInput> {
  const entry = entryOf(source, changes);
  const inputs = must(await (await apko()).inputs(entry, folderFiles(root)));
  return { entry, platforms: inputs.platforms, packageRepositories: [], bases: {}, inputs, noCache: false };
}

async function failing(root: string, source: string) {
  const result = await (await apko()).inputs(entryOf(source), folderFiles(root));
  return result.ok ? undefined : result.failure;
}

async function apko(): Promise<Mode> {
  const [mode] = (await hostOf(plugin)).modes;
  if (mode === undefined) throw new Error('the plugin brings no mode');
  return mode;
}

async function ready(
  root: string,
  source: string,
  changes: Partial<BuildEntry> = {},
): Promise<{ mode: Mode; context: BuildContext }> {
  const context: TaskContext = await contextOf(plugin, await pluginWorld({ root }));
  return { mode: await apko(), context: { ...context, ...(await inputOf(root, source, changes)) } };
}

async function build(root: string, source: string) {
  const { mode, context } = await ready(root, source);
  return must(await mode.build(context));
}

async function digestOf({ layout }: { readonly layout: string }): Promise<string> {
  return createHash('sha256')
    .update(await readFile(join(layout, 'index.json')))
    .digest('hex');
}

/** All layers of a layout as one text. */
async function layersOf(layout: string): Promise<string> {
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as { manifests: { digest: string }[] };
  const blob = (digest: string): Promise<Buffer> => readFile(join(layout, 'blobs', digest.replace(':', '/')));
  const texts: string[] = [];
  for (const { digest } of index.manifests) {
    const manifest = JSON.parse((await blob(digest)).toString('utf8')) as { layers: { digest: string }[] };
    for (const layer of manifest.layers) texts.push(gunzipSync(await blob(layer.digest)).toString('latin1'));
  }
  return texts.join('\n');
}
