/** Images and names of every shape, and mirrors that are only copied. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { alpineImage, AMD64, ARM64 } from '../../demo/world/images.ts';
import { text } from '../../demo/world/archive.ts';
import { artifactLayout, imageLayout, type Layout } from '../../demo/world/image.ts';
import { crane, freshPath, push, skopeo, world } from '../world.ts';
import { project } from './project.ts';
import { digestOf, source, verifies } from './shorthand.ts';

const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';

interface Manifests {
  readonly manifests: readonly { readonly digest: string; readonly platform?: { readonly os: string } }[];
}

/** Puts a manifest as it is; its digest. */
async function put(host: string, path: string, reference: string, mediaType: string, value: unknown): Promise<string> {
  const body = JSON.stringify(value);
  const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
  const answer = await fetch(`http://${host}/v2/${path}/manifests/${reference}`, {
    method: 'PUT',
    headers: { 'content-type': mediaType },
    body,
  });
  expect(answer.status, await answer.text()).toBe(201);
  return digest;
}

const toSource = ({ path }: { readonly path: string }, tag = '1'): string => `hub.slipway.example/${path}:${tag}`;

describe('every shape of image comes through whole', () => {
  /** Syncs, runs again, and looks at it from outside. */
  async function comesThrough(path: string, digest: string, tag = '1', settings = {}) {
    const { host } = world().destination;
    const to = `${host}/${freshPath('shape')}/nested/deep`;
    const one = await project({ sync: [{ source: toSource({ path }, tag), destination: `${to}:v1` }], settings });
    const ran = await one.run('run');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    expect(ran.row(':v1')).toMatchObject({ outcome: 'published', digest, signed: true });
    expect(await digestOf(`${to}:v1`)).toBe(digest);
    expect(await verifies(`${to}:v1`, world().keys.production.publicKey)).toBe(true);
    const again = await one.run('run');
    expect(again.answer.tools, again.stdout).toEqual([]);
    expect((await one.run('verify', '--deep')).code).toBe(0);
    return { one, to, row: ran.row(':v1') };
  }

  test('a single manifest', async () => {
    const { row } = await comesThrough('library/single', world().images['library/single:1'] ?? '');
    expect(row).toMatchObject({ packages: 1, findings: { CRITICAL: 0, LOW: 1 } });
  });

  test('an index with a child of an unknown platform, which is copied and not scanned', async () => {
    const { host } = world().source;
    const from = await source('unknown');
    const index = JSON.parse((await crane('manifest', `${host}/${from.path}:1`)).stdout) as Manifests;
    // As buildx attaches its attestations.
    const child = await push(
      artifactLayout('application/vnd.in-toto+json', 'application/vnd.in-toto+json', text('{}'), 'provenance'),
      `${host}/${from.path}:child`,
    );
    const size = (await crane('manifest', `${host}/${from.path}:child`)).stdout.trim().length;
    const unknown = {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: child,
      size,
      platform: { os: 'unknown', architecture: 'unknown' },
    };
    const digest = await put(host, from.path, 'with', OCI_INDEX, {
      ...index,
      manifests: [...index.manifests, unknown],
    });
    const { to } = await comesThrough(from.path, digest, 'with');
    expect(await digestOf(`${to}@${child}`)).toBe(child);
    expect(await digestOf(`${to}:${child.replace(':', '-')}`)).toBeUndefined();
  });

  test('a platform whose config is called otherwise is never left out of the scan', async () => {
    const { host } = world().source;
    const from = await source('odd');
    const index = JSON.parse((await crane('manifest', `${host}/${from.path}:1`)).stdout) as Manifests;
    const child = await push(
      artifactLayout('application/vnd.example.odd', 'application/octet-stream', text('{}'), 'odd'),
      `${host}/${from.path}:child`,
    );
    const size = (await crane('manifest', `${host}/${from.path}:child`)).stdout.trim().length;
    const platform = { os: 'linux', architecture: 's390x' };
    const odd = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: child, size, platform };
    const digest = await put(host, from.path, 'odd', OCI_INDEX, { ...index, manifests: [...index.manifests, odd] });
    const { row } = await comesThrough(from.path, digest, 'odd');
    expect(row).toMatchObject({ unscanned: ['linux/s390x'] });
    const strict = await project({
      sync: [{ source: toSource(from, 'odd'), destination: `${world().destination.host}/${freshPath('odd')}:1` }],
      settings: { policy: { sync: { verdict: 'refuse', unscanned: 'refuse' } } },
    });
    expect((await strict.run('run')).code).toBe(3);
  });

  test("a manifest list of Docker's", async () => {
    const { host } = world().source;
    const from = await source('docker');
    const copied = await skopeo(
      'copy',
      '--all',
      '--format',
      'v2s2',
      '--src-tls-verify=false',
      '--dest-tls-verify=false',
      `docker://${host}/${from.path}:1`,
      `docker://${host}/${from.path}:docker`,
    );
    expect(copied.code, copied.stderr).toBe(0);
    expect((await crane('manifest', `${host}/${from.path}:docker`)).stdout).toContain(DOCKER_LIST);
    await comesThrough(from.path, (await digestOf(`${host}/${from.path}:docker`)) ?? '', 'docker');
  });

  test('both platforms are scanned: a finding of one is shown', async () => {
    const { row } = await comesThrough('library/legacy', world().images['library/legacy:1'] ?? '');
    expect(row.findings).toMatchObject({ CRITICAL: 1 });
  });

  const chart = (): Layout =>
    artifactLayout(
      'application/vnd.cncf.helm.config.v1+json',
      'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
      text('a chart'),
      'chart.tgz',
    );

  test('an artifact without an image config is published by default, and never shown as clean', async () => {
    const from = await source('chart', chart());
    const { row } = await comesThrough(from.path, from.digest);
    expect(row.findings).toBeNull();
  });

  test('an artifact is refused where the policy says so', async () => {
    const from = await source('chart', chart());
    const path = freshPath('chart');
    const { run } = await project({
      sync: [{ source: toSource(from), destination: `${world().destination.host}/${path}:1` }],
      settings: { policy: { sync: { unscannable: 'refuse' } } },
    });
    const ran = await run('run');
    expect(ran.code, ran.stdout).toBe(3);
    expect(ran.row(`${path}:1`).failure?.message).toContain('no scanner can read');
    expect(await digestOf(`${world().destination.host}/${path}:1`)).toBeUndefined();
  });

  test('an image that no scanner reads is reported as such, and refused where the policy says so', async () => {
    // No distribution and no packages: nothing to look up.
    const from = await source(
      'empty',
      imageLayout([
        {
          platform: { os: 'linux', architecture: 'amd64' },
          layers: [[{ type: 'file', path: 'file', content: text('nothing') }]],
        },
      ]),
    );
    const path = freshPath('empty');
    const sync = [{ source: toSource(from), destination: `${world().destination.host}/${path}:1` }];
    const one = await project({ sync, settings: { policy: { sync: { unscannable: 'refuse' } } } });
    expect((await one.run('run')).code).toBe(3);
    await one.change({ sync, settings: {} });
    const ran = await one.run('run');
    expect(ran.code, ran.stdout).toBe(0);
    expect(ran.row(`${path}:1`)).toMatchObject({ outcome: 'published', signed: true, findings: null, packages: null });
    expect(ran.row(`${path}:1`).unscanned).toEqual(['linux/amd64']);
  });

  test('a platform that no scanner reads, beside one that it does, is named', async () => {
    const empty = { platform: ARM64, layers: [[{ type: 'file', path: 'file', content: text('nothing') }]] } as const;
    const from = await source(
      'half',
      imageLayout([alpineImage(AMD64, [{ name: 'musl', version: '1.2.5-r0' }], 'half'), empty]),
    );
    const { row } = await comesThrough(from.path, from.digest);
    expect(row.unscanned).toEqual(['linux/arm64']);
    expect(row.findings).toMatchObject({ LOW: 1 });
  });
});

test('a destination without a tag means latest', async () => {
  const { host } = world().destination;
  const [path, from] = [freshPath('untagged'), await source('untagged')];
  const { run } = await project({ sync: [{ source: toSource(from), destination: `${host}/${path}` }] });
  const ran = await run('run');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(ran.answer.entries[0]?.destination).toBe(`${host}/${path}:latest`);
  expect(await digestOf(`${host}/${path}:latest`)).toBe(from.digest);
});

test('trust: copy is only copied, and listed as such everywhere', async () => {
  const { host } = world().destination;
  const [path, from] = [freshPath('mirror'), await source('mirror')];
  const one = await project({
    sync: [{ source: toSource(from), destination: `${host}/${path}:1` }],
    settings: { trust: [{ match: `**/${path}:1`, level: 'copy' }] },
  });
  const ran = await one.run('run');
  expect(ran.code, ran.stdout).toBe(0);
  expect(ran.row(`${path}:1`)).toMatchObject({
    outcome: 'published',
    digest: from.digest,
    signed: false,
    findings: null,
  });
  expect(ran.answer.tools).toEqual([]);
  expect((await crane('ls', `${host}/${path}`)).stdout.trim()).toBe('1');
  const verified = await one.run('verify');
  expect(verified.code).toBe(0);
  expect(verified.answer.entries).toMatchObject([{ trust: 'copy', ok: true }]);
  expect((await one.run('plan')).stdout).toContain('"trust":"copy"');
  expect((await one.run('run')).answer.tools).toEqual([]);
});

test('the same new image for many repositories at once: no scan is in the way of another', async () => {
  const { host } = world().destination;
  const [path, from] = [freshPath('many'), await source('many')];
  const names = ['a', 'b', 'c', 'd'];
  const { run } = await project({
    sync: names.map((name) => ({ source: toSource(from), destination: `${host}/${path}/${name}:1` })),
    settings: { limits: { cpu: names.length, tries: 1 } },
  });
  const ran = await run('run');
  expect(ran.code, ran.stdout).toBe(0);
  expect(ran.answer.entries.map(({ outcome, signed }) => [outcome, signed])).toEqual(
    names.map(() => ['published', true]),
  );
});
