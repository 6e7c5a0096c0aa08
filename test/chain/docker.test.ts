/** Dockerfiles in the chain: images on images of other entries, and on images from outside, with the real buildx and BuildKit. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Event } from '@slipway/core';
import type { Member } from '../../demo/world/archive.ts';
import { imageLayout } from '../../demo/world/image.ts';
import { alpineImage, AMD64 } from '../../demo/world/images.ts';
import { worldSettings } from '../../demo/world/settings.ts';
import { crane, freshPath, freshPrefix, push, world } from '../world.ts';
import { project, type Project, type Ran } from './project.ts';
import { digestOf, image, leakyImage, source } from './shorthand.ts';
import { watch } from './watching-proxy.ts';

const started = ({ answer }: Ran, tool: string): number => answer.tools.find(({ name }) => name === tool)?.started ?? 0;

const outcomes = ({ answer }: Ran): readonly string[] => answer.entries.map(({ outcome }) => outcome);

/** What one file of an image says. */
async function fileIn(reference: string, path: string): Promise<string> {
  // All files are small and in ASCII: the archive is blocks of 512 characters, a name first in the header of its file.
  const archive = (await crane('export', '--platform', 'linux/amd64', reference, '-')).stdout;
  let at = 0;
  while (at < archive.length && !archive.startsWith(`${path}\0`, at)) at += 512;
  return archive.slice(at + 512, archive.indexOf('\0', at + 512));
}

interface Material {
  readonly uri: string;
  readonly name?: string;
  readonly digest?: Readonly<Record<string, string>>;
}

/** What the attached provenance says an image was made from. */
async function materialsOf(repository: string, digest: string): Promise<readonly Material[]> {
  const list = JSON.parse((await crane('manifest', `${repository}:${digest.replace(':', '-')}`)).stdout) as {
    readonly manifests: readonly {
      readonly digest: string;
      readonly annotations?: Readonly<Record<string, string>>;
    }[];
  };
  const found = list.manifests.filter(({ annotations }) =>
    annotations?.['dev.sigstore.bundle.predicateType']?.includes('slsa.dev/provenance'),
  );
  expect(found).toHaveLength(1);
  const manifest = JSON.parse((await crane('manifest', `${repository}@${found[0]?.digest}`)).stdout) as {
    readonly layers: readonly { readonly digest: string }[];
  };
  const bundle = JSON.parse((await crane('blob', `${repository}@${manifest.layers[0]?.digest}`)).stdout) as {
    readonly dsseEnvelope: { readonly payload: string };
  };
  const statement = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString()) as {
    readonly predicate: { readonly buildDefinition: { readonly resolvedDependencies: readonly Material[] } };
  };
  return statement.predicate.buildDefinition.resolvedDependencies;
}

/** The tasks of the last run, in the order in which they ended. */
async function tasksOf({ journals }: Project): Promise<readonly string[]> {
  const last: readonly Event[] = (await journals()).at(-1) ?? [];
  return last.flatMap((event) => (event.type === 'task.done' && event.state === 'ok' ? [event.task] : []));
}

/** `docker` entries by name: `images/<name>/Dockerfile`, to a repository of its own. */
function dockerfiles(
  paths: Readonly<Record<string, string>>,
  host: string,
): readonly { readonly source: string; readonly destination: string }[] {
  return Object.entries(paths).map(([name, path]) => ({
    source: `./images/${name}/Dockerfile`,
    destination: `${host}/${path}:1`,
  }));
}

/** The world's plugins, with other options of `build-docker`. */
function pluginsWith(options: Readonly<Record<string, unknown>>): readonly Plugin[] {
  return worldPlugins().map((plugin) =>
    plugin.name === 'build-docker' ? { ...plugin, options: { ...plugin.options, ...options } } : plugin,
  );
}

interface Plugin {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

function worldPlugins(): readonly Plugin[] {
  return worldSettings(world())['plugins'] as readonly Plugin[];
}

describe('a chain of four images: synced, two on top of it, and one that copies from the last', () => {
  test('is built in its order, not at all when nothing changed, and whole when the lowest did', async () => {
    const [from, to] = [await watch(world().source.host), await watch(world().destination.host)];
    const [lowest, outside] = [await source('lowest'), await source('outside')];
    const path = { base: freshPath('base'), a: freshPath('a'), b: freshPath('b'), c: freshPath('c') };
    const at = (name: keyof typeof path): string => `${to.host}/${path[name]}:1`;
    const one = await project({
      sync: [{ source: `hub.slipway.example/${lowest.path}:1`, destination: at('base') }],
      // The last is named first: the order is that of the needs.
      build: dockerfiles({ c: path.c, b: path.b, a: path.a }, to.host),
      files: {
        'images/a/Dockerfile': `FROM ${at('base')}\nCOPY a /a\n`,
        'images/a/a': 'a\n',
        'images/b/Dockerfile': `FROM ${at('a')} AS below\nCOPY b /b\n`,
        'images/b/b': 'b\n',
        'images/c/Dockerfile': `FROM hub.slipway.example/${outside.path}:1\nCOPY --from=${at('b')} /label /a /b /copied/\n`,
      },
      settings: { mirrors: [{ source: 'hub.slipway.example', mirror: from.host, trusted: true }] },
    });

    const first = await one.run('run');
    expect(first.code, first.stdout + first.stderr).toBe(0);
    expect(outcomes(first)).toEqual(['published', 'published', 'published', 'published']);
    expect(started(first, 'buildx')).toBe(4);
    const ended = await tasksOf(one);
    const steps = [
      `sync:${at('base')}#tag`,
      `build:${at('a')}#build`,
      `build:${at('a')}#tag`,
      `build:${at('b')}#build`,
    ];
    const places = [...steps, `build:${at('b')}#tag`, `build:${at('c')}#build`].map((task) => ended.indexOf(task));
    expect(places).toEqual(places.toSorted((x, y) => x - y));
    expect(places).not.toContain(-1);
    expect(await fileIn(at('c'), 'copied/label')).toBe('lowest amd64\n');
    expect((await one.run('verify', '--deep')).code).toBe(0);
    // Where the bytes came from: the entry's own repository, and the mirror that has the image from outside.
    expect(await materialsOf(`${to.host}/${path.c}`, first.row(`${path.c}:1`).digest ?? '')).toEqual([
      {
        uri: `docker-image://${from.host}/${outside.path}`,
        name: `hub.slipway.example/${outside.path}:1`,
        digest: { sha256: outside.digest.slice(7) },
      },
      {
        uri: `docker-image://${to.host}/${path.b}`,
        name: at('b'),
        digest: { sha256: first.row(`${path.b}:1`).digest?.slice(7) },
      },
    ]);

    // Nothing changed: two requests an entry, and one for each image from outside.
    from.forget();
    to.forget();
    const quiet = await one.run('run');
    expect(quiet.answer.tools).toEqual([]);
    expect(outcomes(quiet)).toEqual(['unchanged', 'unchanged', 'unchanged', 'unchanged']);
    const seen = [...from.requests, ...to.requests].map(({ method, path: asked }) => `${method} ${asked}`);
    expect(
      from.requests.map(({ method }) => method),
      seen.join('\n'),
    ).toEqual(['HEAD', 'HEAD']);
    expect(to.requests.length, seen.join('\n')).toBeLessThanOrEqual(8);

    // Only the lowest.
    await push(image('renewed'), `${world().source.host}/${lowest.path}:1`);
    const renewed = await one.run('run');
    expect(renewed.code, renewed.stdout).toBe(0);
    expect(outcomes(renewed)).toEqual(['published', 'published', 'published', 'published']);
    expect(renewed.row(`${path.a}:1`).why).toBe(`changed: base ${at('base')}`);
    expect(renewed.row(`${path.c}:1`).why).toBe(`changed: base ${at('b')}`);
    expect(await fileIn(at('c'), 'copied/label')).toBe('renewed amd64\n');

    // Only the image from outside that the last is made on.
    await push(image('newer outside'), `${world().source.host}/${outside.path}:1`);
    const last = await one.run('run');
    expect(outcomes(last), last.stdout).toEqual(['unchanged', 'published', 'unchanged', 'unchanged']);
    expect(last.row(`${path.c}:1`).why).toBe(`changed: base hub.slipway.example/${outside.path}:1`);
    expect(await fileIn(at('c'), 'label')).toBe('newer outside amd64\n');
    expect((await one.run('run')).answer.tools).toEqual([]);
  }, 180_000);
});

describe('a base', () => {
  test('that the gate refuses skips what is made on it, with the reason; the scanner reads what the base brought', async () => {
    const { host } = world().destination;
    const leaky = await source('leaky', leakyImage('leaky'));
    const path = { a: freshPath('refused'), b: freshPath('above') };
    const one = await project({
      build: dockerfiles(path, host),
      files: {
        'images/a/Dockerfile': `FROM hub.slipway.example/${leaky.path}:1\nCOPY Dockerfile /a\n`,
        'images/b/Dockerfile': `FROM ${host}/${path.a}:1\nCOPY Dockerfile /b\n`,
      },
    });
    const ran = await one.run('run');
    expect(ran.code, ran.stdout).toBe(3);
    expect(ran.row(`${path.a}:1`)).toMatchObject({ outcome: 'refused', findings: { CRITICAL: 1 } });
    expect(ran.row(`${path.a}:1`).failure?.message).toContain('CVE-2026-10001');
    expect(ran.row(`${path.b}:1`)).toMatchObject({ outcome: 'skipped' });
    expect(ran.row(`${path.b}:1`).failure?.message).toContain(`${path.a}:1`);
    expect(await digestOf(`${host}/${path.a}:1`)).toBeUndefined();
    expect(await digestOf(`${host}/${path.b}:1`)).toBeUndefined();
  });

  test('comes along with --only, and is used as it stands with --exclude', async () => {
    const { host } = world().destination;
    const base = await source('only');
    const path = { a: freshPath('a'), b: freshPath('b'), other: freshPath('other') };
    const from = `FROM hub.slipway.example/${base.path}:1\nCOPY Dockerfile /a\n`;
    const one = await project({
      build: dockerfiles(path, host),
      files: {
        'images/a/Dockerfile': from,
        'images/b/Dockerfile': `FROM ${host}/${path.a}:1\nCOPY Dockerfile /b\n`,
        'images/other/Dockerfile': from,
      },
    });
    const alone = await one.run('run', '--only', `*/${path.b}:*`, '--exclude', `*/${path.a}:*`);
    expect(alone.code).toBe(1);
    expect(alone.row(`${path.b}:1`), alone.stdout).toMatchObject({ outcome: 'skipped' });
    expect(alone.row(`${path.b}:1`).failure?.message).toContain('it is not published');

    const needed = await one.run('run', '--only', `*/${path.b}:*`);
    expect(needed.code, needed.stdout).toBe(0);
    expect(needed.answer.entries.map(({ destination, outcome }) => [destination, outcome])).toEqual([
      [`${host}/${path.a}:1`, 'published'],
      [`${host}/${path.b}:1`, 'published'],
    ]);

    // Both changed, but the base is left out.
    for (const name of ['a', 'b']) {
      const file = join(one.folder, `images/${name}/Dockerfile`);
      await writeFile(file, `${await readFile(file, 'utf8')}# changed\n`);
    }
    const before = await digestOf(`${host}/${path.a}:1`);
    const without = await one.run('run', '--only', `*/${path.b}:*`, '--exclude', `*/${path.a}:*`);
    expect(without.code, without.stdout).toBe(0);
    expect(without.answer.entries.map(({ outcome }) => outcome)).toEqual(['published']);
    expect(await digestOf(`${host}/${path.a}:1`)).toBe(before);
    const [material] = await materialsOf(`${host}/${path.b}`, without.row(`${path.b}:1`).digest ?? '');
    expect(material?.digest).toEqual({ sha256: before?.slice(7) });
  });

  test('follows --to, and two checkouts in two places give one digest', async () => {
    const base = await source('to');
    const build = dockerfiles({ a: 'team/a', b: 'team/b' }, 'registry.slipway.example');
    const files = {
      'images/a/Dockerfile': `FROM hub.slipway.example/${base.path}:1\nCOPY . /a/\n`,
      'images/b/Dockerfile': 'FROM registry.slipway.example/team/a:1\nCOPY . /b/\n',
    };
    const digests = await Promise.all(
      [freshPrefix('here'), freshPrefix('there')].map(async (prefix) => {
        const one = await project({ build, files });
        const ran = await one.run('run', '--to', prefix);
        expect(ran.code, ran.stdout + ran.stderr).toBe(0);
        const { digest } = ran.row('team/b:1');
        const [material] = await materialsOf(`${prefix}/team/b`, digest ?? '');
        expect(material).toMatchObject({
          uri: `docker-image://${prefix}/team/a`,
          name: 'registry.slipway.example/team/a:1',
        });
        return digest;
      }),
    );
    expect(digests[0]).toBe(digests[1]);
  });

  test('that is not there is a failure of its own registry', async () => {
    const one = await project({
      build: dockerfiles({ a: freshPath('missing') }, world().destination.host),
      files: { 'images/a/Dockerfile': `FROM ${world().source.host}/no/such:1\n` },
    });
    const ran = await one.run('run');
    expect(ran.code).toBe(1);
    const { failure } = ran.answer.entries[0] ?? {};
    expect(failure).toMatchObject({ reason: 'registry', side: 'source', class: 'permanent', hint: expect.any(String) });
    expect(failure?.message).toBe(
      `${world().source.host}/no/such:1, which images/a/Dockerfile is built on, is not in its registry`,
    );
    expect(started(ran, 'buildx')).toBe(0);
  });
});

test('what may fetch is built again after maxAge, without cache; an equal digest leaves the tag', async () => {
  const { host } = world().destination;
  const mirror = await watch(world().source.host);
  const mirrors = [{ source: 'hub.slipway.example', mirror: mirror.host, trusted: true }];
  const content = await readFile('/bin/busybox');
  const programs: readonly Member[] = [
    { type: 'directory', path: 'bin' },
    { type: 'file', path: 'bin/busybox', content, mode: 0o755 },
    { type: 'symlink', path: 'bin/sh', target: 'busybox' },
  ];
  const alpine = alpineImage(AMD64, [{ name: 'musl', version: '1.2.5-r0' }], 'shell');
  const shell = await source('shell', imageLayout([{ ...alpine, layers: [...alpine.layers, programs] }]));
  const from = `FROM hub.slipway.example/${shell.path}:1\n`;
  const path = { chance: freshPath('chance'), same: freshPath('same'), copies: freshPath('copies') };
  const one = await project({
    build: dockerfiles(path, host),
    files: {
      'images/chance/Dockerfile': `${from}RUN busybox cat /proc/sys/kernel/random/uuid > /id\n`,
      'images/same/Dockerfile': `${from}RUN echo same > /same\n`,
      'images/copies/Dockerfile': `${from}COPY Dockerfile /copied\n`,
    },
    settings: { mirrors },
  });
  const first = await one.run('run');
  expect(first.code, first.stdout + first.stderr).toBe(0);
  mirror.forget();
  expect((await one.run('run')).answer.tools).toEqual([]);
  // Three images on one tag are made on one digest, so it is asked for once.
  expect(mirror.requests.map(({ method }) => method)).toEqual(['HEAD']);

  // Every run takes longer than this.
  await one.change({ settings: { mirrors, plugins: pluginsWith({ maxAge: '1s' }) } });
  const old = await one.run('run');
  expect(old.code, old.stdout).toBe(0);
  expect(old.row(`${path.chance}:1`)).toMatchObject({ outcome: 'published' });
  expect(old.row(`${path.chance}:1`).digest).not.toBe(first.row(`${path.chance}:1`).digest);
  expect(old.row(`${path.same}:1`)).toMatchObject({
    outcome: 'unchanged',
    digest: first.row(`${path.same}:1`).digest,
    signed: true,
  });
  expect(old.row(`${path.same}:1`).why).toMatch(/^its build is from 20/);
  expect(old.row(`${path.copies}:1`)).toMatchObject({ outcome: 'unchanged', why: 'its inputs are unchanged' });
  expect(started(old, 'buildx')).toBe(3);

  // The new provenance says when: it is fresh again, and one option among the settings is no input of the image.
  await one.change({ settings: { mirrors, plugins: pluginsWith({ maxAge: '1h' }) } });
  expect((await one.run('run')).answer.tools).toEqual([]);
  expect((await one.run('verify', '--deep')).code).toBe(0);
}, 180_000);

describe('builders of their own for each platform', () => {
  const endpoints = (): Readonly<Record<string, unknown>> => {
    const { endpoint } = worldPlugins().find(({ name }) => name === 'build-docker')?.options ?? {};
    return { endpoint: undefined, endpoints: { 'linux/amd64': endpoint, 'linux/arm64': endpoint } };
  };
  const platforms = ['linux/arm64', 'linux/amd64'];

  test('make one index, whose platforms are all scanned; two checkouts give one digest', async () => {
    const { path: from } = await source('native');
    const build = dockerfiles({ app: 'team/native' }, 'registry.slipway.example').map((one) => ({ ...one, platforms }));
    const dockerfile = `FROM hub.slipway.example/${from}:1\nARG TARGETARCH\nCOPY $TARGETARCH /arch\n`;
    const files = {
      'images/app/Dockerfile': dockerfile,
      'images/app/amd64': 'for amd64\n',
      'images/app/arm64': 'for arm64\n',
    };
    const digests = await Promise.all(
      [freshPrefix('here'), freshPrefix('there')].map(async (prefix) => {
        const one = await project({ build, files, settings: { plugins: pluginsWith(endpoints()) } });
        const ran = await one.run('run', '--to', prefix);
        expect(ran.code, ran.stdout + ran.stderr).toBe(0);
        const reference = `${prefix}/team/native:1`;
        const index = JSON.parse((await crane('manifest', reference)).stdout) as {
          readonly manifests: readonly { readonly digest: string; readonly platform: object }[];
        };
        expect(index.manifests.map(({ platform }) => platform)).toEqual([
          { architecture: 'amd64', os: 'linux' },
          { architecture: 'arm64', os: 'linux' },
        ]);
        await crane('validate', '--remote', reference);
        expect(await fileIn(reference, 'arch')).toContain('for amd64');
        expect(started(ran, 'buildx')).toBe(3);
        expect((await materialsOf(`${prefix}/team/native`, ran.row('team/native:1').digest ?? '')).length).toBe(1);
        expect((await one.run('verify', '--deep', '--to', prefix)).code).toBe(0);
        return ran.row('team/native:1').digest;
      }),
    );
    expect(digests[0]).toBe(digests[1]);
  });

  test('name the platform that failed, and make no index of one', async () => {
    const { host } = world().destination;
    const { path: from } = await source('lone');
    const path = { half: freshPath('half'), one: freshPath('one') };
    const [half, lone] = dockerfiles(path, host);
    const one = await project({
      build: [
        { ...half, platforms },
        { ...lone, platforms: ['linux/arm64'] },
      ],
      files: {
        'images/half/Dockerfile': `FROM hub.slipway.example/${from}:1\nARG TARGETARCH\nCOPY $TARGETARCH /arch\n`,
        'images/half/amd64': '',
        'images/one/Dockerfile': `FROM hub.slipway.example/${from}:1\nCOPY Dockerfile /d\n`,
      },
      settings: { plugins: pluginsWith(endpoints()) },
    });
    const ran = await one.run('run');
    expect(ran.row(`${path.half}:1`).failure?.message).toMatch(/^linux\/arm64: .*arm64/s);
    expect(ran.row(`${path.one}:1`), ran.stdout).toMatchObject({ outcome: 'published' });
    const manifest = JSON.parse((await crane('manifest', `${host}/${path.one}:1`)).stdout) as object;
    expect(Object.keys(manifest)).toContain('layers');
  });
});
