/** When an image is built again, when it is only vouched for again, and when a policy is looked at again. */
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { apk, fileName } from '../../demo/world/apk.ts';
import { text } from '../../demo/world/archive.ts';
import { run as runTool } from '../../demo/world/processes.ts';
import { writeFile } from 'node:fs/promises';
import { crane, freshPath, world } from '../world.ts';
import { project, type Project, type Ran } from './project.ts';
import { digestOf, leakyImage, source } from './shorthand.ts';

const started = ({ answer }: Ran, tool: string): number => answer.tools.find(({ name }) => name === tool)?.started ?? 0;

const ARCHITECTURES = ['x86_64', 'aarch64'] as const;

/** An Alpine repository of this test's own below the world's, with some of the world's packages in its index. */
async function alpineRepository() {
  const { folder, tools, keys } = world();
  const name = freshPath('apk').replaceAll('/', '-');
  const own = (architecture: string): string => join(folder, 'apk.slipway.example', name, architecture);
  for (const architecture of ARCHITECTURES) {
    const from = join(folder, 'apk.slipway.example', 'v3.20', 'main', architecture);
    await mkdir(own(architecture), { recursive: true });
    for (const file of await readdir(from)) await copyFile(join(from, file), join(own(architecture), file));
  }
  return {
    url: `http://apk.slipway.example/${name}`,
    /** Signs an index of the packages whose file name begins with one of these. */
    async index(...packages: readonly string[]) {
      for (const architecture of ARCHITECTURES) {
        const cwd = own(architecture);
        const files = (await readdir(cwd)).filter((file) => packages.some((each) => file.startsWith(`${each}-`)));
        const args = ['index', '-o', 'APKINDEX.tar.gz', '--arch', architecture, '--signing-key', keys.packageKey];
        await runTool(tools['melange'] ?? 'melange', [...args, ...files], { cwd });
      }
    },
    async addHello(version: string) {
      const hello = {
        name: 'hello',
        version,
        description: 'says hello',
        depends: ['busybox'],
        members: [
          { type: 'directory', path: 'usr' },
          { type: 'directory', path: 'usr/bin' },
          { type: 'file', path: 'usr/bin/hello', content: text('#!/bin/sh\necho newer\n'), mode: 0o755 },
        ],
      } as const;
      for (const architecture of ARCHITECTURES) {
        await writeFile(join(own(architecture), fileName(hello)), apk(hello, architecture));
        await runTool(tools['melange'] ?? 'melange', ['sign', '--signing-key', keys.packageKey, fileName(hello)], {
          cwd: own(architecture),
        });
      }
    },
  };
}

function apkoConfig(repository: string, ...packages: readonly string[]): string {
  return JSON.stringify({
    contents: { keyring: ['http://apk.slipway.example/keys/slipway.rsa.pub'], repositories: [repository], packages },
    archs: ['x86_64', 'aarch64'],
  });
}

interface Listed {
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

async function attached(repository: string, digest: string, type: string): Promise<readonly Listed[]> {
  const list = JSON.parse((await crane('manifest', `${repository}:${digest.replace(':', '-')}`)).stdout) as {
    readonly manifests: readonly Listed[];
  };
  return list.manifests.filter(({ annotations }) => annotations?.['dev.sigstore.bundle.predicateType']?.includes(type));
}

test('a build follows its packages, not its index: same packages, new provenance only; another package, another image', async () => {
  const repository = await alpineRepository();
  await repository.index('slipway-release', 'busybox', 'hello');
  const path = freshPath('fresh');
  const destination = `${world().destination.host}/${path}`;
  const one = await project({
    build: [{ source: './images/own/apko.yaml', destination: `${destination}:latest`, tags: ['{date}'] }],
    files: { 'images/own/apko.yaml': apkoConfig(repository.url, 'slipway-release', 'busybox', 'hello') },
  });
  const first = await one.run('run');
  expect(first.code, first.stdout).toBe(0);
  const { digest } = first.row(':latest');
  expect(first.answer.entries.map(({ outcome }) => outcome)).toEqual(['published', 'published']);
  const [made, ...others] = await attached(destination, digest ?? '', 'slsa.dev/provenance');
  expect(others).toEqual([]);

  // A new index with the same packages for this image.
  await repository.index('slipway-release', 'busybox', 'hello', 'leaky');
  const renewed = await one.run('run');
  expect(renewed.code, renewed.stdout).toBe(0);
  expect(renewed.row(':latest')).toMatchObject({ outcome: 'unchanged', digest, before: digest, signed: true });
  expect(renewed.row(':latest').why).toContain('APKINDEX');
  expect(started(renewed, 'trivy')).toBe(0);
  // Only the provenance is signed.
  expect(started(renewed, 'cosign')).toBe(1);
  const [again, ...more] = await attached(destination, digest ?? '', 'slsa.dev/provenance');
  expect(more).toEqual([]);
  expect(again?.annotations?.['dev.slipway.input-key']).not.toBe(made?.annotations?.['dev.slipway.input-key']);
  expect(again?.annotations?.['dev.slipway.resolved-key']).toBe(made?.annotations?.['dev.slipway.resolved-key']);
  expect(made?.annotations?.['dev.slipway.resolved-key']).toMatch(/^[0-9a-f]{64}$/);
  const quiet = await one.run('run');
  expect(quiet.answer.tools).toEqual([]);

  // A newer package.
  await repository.addHello('1.1.0-r0');
  await repository.index('slipway-release', 'busybox', 'hello', 'leaky');
  const rebuilt = await one.run('run');
  expect(rebuilt.code, rebuilt.stdout).toBe(0);
  expect(rebuilt.row(':latest')).toMatchObject({ outcome: 'published', before: digest, signed: true });
  expect(rebuilt.row(':latest').digest).not.toBe(digest);
  expect(await digestOf(`${destination}:latest`)).toBe(rebuilt.row(':latest').digest);
  // A tag with the date moves with a newly published digest.
  expect(rebuilt.answer.entries.map(({ outcome }) => outcome)).toEqual(['published', 'published']);
  expect((await one.run('verify', '--deep')).code).toBe(0);
});

test('a changed config that makes the same image attaches new provenance; the date tag stays', async () => {
  const path = freshPath('same');
  const destination = `${world().destination.host}/${path}`;
  const repository = 'http://apk.slipway.example/v3.20/main';
  const config = apkoConfig(repository, 'slipway-release', 'busybox', 'hello');
  const one = await project({
    build: [{ source: './images/own/apko.yaml', destination: `${destination}:latest`, tags: ['{date}'] }],
    files: { 'images/own/apko.yaml': config },
  });
  const first = await one.run('run');
  const { digest } = first.row(':latest');
  await one.change({ files: { 'images/own/apko.yaml': `# A comment.\n${config}` } });
  const second = await one.run('run');
  expect(second.code, second.stdout).toBe(0);
  expect(second.row(':latest').why).toContain('images/own/apko.yaml');
  expect(second.answer.entries.map((row) => [row.outcome, row.digest])).toEqual([
    ['unchanged', digest],
    ['unchanged', digest],
  ]);
  expect((await attached(destination, digest ?? '', 'slsa.dev/provenance')).length).toBe(1);
  expect((await one.run('run')).answer.tools).toEqual([]);
});

describe('policy', () => {
  const one = async (
    settings: Readonly<Record<string, unknown>> = {},
  ): Promise<{ readonly it: Project; readonly path: string; readonly digest: string }> => {
    const [path, from] = [freshPath('policy'), await source('policy', leakyImage('policy'))];
    const sync = [
      { source: `hub.slipway.example/${from.path}:1`, destination: `${world().destination.host}/${path}:1` },
    ];
    return { it: await project({ sync, settings }), path, digest: from.digest };
  };
  const waiver = (expires: string) => [{ id: 'CVE-2026-10001', reason: 'not reachable here', expires }];

  test('a changed policy judges the attached scan without a tool, and says what is public already', async () => {
    const { it, path, digest } = await one();
    const first = await it.run('run');
    expect(first.row(`${path}:1`), first.stdout).toMatchObject({ outcome: 'published', findings: { CRITICAL: 1 } });

    await it.change({ settings: { policy: { sync: 'refuse' } } });
    const refused = await it.run('run');
    expect(refused.code, refused.stdout).toBe(3);
    expect(refused.answer.tools).toEqual([]);
    expect(refused.row(`${path}:1`)).toMatchObject({
      outcome: 'refused',
      digest,
      before: digest,
      failure: { reason: 'policy' },
    });
    expect(refused.row(`${path}:1`).failure?.message).toMatch(/CVE-2026-10001.*|public already/);
    expect(refused.row(`${path}:1`).failure?.message).toContain('public already');
    expect(refused.row(`${path}:1`).failure?.hint).toBeTruthy();
    expect(await digestOf(`${world().destination.host}/${path}:1`)).toBe(digest);

    await it.change({ settings: { policy: { sync: 'refuse', waivers: waiver('2999-12-31') } } });
    const waived = await it.run('run');
    expect(waived.code, waived.stdout).toBe(0);
    expect(waived.row(`${path}:1`)).toMatchObject({ outcome: 'unchanged', waived: waiver('2999-12-31') });
    await it.change({ settings: { policy: { sync: 'refuse', waivers: waiver('2020-01-01') } } });
    expect((await it.run('run')).code).toBe(3);

    // No worse than what is there: itself.
    await it.change({ settings: { policy: { sync: { verdict: 'refuse', notWorse: true } } } });
    const notWorse = await it.run('run');
    expect(notWorse.code, notWorse.stdout).toBe(0);
    expect(notWorse.row(`${path}:1`)).toMatchObject({ outcome: 'unchanged' });
    expect(notWorse.row(`${path}:1`).waived).toBeUndefined();
    expect(notWorse.row(`${path}:1`).why).not.toContain('refuses');
  });

  test('refused before it is public: no tag, no signature, and the next run needs no second copy', async () => {
    const { it, path } = await one({ policy: { sync: 'refuse' } });
    const refused = await it.run('run');
    expect(refused.code).toBe(3);
    expect(refused.row(`${path}:1`)).toMatchObject({ outcome: 'refused', before: null, signed: false });
    expect(refused.row(`${path}:1`).failure?.message).not.toContain('public already');
    expect((await crane('ls', `${world().destination.host}/${path}`)).stdout).toBe('');
    await it.change({ settings: { policy: { sync: 'refuse', waivers: waiver('2999-12-31') } } });
    const waived = await it.run('run');
    expect(waived.code, waived.stdout).toBe(0);
    expect(waived.row(`${path}:1`)).toMatchObject({
      outcome: 'published',
      signed: true,
      waived: waiver('2999-12-31'),
    });
    expect(started(waived, 'crane')).toBe(0);
  });

  test('run keeps a scan until policy.scan.maxAge; scan makes a new one', async () => {
    const { it, path } = await one();
    expect((await it.run('run')).code).toBe(0);
    await it.change({ settings: { policy: { scan: { maxAge: '1h' } } } });
    expect((await it.run('run')).answer.tools).toEqual([]);
    await it.change({ settings: { policy: { scan: { maxAge: '1s' } } } });
    const renewed = await it.run('run');
    expect(renewed.code, renewed.stdout).toBe(0);
    expect(renewed.row(`${path}:1`)).toMatchObject({ outcome: 'unchanged' });
    expect(renewed.row(`${path}:1`).why).toContain('scan');
    expect(started(renewed, 'trivy')).toBeGreaterThanOrEqual(1);
    await it.change({ settings: {} });
    expect(started(await it.run('scan'), 'trivy')).toBeGreaterThanOrEqual(1);
  });
});
