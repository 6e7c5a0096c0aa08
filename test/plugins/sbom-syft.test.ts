/** `sbom-syft` with the real syft, and beside the scanner's own SBOM. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Child, ContractOutput, Platform, ScanInput } from '@slipway/core';
import { contractSuite, sbomPackages } from '@slipway/core/testing';
import { text } from '../../demo/world/archive.ts';
import { artifactLayout, imageLayout, type Layout, type PlatformImage } from '../../demo/world/image.ts';
import { alpineImage, AMD64, ARM64 } from '../../demo/world/images.ts';
import plugin from '../../plugins/sbom-syft/src/index.ts';
import trivy from '../../plugins/scan-trivy/src/index.ts';
import { freshPath, push, world } from '../world.ts';
import { contextOf, hostOf, must, pinned, pluginWorld } from './plugin-world.ts';

type Documents = ContractOutput<'sbom.make@1'>;

const musl = { name: 'musl', version: '1.2.5-r0' };
const leaky = { name: 'leaky', version: '1.0.0-r0' };

const both = () =>
  pushed(imageLayout([alpineImage(AMD64, [musl], 'syft'), alpineImage(ARM64, [musl, leaky], 'syft')]), [AMD64, ARM64]);

contractSuite({ describe, it }, { plugin, contract: 'sbom.make@1', world: pluginWorld, input: both, hostile: 6 });

describe('sbom-syft', () => {
  it('finds the packages that the scanner finds, platform by platform', async () => {
    const input = await both();
    const ours = await make(input);
    const scanners = await makeBy(trivy, input, { databaseRepository: world().database });
    const packages = ({ documents }: Documents) =>
      documents.map(({ digest, spdx }) => [digest, sbomPackages(spdx)] as const);
    expect(packages(ours)).toEqual(packages(scanners));
    expect(packages(ours).map(([, found]) => found)).toEqual([
      ['pkg:apk/alpine/musl@1.2.5-r0'],
      ['pkg:apk/alpine/leaky@1.0.0-r0', 'pkg:apk/alpine/musl@1.2.5-r0'],
    ]);
  });

  it('makes the same SBOM of the same image wherever it is, without its place and the clock', async () => {
    const layout = imageLayout([alpineImage(AMD64, [leaky], 'sbom')]);
    const first = await make(await pushed(layout, [AMD64]));
    const second = await make(await pushed(layout, [AMD64]));
    expect(second).toEqual(first);
    expect(JSON.stringify(first)).not.toContain(world().source.host.split(':')[1]);
    expect(first.documents[0]?.spdx).toMatchObject({
      spdxVersion: 'SPDX-2.3',
      creationInfo: { created: '2026-01-01T00:00:00Z', creators: expect.arrayContaining(['Tool: syft-1.57.0']) },
    });
  });

  it('makes no document of what it could not read', async () => {
    const windows: PlatformImage = {
      platform: { os: 'windows', architecture: 'amd64' },
      layers: [[{ type: 'file', path: 'Files/a.txt', content: text('a') }]],
    };
    const bare = alpineImage(ARM64, [], 'no packages');
    const image = await pushed(imageLayout([windows, bare]), [windows.platform, ARM64]);
    expect((await make(image)).documents).toEqual([]);
    const chart = artifactLayout(
      'application/vnd.cncf.helm.config.v1+json',
      'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
      text('chart'),
      'chart.tgz',
    );
    const artifact = await pushed(chart, [{ os: 'unknown', architecture: 'unknown' }]);
    expect((await make(artifact)).documents).toEqual([]);
  });

  it('lets no file in the working directory hide a package', async () => {
    const context = await contextOf(plugin, await pluginWorld());
    await writeFile(join(context.files.work, '.syft.yaml'), 'exclude: ["**/lib/apk/**"]\n');
    const { documents } = must(await (await hostOf(plugin)).call('sbom.make@1', await both(), context));
    expect(documents).toHaveLength(2);
  });

  it('fails when a child is not there', async () => {
    const { subject } = await both();
    const missing = `sha256:${'0'.repeat(64)}` as Child['digest'];
    const context = await contextOf(plugin, await pluginWorld());
    const input = { subject, children: [{ digest: missing, platform: AMD64 }] };
    expect(await (await hostOf(plugin)).call('sbom.make@1', input, context)).toMatchObject({
      ok: false,
      failure: { reason: 'registry', status: 404 },
    });
  });
});

function make(input: ScanInput): Promise<Documents> {
  return makeBy(plugin, input);
}

async function makeBy(by: typeof plugin, input: ScanInput, options = {}): Promise<Documents> {
  const context = await contextOf(by, await pluginWorld());
  return must(await (await hostOf(by, options)).call('sbom.make@1', input, context));
}

/** Pushes to a path of its own; the children are in the order of `platforms`. */
async function pushed(layout: Layout, platforms: readonly Platform[]): Promise<ScanInput> {
  const path = freshPath('syft');
  const digest = await push(layout, `${world().source.host}/${path}:1`);
  const root = JSON.parse(Buffer.from(layout.blobs.get(digest) ?? []).toString('utf8')) as {
    manifests?: { digest: string }[];
  };
  const digests = root.manifests?.map((child) => child.digest) ?? [digest];
  const children = platforms.map((platform, index): Child => ({ digest: digests[index] as Child['digest'], platform }));
  return { subject: pinned(world().source.host, path, digest), children };
}
