import { folderFiles } from '@slipway/core';
import type { BuildEntry, Digest, Tag } from '@slipway/core';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { namedContexts } from './inputs.ts';
import { dockerMode } from './mode.ts';
import { parseOptions } from './options.ts';

const mode = dockerMode(parseOptions({}));

function folder(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'slipway-docker-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

function entry(source: string, changes: Partial<BuildEntry> = {}): BuildEntry {
  const destination = { kind: 'tagged', registry: 'r.example', path: 'a', tag: '1' as Tag } as const;
  return {
    kind: 'build',
    id: 'build:r.example/a:1',
    at: { file: 'config.yaml', line: 2, column: 5 },
    targets: [{ destination, templated: false }],
    always: false,
    source,
    melangeConfigs: [],
    dockerOptions: {},
    buildOnMainOnly: false,
    options: {},
    ...changes,
  };
}

async function inputs(
  files: Readonly<Record<string, string>>,
  given: BuildEntry,
  options: Readonly<Record<string, unknown>> = {},
) {
  return dockerMode(parseOptions(options)).inputs(given, folderFiles(folder(files)));
}

describe('the mode docker', () => {
  it('claims Dockerfiles and Containerfiles by their names', () => {
    const yes = ['Dockerfile', 'a/b/Containerfile', 'a/Dockerfile.debug', 'Dockerfile.yaml', 'Containerfile.dev'];
    const no = [
      'dockerfile',
      'a/DOCKERFILE',
      'Dockerfile/x',
      'debug.Dockerfile',
      'Dockerfile.dockerignore',
      'Dockerfiles',
      'a.yaml',
      'Dockerfile.',
    ];
    expect(yes.filter((name) => !mode.claims(name))).toEqual([]);
    expect(no.filter((name) => mode.claims(name))).toEqual([]);
  });

  it('takes the folder of the Dockerfile for its context, without what is ignored', async () => {
    const files = {
      'a/Dockerfile': 'FROM b:1',
      'a/x': '',
      'a/y.log': '',
      'a/.dockerignore': '*.log\nDockerfile',
      other: '',
    };
    const found = await inputs(files, entry('a/Dockerfile'));
    expect(found).toMatchObject({
      ok: true,
      value: {
        files: ['a/.dockerignore', 'a/Dockerfile', 'a/x'],
        bases: [{ text: 'b:1', reference: { kind: 'tagged', registry: 'docker.io', path: 'library/b', tag: '1' } }],
        platforms: [{ os: 'linux', architecture: 'amd64' }],
        packages: [],
        packageIndexes: [],
        options: { buildArgs: {}, secrets: [], sourceDateEpoch: 0 },
      },
    });
  });

  it('does not look into folders that are left out: there may be more in them than is ever sent', async () => {
    const files = { Dockerfile: 'FROM scratch', '.dockerignore': 'node_modules', 'node_modules/a/b': '', 'src/c': '' };
    const seen = folderFiles(folder(files));
    const asked: boolean[] = [];
    await mode.inputs(entry('Dockerfile'), {
      read: seen.read,
      list: async (path, options = {}) => {
        if (options.links === true) asked.push(...['node_modules', 'src'].map((each) => options.skip?.(each) === true));
        return seen.list(path, options);
      },
    });
    expect(asked).toEqual([true, false]);
  });

  it('takes another context, and the ignore file of the Dockerfile before that of the context', async () => {
    const files = {
      'a/Dockerfile': 'FROM scratch',
      'a/Dockerfile.dockerignore': 'x',
      'c/.dockerignore': 'y',
      'c/x': '',
      'c/y': '',
    };
    const found = await inputs(files, entry('a/Dockerfile', { dockerOptions: { context: 'c' } }));
    expect(found.ok && found.value.files).toEqual([
      'a/Dockerfile',
      'a/Dockerfile.dockerignore',
      'c/.dockerignore',
      'c/y',
    ]);
  });

  it.each(['c/.dockerignore', 'a/Dockerfile.dockerignore'])(
    'refuses an ignore file that it cannot read, for what that keeps out would be sent: %s',
    async (ignore) => {
      const root = folder({ 'a/Dockerfile': 'FROM scratch', 'c/.env': '' });
      const given = entry('a/Dockerfile', { dockerOptions: { context: 'c' } });
      const ask = () => mode.inputs(given, folderFiles(root));
      writeFileSync(join(root, ignore), Buffer.from('# caf\xe9\n.env\n', 'latin1'));
      const failure = { reason: 'config', message: `"${ignore}" cannot be read: it is not UTF-8 text`, at: given.at };
      expect(await ask()).toMatchObject({ ok: false, failure });
      // A link that leads to nothing is for BuildKit as if it were not there.
      rmSync(join(root, ignore));
      symlinkSync('nowhere', join(root, ignore));
      expect(await ask()).toMatchObject({ ok: true });
    },
  );

  it('works at the root', async () => {
    const found = await inputs({ Dockerfile: 'FROM scratch', 'x/y': '', '.dockerignore': 'x' }, entry('Dockerfile'));
    expect(found.ok && found.value.files).toEqual(['.dockerignore', 'Dockerfile']);
  });

  it('names a missing Dockerfile and a missing context', async () => {
    const missing = await inputs({}, entry('a/Dockerfile'));
    expect(missing.ok ? '' : missing.failure.message).toContain('a/Dockerfile');
    const context = await inputs(
      { Dockerfile: 'FROM scratch' },
      entry('Dockerfile', { dockerOptions: { context: 'gone' } }),
    );
    expect(context).toMatchObject({ ok: false, failure: { reason: 'config', at: { file: 'config.yaml', line: 2 } } });
  });

  it('finds the bases of every platform', async () => {
    const platforms = [
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
    ];
    const found = await inputs({ Dockerfile: 'FROM a:$TARGETARCH' }, entry('Dockerfile', { platforms }));
    expect(found.ok && found.value.bases.map(({ text }) => text)).toEqual(['a:amd64', 'a:arm64']);
  });

  it('has the image of the syntax line among its bases', async () => {
    const found = await inputs({ Dockerfile: '# syntax=docker/dockerfile:1\nFROM a:1' }, entry('Dockerfile'));
    expect(found.ok && found.value.bases.map(({ text }) => text)).toEqual(['a:1', 'docker/dockerfile:1']);
  });

  it('has no base that only a stage has which the builder leaves out, and names it for that', async () => {
    const text = 'FROM dev.example/tools:1 AS dev\nFROM docker.io/library/a:1\nFROM a:1';
    const found = await inputs({ Dockerfile: text }, entry('Dockerfile'));
    if (!found.ok) throw new Error(found.failure.message);
    expect(found.value.bases).toEqual([
      { text: 'a:1', reference: { kind: 'tagged', registry: 'docker.io', path: 'library/a', tag: '1' } },
    ]);
    const context = { entry: entry('Dockerfile'), platforms: found.value.platforms, inputs: found.value };
    expect(namedContexts(text, context, parseOptions({})).spare).toEqual(['dev.example/tools:1']);
  });

  it('counts what changes the image among its options, in one order, and nothing secret', async () => {
    const options = {
      buildArgs: { B: '2', A: '1' },
      secrets: { t: { env: 'TOKEN' } },
      endpoint: 'unix:///x',
      noCache: true,
      cacheFrom: ['type=gha'],
      cacheTo: ['type=registry,ref=r.example/cache'],
    };
    const found = await inputs({ Dockerfile: 'FROM scratch' }, entry('Dockerfile'), options);
    expect(JSON.stringify(found.ok && found.value.options)).toBe(
      '{"buildArgs":{"A":"1","B":"2"},"secrets":["t"],"sourceDateEpoch":0}',
    );
  });

  it('makes one platform at a time where each has its builder, which must then be there', async () => {
    const platforms = ['amd64', 'arm64', 's390x'].map((architecture) => ({ os: 'linux', architecture }));
    const endpoints = { 'linux/amd64': 'unix:///a', 'linux/s390x': 'tcp://s390x.example:1' };
    expect(dockerMode(parseOptions({ endpoints })).perPlatform).toBe(true);
    expect(mode.perPlatform).toBe(false);
    const options = { endpoints };
    expect(await inputs({ Dockerfile: 'FROM scratch' }, entry('Dockerfile', { platforms }), options)).toMatchObject({
      ok: false,
      failure: {
        reason: 'config',
        message: 'no builder is named for linux/arm64',
        at: { file: 'config.yaml', line: 2 },
      },
    });
    expect((await inputs({ Dockerfile: 'FROM scratch' }, entry('Dockerfile'), options)).ok).toBe(true);
  });

  it('keeps the digest of a pinned base', async () => {
    const digest = `sha256:${'b'.repeat(64)}` as Digest;
    const found = await inputs({ Dockerfile: `FROM r.example/x@${digest}` }, entry('Dockerfile'));
    expect(found.ok && found.value.bases).toEqual([
      { text: `r.example/x@${digest}`, reference: { kind: 'pinned', registry: 'r.example', path: 'x', digest } },
    ]);
  });
});
