/** Layouts in folders and archives as sources and destinations, looked at from outside by the tools that people have. */
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pin, type Digest } from '../core/src/reference.ts';
import { client, must } from '../core/src/registry/test-client.ts';
import { sha256 } from '../demo/world/image.ts';
import { project } from './chain/project.ts';
import { digestOf, image, leakyImage, source } from './chain/shorthand.ts';
import { crane, freshFolder, freshPath, push, skopeo, slipway, tool, world } from './world.ts';

const MIRROR = { trust: [{ match: '*', level: 'copy' }] };

/** Digests of referrers, sorted, without the names of where they are. */
function digestsIn(node: unknown): readonly string[] {
  const { referrers = [] } = node as { readonly referrers?: readonly { readonly digest: string }[] };
  return referrers.flatMap((one) => [one.digest, ...digestsIn(one)]).toSorted();
}

/** The digest of what a tag names, as skopeo reads it. */
async function inspected(transport: string, folder: string, tag: string): Promise<string> {
  const { code, stdout, stderr } = await skopeo('inspect', '--raw', `${transport}:${folder}:${tag}`);
  expect(code, stderr).toBe(0);
  return sha256(Buffer.from(stdout));
}

describe.each([
  ['a folder', 'oci:', 'alpine', 'oci'],
  ['an archive', 'oci-archive:', 'alpine.tar', 'oci-archive'],
])('by %s', (_, scheme, name, transport) => {
  test('images cross an air gap: the digests on the other side are the same', async () => {
    const { source: hub, destination } = world();
    const [one, two] = [await source('gap'), await source('gap-two')];
    const outside = await project({
      sync: [
        { source: `${hub.host}/${one.path}:1`, destination: `${scheme}./media/${name}:one`, tags: ['one-more'] },
        { source: `${hub.host}/${two.path}:1`, destination: `${scheme}./media/${name}:two` },
      ],
      settings: MIRROR,
    });
    const gathered = await outside.run('sync');
    expect(gathered.code, gathered.stdout + gathered.stderr).toBe(0);
    expect(gathered.answer.entries.map(({ outcome, digest }) => [outcome, digest])).toEqual([
      ['published', one.digest],
      ['published', one.digest],
      ['published', two.digest],
    ]);
    // The core copies by itself: no tool knows both ends.
    expect(gathered.answer.tools).toEqual([]);
    const media = join(outside.folder, 'media');
    expect(await inspected(transport, join(media, name), 'one')).toBe(one.digest);
    expect(await inspected(transport, join(media, name), 'two')).toBe(two.digest);
    const again = await outside.run('sync');
    expect(again.answer.entries.map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged', 'unchanged']);

    const carried = join(await freshFolder(), 'carried');
    await rename(media, carried);
    const path = freshPath('inside');
    const inside = await project({
      sync: [
        { source: `${scheme}${carried}/${name}:one`, destination: `${destination.host}/${path}/{name}:{tag}` },
        { source: `${scheme}${carried}/${name}:two@${two.digest}`, destination: `${destination.host}/${path}/two` },
      ],
      settings: MIRROR,
    });
    const published = await inside.run('sync');
    expect(published.code, published.stdout + published.stderr).toBe(0);
    expect(await digestOf(`${destination.host}/${path}/${name}:one`)).toBe(one.digest);
    expect(await digestOf(`${destination.host}/${path}/two:latest`)).toBe(two.digest);
    expect((await crane('validate', '--remote', `${destination.host}/${path}/two:latest`)).code).toBe(0);
    const settled = await inside.run('sync');
    expect(settled.answer.entries.map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged']);
  });

  test('what upstream attached to an image and to its platforms crosses it too', async () => {
    const { source: hub, destination } = world();
    const { path, digest } = await source('attached-gap');
    const from = { registry: hub.host, path };
    await using registry = client();
    const index = must(await registry.manifest(pin(from, digest as Digest), 'source'));
    if (index?.kind !== 'index') throw new Error('an index was pushed');
    for (const [number, subject] of [index.descriptor, ...index.value.manifests].entries()) {
      const sbom = { artifactType: 'application/spdx+json', annotations: {}, bytes: Buffer.from(`{"n": ${number}}`) };
      must(await registry.attach({ ...subject, repository: from }, [sbom]));
    }
    const tree = async (...place: readonly string[]): Promise<unknown> => {
      const { code, stdout, stderr } = await tool('oras', ['discover', '--format', 'json', ...place]);
      expect(code, stderr).toBe(0);
      return digestsIn(JSON.parse(stdout));
    };
    const upstream = await tree('--plain-http', `${hub.host}/${path}:1`);
    expect(upstream).toHaveLength(1);

    const folder = await freshFolder();
    const outside = await project({
      sync: [{ source: `${hub.host}/${path}:1`, destination: `${scheme}${folder}/${name}:1`, referrers: true }],
      settings: MIRROR,
    });
    const gathered = await outside.run('sync');
    expect(gathered.code, gathered.stdout + gathered.stderr).toBe(0);
    if (transport === 'oci') expect(await tree('--oci-layout', `${folder}/${name}:1`)).toEqual(upstream);
    const to = freshPath('attached-gap');
    const inside = await project({
      sync: [{ source: `${scheme}${folder}/${name}:1`, destination: `${destination.host}/${to}:1`, referrers: true }],
      settings: MIRROR,
    });
    const published = await inside.run('sync');
    expect(published.code, published.stdout + published.stderr).toBe(0);
    expect(await tree('--plain-http', `${destination.host}/${to}:1`)).toEqual(upstream);
    for (const subject of index.value.manifests) {
      const child = pin({ registry: destination.host, path: to }, subject.digest);
      expect(must(await registry.referrers(child, 'destination'))).toHaveLength(1);
    }
  });

  test('the whole chain works in it: scanned, signed, attached, verified, shown', async () => {
    const { source: hub } = world();
    const { path, digest } = await source('chain');
    const place = `${scheme}./${name}:1`;
    const one = await project({ sync: [{ source: `${hub.host}/${path}:1`, destination: place }] });
    const ran = await one.run('run');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    expect(ran.answer.entries[0]).toMatchObject({ outcome: 'published', signed: true, digest, findings: {} });
    expect(ran.stdout + ran.stderr).not.toMatch(/127\.0\.0\.1:\d+\/layout/);
    const verified = await one.run('verify', '--deep');
    expect(verified.code, verified.stdout + verified.stderr).toBe(0);
    const shown = await slipway(['show', place, '--json'], { cwd: one.folder });
    expect(shown.code, shown.stdout).toBe(0);
    expect(shown.stdout).toContain('https://spdx.dev/Document');
    const again = await one.run('run');
    expect(again.answer.entries[0]).toMatchObject({ outcome: 'unchanged' });
    expect(again.answer.tools).toEqual([]);
  });

  test('the gate refuses as it does anywhere, and the tag stays away', async () => {
    const { source: hub } = world();
    const { path } = await source('refused', leakyImage('refused'));
    const one = await project({
      sync: [{ source: `${hub.host}/${path}:1`, destination: `${scheme}./${name}:1` }],
      settings: { policy: { sync: 'refuse' } },
    });
    const ran = await one.run('run');
    expect(ran.code, ran.stdout).toBe(3);
    const shown = await slipway(['show', `${scheme}./${name}:1`], { cwd: one.folder });
    expect(shown.code).toBe(1);
    expect(shown.stderr).toContain('is not in its layout');
  });
});

describe('other tools', () => {
  test('skopeo and crane read what was synced, and what they write is synced', async () => {
    const { source: hub, destination } = world();
    const { path, digest } = await source('interop');
    const folder = await freshFolder();
    const from = `${hub.host}/${path}:1`;
    const made = [
      await skopeo('copy', '--all', '--src-tls-verify=false', `docker://${from}`, `oci:${folder}/skopeo:3.20`),
      await skopeo('copy', '--all', '--src-tls-verify=false', `docker://${from}`, `oci-archive:${folder}/skopeo.tar`),
      await crane('pull', '--format', 'oci', from, `${folder}/crane`),
    ];
    for (const { code, stderr } of made) expect(code, stderr).toBe(0);
    const to = freshPath('interop');
    const { run } = await project({
      sync: [
        { source: `oci:${folder}/skopeo:3.20`, destination: `${destination.host}/${to}/a:1` },
        { source: `oci-archive:${folder}/skopeo.tar`, destination: `${destination.host}/${to}/b:1` },
        { source: `oci:${folder}/crane`, destination: `${destination.host}/${to}/c:1` },
        { source: from, destination: `oci:${folder}/ours:1` },
        { source: from, destination: `oci-archive:${folder}/ours.tar:1` },
      ],
      settings: MIRROR,
    });
    const ran = await run('sync');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    expect(ran.answer.entries.map((row) => row.digest)).toEqual(ran.answer.entries.map(() => digest));
    for (const name of ['a', 'b', 'c']) expect(await digestOf(`${destination.host}/${to}/${name}:1`)).toBe(digest);
    for (const [index, place] of [`oci:${folder}/ours:1`, `oci-archive:${folder}/ours.tar:1`].entries()) {
      const back = `${destination.host}/${to}/back:${index}`;
      const copied = await skopeo('copy', '--all', '--dest-tls-verify=false', place, `docker://${back}`);
      expect(copied.code, copied.stderr).toBe(0);
      expect(await digestOf(back)).toBe(digest);
    }
    const pushed = await crane('push', `${folder}/ours`, `${destination.host}/${to}/pushed:1`);
    expect(pushed.code, pushed.stderr).toBe(0);
    expect(await digestOf(`${destination.host}/${to}/pushed:1`)).toBe(digest);
  });

  test('regctl and ORAS find what is attached in a layout', async () => {
    const { source: hub } = world();
    const { path, digest } = await source('attached');
    const one = await project({ sync: [{ source: `${hub.host}/${path}:1`, destination: 'oci:./out:1' }] });
    const ran = await one.run('run');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    const index = JSON.parse(await readFile(join(one.folder, 'out', 'index.json'), 'utf8')) as {
      manifests: { artifactType?: string }[];
    };
    expect(index.manifests.length).toBeGreaterThan(4);
    const listed = await tool('regctl', ['artifact', 'list', '--format', '{{json .}}', `ocidir://${one.folder}/out:1`]);
    expect(listed.code, listed.stderr).toBe(0);
    const { descriptors } = JSON.parse(listed.stdout) as { descriptors: { artifactType: string }[] };
    expect(descriptors.map(({ artifactType }) => artifactType)).toContain(
      'application/vnd.dev.sigstore.bundle.v0.3+json',
    );
    const discovered = await tool('oras', ['discover', '--oci-layout', '--format', 'json', `${one.folder}/out:1`]);
    expect(discovered.code, discovered.stderr).toBe(0);
    const { referrers } = JSON.parse(discovered.stdout) as { referrers: { digest: string }[] };
    expect(referrers).toHaveLength(descriptors.length);
    const copied = join(one.folder, 'copied');
    await mkdir(copied);
    const carried = await tool('regctl', [
      ...['image', 'copy', '--referrers', '--digest-tags'],
      ...[`ocidir://${one.folder}/out:1`, `ocidir://${copied}:1`],
    ]);
    expect(carried.code, carried.stderr).toBe(0);
    const byOras = await tool('oras', [
      ...['cp', '--recursive', '--from-oci-layout', `${one.folder}/out:1`],
      ...['--to-oci-layout', `${one.folder}/by-oras:1`],
    ]);
    expect(byOras.code, byOras.stderr).toBe(0);
    for (const place of [`oci:${copied}:1`, `oci:${one.folder}/by-oras:1`]) {
      const { run } = await project({ sync: [{ source: `${hub.host}/${path}@${digest}`, destination: place }] });
      const verified = await run('verify');
      expect(verified.code, verified.stdout + verified.stderr).toBe(0);
    }
  });
});

test('a tag of a layout is rolled back', async () => {
  const { source: hub } = world();
  const { path, digest } = await source('back');
  const one = await project({ sync: [{ source: `${hub.host}/${path}:1`, destination: 'oci:./out:1' }] });
  expect((await one.run('run')).code).toBe(0);
  const newer = await push(image('back-newer'), `${hub.host}/${path}:1`);
  expect((await one.run('run')).answer.entries[0]).toMatchObject({ outcome: 'published', digest: newer });
  const back = await slipway(['rollback', 'oci:./out:1'], { cwd: one.folder });
  expect(back.code, back.stdout + back.stderr).toBe(0);
  expect(await inspected('oci', join(one.folder, 'out'), '1')).toBe(digest);
});

describe('--to oci:DIR', () => {
  test('builds and syncs without any registry of its own', async () => {
    const { source: hub } = world();
    const { path, digest } = await source('to-layout');
    const one = await project({
      sync: [
        { source: `${hub.host}/${path}:1`, destination: 'registry.slipway.example/a/synced:1' },
        { source: 'registry.slipway.example/b/hello:latest', destination: 'registry.slipway.example/b/hello:stable' },
      ],
      build: [{ source: './images/hello/apko.yaml', destination: 'registry.slipway.example/b/hello:latest' }],
      settings: { signing: { key: './none.key', publicKey: world().keys.production.publicKey } },
    });
    const ran = await one.run('run', '--to', 'oci:./out');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    expect(ran.answer.entries.map(({ destination, outcome, signed }) => [destination, outcome, signed])).toEqual([
      ['oci:./out/a/synced:1', 'published', false],
      ['oci:./out/b/hello:stable', 'published', false],
      ['oci:./out/b/hello:latest', 'published', false],
    ]);
    expect(await inspected('oci', join(one.folder, 'out', 'a', 'synced'), '1')).toBe(digest);
    const built = ran.row('hello:latest').digest;
    expect(await inspected('oci', join(one.folder, 'out', 'b', 'hello'), 'stable')).toBe(built);
  });

  test('with a scratch key the chain is whole', async () => {
    const { keys } = world();
    const one = await project({
      build: [{ source: './images/hello/apko.yaml', destination: 'registry.slipway.example/b/hello:latest' }],
      settings: {
        signing: {
          key: keys.production.key,
          publicKey: keys.production.publicKey,
          scratch: { ...keys.scratch, signingConfig: keys.signingConfig, trustedRoot: keys.trustedRoot },
        },
      },
    });
    const ran = await one.run('run', '--to', 'oci:out');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    expect(ran.answer.entries[0]).toMatchObject({ destination: 'oci:./out/b/hello:latest', signed: true });
    expect((await one.run('verify', '--to', 'oci:out')).code).toBe(0);
    expect((await one.run('run', '--to', 'oci:out')).answer.tools).toEqual([]);
  });

  test('a Dockerfile is built on an image that an entry built into a layout', async () => {
    const { source: hub } = world();
    const { path } = await source('base', image('base'));
    const one = await project({
      sync: [{ source: `${hub.host}/${path}:1`, destination: 'registry.slipway.example/base:1' }],
      build: [
        { source: './images/on/Dockerfile', destination: 'registry.slipway.example/on:1', platforms: ['linux/amd64'] },
      ],
      files: { 'images/on/Dockerfile': 'FROM registry.slipway.example/base:1\nCOPY Dockerfile /here\n' },
    });
    const ran = await one.run('run', '--to', 'oci:./out');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    expect(await inspected('oci', join(one.folder, 'out', 'on'), '1')).toBe(ran.row('on:1').digest);
  });
});
