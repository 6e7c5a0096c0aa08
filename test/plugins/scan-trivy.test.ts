/** `scan-trivy` with the real trivy, a database of the world's own, and images of every awkward kind. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Child, Platform, Scan, ScanInput, TaskContext } from '@slipway/core';
import { contractSuite } from '@slipway/core/testing';
import { text } from '../../demo/world/archive.ts';
import { artifactLayout, imageLayout, type Layout, type PlatformImage } from '../../demo/world/image.ts';
import { alpineImage, AMD64, ARM64 } from '../../demo/world/images.ts';
import plugin from '../../plugins/scan-trivy/src/index.ts';
import { freshPath, push, world } from '../world.ts';
import { contextOf, hostOf, must, pinned, pluginWorld, recorded, serve } from './plugin-world.ts';

const musl = { name: 'musl', version: '1.2.5-r0' };
const leaky = { name: 'leaky', version: '1.0.0-r0' };

// The options are read when the suite is set up, before the world is known.
const options = {
  get databaseRepository() {
    return world().database;
  },
};
const both = () =>
  pushed(imageLayout([alpineImage(AMD64, [musl], 'both'), alpineImage(ARM64, [musl, leaky], 'both')]), [AMD64, ARM64]);

contractSuite(
  { describe, it },
  {
    plugin,
    options,
    contract: 'image.scan@1',
    world: pluginWorld,
    input: both,
    repeatable: ({ platforms }) => platforms,
  },
);
contractSuite({ describe, it }, { plugin, options, contract: 'sbom.make@1', world: pluginWorld, input: both });

describe('scan-trivy', () => {
  it('finds what only one platform has, with its severity, fix, purl and layer', async () => {
    const { scan } = await ready();
    const { platforms, database, scanner } = await scan(await both());
    expect(platforms.map(({ platform, status, packages }) => [platform, status, packages])).toEqual([
      ['linux/amd64', 'scanned', 1],
      ['linux/arm64', 'scanned', 2],
    ]);
    expect(platforms.map(({ findings }) => findings.map(({ id }) => id))).toEqual([
      ['CVE-2026-10003'],
      ['CVE-2026-10001', 'CVE-2026-10003'],
    ]);
    expect(platforms[1]?.findings[0]).toMatchObject({
      severity: 'CRITICAL',
      package: 'leaky',
      installed: '1.0.0-r0',
      fixed: '1.0.1-r0',
      platforms: ['linux/arm64'],
      purl: expect.stringMatching(/^pkg:apk\/alpine\/leaky@1\.0\.0-r0/),
      layer: expect.stringMatching(/^sha256:/),
    });
    expect(platforms[0]?.os).toBe('alpine 3.20.3');
    expect(Date.parse(database ?? '')).toBeGreaterThan(0);
    expect(scanner.name).toBe('trivy');
  });

  it('never shows as clean what it could not read', async () => {
    const windows: PlatformImage = {
      platform: { os: 'windows', architecture: 'amd64' },
      layers: [[{ type: 'file', path: 'Files/a.txt', content: text('a') }]],
    };
    const empty: PlatformImage = { platform: AMD64, layers: [[{ type: 'file', path: 'a.txt', content: text('a') }]] };
    const bare = alpineImage(ARM64, [], 'no packages');
    const { scan, sbom } = await ready();
    const input = await pushed(imageLayout([windows, empty, bare]), [windows.platform, AMD64, ARM64]);
    const { platforms } = await scan(input);
    expect(platforms.map(({ status }) => status)).toEqual(['unscanned', 'unscanned', 'unscanned']);
    expect(platforms.map(({ why }) => why)).toEqual([
      'no operating system and no packages were found',
      'no operating system and no packages were found',
      'no packages were found (alpine 3.20.3)',
    ]);
    expect((await sbom(input)).documents).toEqual([]);
  });

  it('says of which platform the operating system gets no advisories any more', async () => {
    // One that ended years ago, and one that trivy does not know: neither answer changes with the day of the test.
    const [ended, unknown] = [alpineImage(AMD64, [musl], 'ended'), alpineImage(ARM64, [musl], 'unknown')];
    const layout = imageLayout([released(ended, '3.16.1'), released(unknown, '99.1.0')]);
    const { scan } = await ready();
    const { platforms } = await scan(await pushed(layout, [AMD64, ARM64]));
    expect(platforms.map(({ os, endOfLife }) => [os, endOfLife])).toEqual([
      ['alpine 3.16.1', true],
      ['alpine 99.1.0', undefined],
    ]);
  });

  it('says that an artifact without an image config cannot be scanned', async () => {
    const layout = artifactLayout(
      'application/vnd.cncf.helm.config.v1+json',
      'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
      text('chart'),
      'chart.tgz',
    );
    const { scan, starts } = await ready();
    const { platforms } = await scan(await pushed(layout, [{ os: 'unknown', architecture: 'unknown' }]));
    expect(platforms).toMatchObject([{ status: 'unscanned', why: expect.stringContaining('helm') }]);
    expect(starts).toEqual([]);
  });

  it('fails when a child is not there, and does not call it unscanned', async () => {
    const { host, context } = await ready();
    const { subject } = await both();
    const missing = `sha256:${'0'.repeat(64)}` as Child['digest'];
    const result = await host.call(
      'image.scan@1',
      { subject, children: [{ digest: missing, platform: AMD64 }] },
      context,
    );
    expect(result).toMatchObject({ ok: false, failure: { reason: 'registry', status: 404 } });
  });

  it('lets no file in the working directory hide a finding', async () => {
    const { scan, context } = await ready();
    await writeFile(join(context.files.work, '.trivyignore'), 'CVE-2026-10001\nCVE-2026-10003\n');
    await writeFile(
      join(context.files.work, 'trivy.yaml'),
      'severity: [LOW]\nexit-code: 1\nignorefile: .trivyignore\n',
    );
    const { platforms } = await scan(await both());
    expect(platforms[1]?.findings).toHaveLength(2);
  });

  it('fetches the database once and pulls each platform once, for scans and SBOMs at the same time', async () => {
    const { scan, sbom, starts } = await ready();
    const [first, second] = [await both(), await pushed(imageLayout([alpineImage(AMD64, [leaky], 'second')]), [AMD64])];
    const [a, b, documents] = await Promise.all([scan(first), scan(second), sbom(first), scan(first)]);
    expect(a.platforms).toHaveLength(2);
    expect(b.platforms[0]?.findings).toHaveLength(1);
    expect(documents.documents).toHaveLength(2);
    expect(starts.filter((args) => args.includes('--download-db-only'))).toHaveLength(1);
    expect(starts.filter((args) => args.includes('--list-all-pkgs'))).toHaveLength(3);
  });

  it('keeps the database for the next run', async () => {
    const testWorld = await pluginWorld();
    const input = await both();
    const starts: string[][] = [];
    for (const _ of [1, 2]) {
      const host = await hostOf(plugin, options);
      const context = await contextOf(plugin, testWorld);
      const shared = join(context.files.work, 'shared');
      must(
        await host.call('image.scan@1', input, recorded({ ...context, files: { ...context.files, shared } }, starts)),
      );
    }
    expect(starts.filter((args) => args.includes('--download-db-only'))).toHaveLength(1);
  });

  it('makes the same SBOM of the same image wherever it is, without its place and without advisories', async () => {
    const layout = imageLayout([alpineImage(AMD64, [leaky], 'sbom')]);
    const [one, two] = [await ready(), await ready()];
    const [first, second] = [
      await one.sbom(await pushed(layout, [AMD64])),
      await two.sbom(await pushed(layout, [AMD64])),
    ];
    expect(second).toEqual(first);
    const written = JSON.stringify(first);
    expect(written).toContain('pkg:apk/alpine/leaky@1.0.0-r0');
    expect(written).not.toContain(world().source.host);
    expect(written).not.toContain('cve-2026');
    expect(first.documents[0]?.spdx).toMatchObject({
      spdxVersion: 'SPDX-2.3',
      creationInfo: { created: '2026-01-01T00:00:00Z' },
    });
  });

  it('tries again, and says what to set, when the database cannot be fetched', async () => {
    const broken = await serve((_, response) => void response.writeHead(500).end());
    const context = await contextOf(plugin, await pluginWorld());
    const host = await hostOf(plugin, { databaseRepository: `${broken}/aquasec/trivy-db:2` });
    const result = await host.call('image.scan@1', await both(), context);
    expect(result).toMatchObject({ ok: false, failure: { reason: 'tool', class: 'transient' } });
    if (!result.ok) expect(result.failure.hint).toContain('databaseRepository');
  });
});

function released(image: PlatformImage, version: string): PlatformImage {
  const content = text(`ID=alpine\nVERSION_ID=${version}\n`);
  const layers = image.layers.map((layer) =>
    layer.map((member) => (member.path === 'etc/os-release' ? { ...member, type: 'file' as const, content } : member)),
  );
  return { ...image, layers };
}

/** Pushes to a path of its own; the children are in the order of `platforms`. */
async function pushed(layout: Layout, platforms: readonly Platform[]): Promise<ScanInput> {
  const path = freshPath('scan');
  const digest = await push(layout, `${world().source.host}/${path}:1`);
  const root = JSON.parse(Buffer.from(layout.blobs.get(digest) ?? []).toString('utf8')) as {
    manifests?: { digest: string }[];
  };
  const digests = root.manifests?.map((child) => child.digest) ?? [digest];
  const children = platforms.map((platform, index): Child => ({ digest: digests[index] as Child['digest'], platform }));
  return { subject: pinned(world().source.host, path, digest), children };
}

async function ready() {
  const host = await hostOf(plugin, options);
  const inner = await contextOf(plugin, await pluginWorld());
  const starts: string[][] = [];
  const context: TaskContext = recorded(inner, starts);
  return {
    host,
    context,
    starts,
    scan: async (input: ScanInput): Promise<Scan> => must(await host.call('image.scan@1', input, context)),
    sbom: async (input: ScanInput) => must(await host.call('sbom.make@1', input, context)),
  };
}
