/** `build-docker` with the real buildx and a buildkitd of this file's own. */
import type { BuildEntry, Built, Pinned, Platform, Reference, Result } from '@slipway/core';
import { folderFiles, parseReference } from '@slipway/core';
import { modeSuite, type ModeInput } from '@slipway/core/testing';
import { mkdtempSync } from 'node:fs';
import { chmod, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, type Member } from '../../demo/world/archive.ts';
import { buildkitFolder, startBuildkit } from '../../demo/world/buildkit.ts';
import { imageLayout } from '../../demo/world/image.ts';
import { AMD64, ARM64 } from '../../demo/world/images.ts';
import { createProcesses, run } from '../../demo/world/processes.ts';
import plugin from '../../plugins/build-docker/src/index.ts';
import { freshFolder, freshPath, push, world, writeFiles } from '../world.ts';
import { contextOf, hostOf, must, pinned, pluginWorld, recorded } from './plugin-world.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-buildkit-'));
const endpoint = `unix://${join(folder, 'buildkitd.sock')}`;
const processes = createProcesses();

/** An image whose shell runs, so that steps can. */
let shell: Pinned;
/** An image with one file, which others copy from it. */
let data: Pinned;

beforeAll(async () => {
  const buildkitd = world().tools['buildkitd'] ?? 'buildkitd';
  await startBuildkit({ processes, buildkitd, folder, registries: [world().destination.host] });
  const content = await readFile('/bin/busybox');
  const busybox: readonly Member[] = [
    { type: 'directory', path: 'bin' },
    { type: 'file', path: 'bin/busybox', content, mode: 0o755 },
    { type: 'symlink', path: 'bin/sh', target: 'busybox' },
  ];
  const member: Member = { type: 'file', path: 'data', content: text('from another image\n') };
  shell = await publish(
    'shell',
    imageLayout([
      { platform: AMD64, layers: [busybox] },
      { platform: ARM64, layers: [busybox] },
    ]),
  );
  data = await publish(
    'data',
    imageLayout([
      { platform: AMD64, layers: [[member]] },
      { platform: ARM64, layers: [[member]] },
    ]),
  );
});

afterAll(async () => {
  await processes.end();
  await rm(folder, { recursive: true, force: true });
});

async function publish(name: string, layout: ReturnType<typeof imageLayout>): Promise<Pinned> {
  const { host } = world().destination;
  const path = freshPath(name);
  return pinned(host, path, await push(layout, `${host}/${path}:1`));
}

const FILES = {
  'images/app/Dockerfile':
    'FROM shell.example/base:1 AS base\nRUN echo made > /made\nCOPY . /app/\nCOPY --from=data.example/data:2 /data /data\n',
  'images/app/src/main.sh': 'echo app\n',
  'images/app/.dockerignore': '*.log\n',
  'images/app/noise.log': 'noise',
  'images/app/.git/HEAD': 'ref',
};

const bases = (): Readonly<Record<string, Pinned>> => ({ 'shell.example/base:1': shell, 'data.example/data:2': data });

let root = '';
modeSuite(
  { describe, it },
  {
    plugin,
    options: { endpoint },
    mode: 'docker',
    world: async () => {
      root = await checkout(FILES);
      return pluginWorld({ root });
    },
    input: () => inputOf(root),
    repeatable: digestOf,
    hostile: 3,
  },
);

describe('build-docker', () => {
  it('pins the image of FROM and of COPY --from, which the Dockerfile names by names that do not exist', async () => {
    const starts: string[][] = [];
    const built = await layoutOf(await buildIn(await checkout(FILES), { starts }));
    expect(built.files).toEqual(
      ['app/', 'app/.dockerignore', 'app/Dockerfile', 'app/src/', 'app/src/main.sh', 'data', 'made'].sort(),
    );
    expect(built.result.materials).toEqual([
      {
        uri: `docker-image://${shell.registry}/${shell.path}`,
        name: 'shell.example/base:1',
        digest: { sha256: shell.digest.slice(7) },
      },
      {
        uri: `docker-image://${data.registry}/${data.path}`,
        name: 'data.example/data:2',
        digest: { sha256: data.digest.slice(7) },
      },
    ]);
    expect(starts.map(([, command]) => command)).toEqual(['create', 'build']);
  });

  it('asks nobody for the base of a stage that nothing needs', async () => {
    const needed = 'FROM shell.example/base:1\nRUN echo made > /made\n';
    const spare = 'FROM nowhere.invalid/dev:1 AS dev\nRUN false\n';
    const digest = async (text: string) => digestOf(await buildIn(await checkout({ 'images/app/Dockerfile': text })));
    expect(await digest(`${spare}${needed}`)).toBe(await digest(needed));
  });

  it('says so where the base of another one takes ON BUILD from such a stage', async () => {
    const onBuild = ['COPY --from=dev /data /data'];
    const name = 'taking.example/base:1';
    const base = await publish('taking', imageLayout([{ platform: AMD64, layers: [], onBuild }]));
    const dockerfile = `FROM nowhere.invalid/dev:1 AS dev\nFROM ${name}\n`;
    const { built } = await buildIn(await checkout({ 'images/app/Dockerfile': dockerfile }), {
      bases: { [name]: base },
    });
    expect(built).toMatchObject({
      ok: false,
      failure: { class: 'permanent', message: expect.stringContaining('takes ON BUILD from a stage') },
    });
  });

  it('gives one digest from two checkouts that differ in place, modes and dates', async () => {
    const first = await checkout(FILES);
    const second = await checkout(FILES);
    await chmod(join(second, 'images/app/src/main.sh'), 0o600);
    await chmod(join(second, 'images/app/src'), 0o700);
    const digest = await digestOf(await buildIn(first));
    expect(await digestOf(await buildIn(second, { options: { noCache: true } }))).toBe(digest);
    expect(await digestOf(await buildIn(first, { options: { sourceDateEpoch: 1_700_000_000 } }))).not.toBe(digest);
  });

  it('makes an index of exactly the platforms, without attestations', async () => {
    const dockerfile = 'FROM data.example/data:2\nCOPY Dockerfile /d\n';
    const platforms = [AMD64, ARM64];
    const built = await layoutOf(await buildIn(await checkout({ 'images/app/Dockerfile': dockerfile }), { platforms }));
    expect(built.platforms).toEqual(['linux/amd64', 'linux/arm64']);
  });

  it('mounts secrets from variables and files, and shows them nowhere', async () => {
    const [secret, filed] = ['tr0ub4dor-3', '/c0rrect-h0rse'];
    process.env['SLIPWAY_TEST_VALUE'] = secret;
    const dockerfile = `FROM shell.example/base:1
RUN --mount=type=secret,id=a --mount=type=secret,id=b cat /run/secrets/a /run/secrets/b
`;
    const starts: string[][] = [];
    const options = { secrets: { a: { env: 'SLIPWAY_TEST_VALUE' }, b: { file: 'with, comma' } }, noCache: true };
    const at = await checkout({ 'images/app/Dockerfile': dockerfile, 'with, comma': filed });
    const lines: string[] = [];
    must((await buildIn(at, { options, starts, lines })).built);
    expect(JSON.stringify(starts)).not.toContain(secret);
    expect(lines.join('\n')).toContain('******');
    expect(lines.join('\n')).not.toMatch(/tr0ub4dor|c0rrect/);
    delete process.env['SLIPWAY_TEST_VALUE'];
    const missing = await buildIn(at, { options });
    expect(missing.built).toMatchObject({ ok: false, failure: { reason: 'config' } });
  });

  it('passes build arguments, into FROM too, and keeps links as links', async () => {
    const dockerfile = 'ARG BASE\nFROM ${BASE}\nARG WORD\nRUN [ "$WORD" = "a b,c" ]\nCOPY link /l/\nCOPY . /\n';
    const at = await checkout({ 'images/app/Dockerfile': dockerfile, 'images/app/f': '1' });
    await symlink('/etc/hostname', join(at, 'images/app/outside'));
    await symlink('f', join(at, 'images/app/link'));
    const built = await layoutOf(
      await buildIn(at, { options: { buildArgs: { BASE: 'shell.example/base:1', WORD: 'a b,c' } } }),
    );
    expect(built.files).toContain('outside');
    expect(built.links).toEqual(['link', 'outside']);
  });

  it('writes a cache that another builder reads, unless nothing may come from a cache', async () => {
    // One that has seen nothing yet, not even the cache of the other kind.
    const another = async (): Promise<string> =>
      startBuildkit({
        processes,
        buildkitd: world().tools['buildkitd'] ?? 'buildkitd',
        folder: await buildkitFolder(await freshFolder()),
        registries: [world().destination.host],
      });
    const dockerfile = 'FROM shell.example/base:1\nRUN cat /proc/sys/kernel/random/uuid > /id\n';
    const at = await checkout({ 'images/app/Dockerfile': dockerfile });
    const ref = `${world().destination.host}/${freshPath('cache')}:{source}-{platform}`;
    const cacheTo = ['type=local,dest=.slipway/cache-{source},mode=max', `type=registry,ref=${ref},mode=max`];
    const digest = await digestOf(await buildIn(at, { options: { cacheTo } }));

    for (const spec of ['type=local,src=.slipway/cache-{source}', `type=registry,ref=${ref}`]) {
      const options = { endpoint: await another(), cacheFrom: ['type=local,src=not-there', spec] };
      // What the step writes is random: an equal digest can only come from the cache. The log is no proof, since BuildKit
      // says CACHED of a layer that it has and shows the download of one that it fetches.
      expect(await digestOf(await buildIn(at, { options }))).toBe(digest);
    }

    const starts: string[][] = [];
    const options = { cacheFrom: [`type=registry,ref=${ref}`], noCache: true };
    expect(await digestOf(await buildIn(at, { options, starts }))).not.toBe(digest);
    expect(starts.flat()).not.toContain('--cache-from');
  });

  it('says which builder is missing, and what would do', async () => {
    const at = await checkout(FILES);
    const none = await buildIn(at, { options: { builder: 'no-such-builder', endpoint: undefined } });
    expect(none.built).toMatchObject({
      ok: false,
      failure: { reason: 'tool', class: 'permanent', message: 'buildx knows no builder "no-such-builder"' },
    });
    if (!none.built.ok) expect(none.built.failure.hint).toContain('--driver docker-container');
  });

  it('explains a syntax line that cannot be fetched', async () => {
    const dockerfile = '# syntax=docker/dockerfile:1\nFROM scratch\nCOPY Dockerfile /\n';
    const failed = await buildIn(await checkout({ 'images/app/Dockerfile': dockerfile }));
    expect(failed.built).toMatchObject({ ok: false, failure: { reason: 'tool' } });
    if (!failed.built.ok) expect(failed.built.failure.hint).toContain('# syntax');
  });

  it('takes the frontend of a syntax line by its digest, which the Dockerfile names by a name that does not exist', async () => {
    const name = 'frontend.example/dockerfile:1';
    const at = await checkout({ 'images/app/Dockerfile': `# syntax=${name}\nFROM scratch\nCOPY Dockerfile /\n` });
    const starts: string[][] = [];
    // There is nothing in it that could be started.
    const { built } = await buildIn(at, { bases: { [name]: data }, starts });
    if (built.ok || built.failure.reason !== 'tool') throw new Error('buildx was to fail');
    const image = `${data.registry}/${data.path}@${data.digest}`;
    expect(built.failure.output).toContain(`resolve image config for docker-image://${image}`);
    expect(starts.flat()).not.toContain('--build-context');
  });

  it('refuses a builder beside an endpoint, and endpoints that are none', async () => {
    await expect(hostOf(plugin, { builder: 'b', endpoint })).rejects.toThrow('"builder" is not allowed');
    await expect(hostOf(plugin, { endpoint: '--help' })).rejects.toThrow(/endpoint/);
    const endpoints = { 'linux/arm64': endpoint };
    await expect(hostOf(plugin, { endpoints, endpoint })).rejects.toThrow('"endpoint" is not allowed');
    await expect(hostOf(plugin, { endpoints, builder: 'b' })).rejects.toThrow('"builder" is not allowed');
    await expect(hostOf(plugin, { endpoints: { 'linux/arm64': '--help' } })).rejects.toThrow(/endpoints/);
    await expect(hostOf(plugin, { cacheTo: ['type=inline'] })).rejects.toThrow(/cacheTo/);
  });
});

async function checkout(files: Readonly<Record<string, string>>): Promise<string> {
  const at = await freshFolder();
  await writeFiles(at, { 'config.yaml': 'build: []\n', ...files });
  return at;
}

const destination: Reference = must(parseReference('registry.example/team/app:1'));

function entryOf(platforms?: readonly Platform[]): BuildEntry {
  if (destination.kind !== 'tagged') throw new Error('a destination has a tag');
  return {
    kind: 'build',
    id: 'build:registry.example/team/app:1',
    at: { file: 'config.yaml', line: 2, column: 5 },
    targets: [{ destination, templated: false }],
    always: false,
    source: 'images/app/Dockerfile',
    melangeConfigs: [],
    dockerOptions: {},
    buildOnMainOnly: false,
    options: {},
    ...(platforms === undefined ? {} : { platforms }),
  };
}

interface Asked {
  /** Beside those that all have. */
  readonly bases?: Readonly<Record<string, Pinned>>;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly platforms?: readonly Platform[];
  readonly starts?: string[][];
  readonly lines?: string[];
}

async function inputOf(at: string, { options, platforms, bases: own }: Asked = {}): Promise<ModeInput> {
  const host = await hostOf(plugin, optionsOf(options));
  const entry = entryOf(platforms);
  const inputs = must(await (host.modes[0]?.inputs(entry, folderFiles(at)) ?? Promise.reject(new Error('no mode'))));
  const used = Object.entries({ ...bases(), ...own }).filter(([name]) =>
    inputs.bases.some(({ text: named }) => named === name),
  );
  return {
    entry,
    inputs,
    platforms: inputs.platforms,
    packageRepositories: [],
    bases: Object.fromEntries(used),
    noCache: false,
  };
}

function optionsOf(options: Asked['options']): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries({ endpoint, ...options }).filter(([, value]) => value !== undefined));
}

async function buildIn(at: string, asked: Asked = {}): Promise<{ readonly built: Result<Built> }> {
  const host = await hostOf(plugin, optionsOf(asked.options));
  const context = await contextOf(plugin, await pluginWorld({ root: at }));
  const used = asked.starts === undefined ? context : recorded(context, asked.starts);
  const built = await host.modes[0]?.build({ ...used, ...(await inputOf(at, asked)) });
  asked.lines?.push(...context.lines);
  if (built === undefined) throw new Error('no mode');
  return { built };
}

interface Descriptor {
  readonly digest: string;
  readonly mediaType: string;
  readonly platform?: Platform;
}

async function blob<T>(layout: string, { digest }: Descriptor): Promise<T> {
  return JSON.parse(await readFile(join(layout, 'blobs', 'sha256', digest.slice(7)), 'utf8')) as T;
}

async function rootOf(layout: string): Promise<Descriptor> {
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as { manifests: Descriptor[] };
  const [only, ...more] = index.manifests;
  if (only === undefined || more.length > 0) throw new Error('one image was expected');
  return only;
}

async function digestOf(built: { readonly layout: string } | { readonly built: Result<Built> }): Promise<string> {
  return (await rootOf('layout' in built ? built.layout : must(built.built).layout)).digest;
}

/** What a build made: its platforms, and the paths in the layers of its first one that the base did not bring. */
async function layoutOf({ built }: { readonly built: Result<Built> }) {
  const result = must(built);
  const top = await rootOf(result.layout);
  const isIndex = top.mediaType.endsWith('index.v1+json');
  const children = isIndex ? (await blob<{ manifests: Descriptor[] }>(result.layout, top)).manifests : [top];
  const manifest = await blob<{ layers: Descriptor[] }>(result.layout, children[0] ?? top);
  const lines: string[] = [];
  for (const { digest } of manifest.layers) {
    const archive = join(result.layout, 'blobs', 'sha256', digest.slice(7));
    lines.push(...(await run('tar', ['-tvzf', archive])).stdout.trim().split('\n'));
  }
  const entries = lines.map((line) => ({ link: line.startsWith('l'), path: line.split(/ +/)[5] ?? '' }));
  const own = entries.filter(({ path }) => !/^(?:bin|proc|sys|dev|etc|run)\//.test(path));
  return {
    result,
    platforms: children.map(({ platform }) => `${platform?.os}/${platform?.architecture}`),
    files: own.map(({ path }) => path).sort(),
    links: own
      .filter(({ link }) => link)
      .map(({ path }) => path)
      .sort(),
  };
}
