import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { copy } from '../registry/copy.ts';
import { client, failureOf, must, repository } from '../registry/test-client.ts';
import { startScriptedRegistry } from '../testing/scripted-registry.ts';
import { checkPlatforms, joinLayouts, platformLayout } from './join-layouts.ts';
import { openLayout, type Layout } from './layout.ts';
import type { Platform } from './model.ts';
import { writeImageLayout } from './write-layout.ts';

const AMD64: Platform = { os: 'linux', architecture: 'amd64' };
const ARM64: Platform = { os: 'linux', architecture: 'arm64' };

const ARM: Platform = { os: 'linux', architecture: 'arm' };

/** A layout whose index has one image a platform, each with a layer of its own and one that all have. */
async function layoutOf(first: Platform, ...others: readonly Platform[]): Promise<Layout> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-join-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const image = (platform: Platform) => ({
    platform,
    layers: ['everywhere', platform.architecture].map((path) => [
      { type: 'file', path, content: Buffer.from(path) } as const,
    ]),
  });
  must(await writeImageLayout(folder, [image(first), ...others.map(image)]));
  return must(await openLayout(folder));
}

describe('joined layouts', () => {
  it('can be pushed as one index, whose images are those of the layouts', async () => {
    const amd64 = must(await platformLayout(await layoutOf(AMD64), AMD64));
    const arm64 = must(await platformLayout(await layoutOf(ARM64), ARM64));
    const joined = joinLayouts([arm64, amd64]);
    await using server = await startScriptedRegistry();
    await using registry = client();
    must(await copy(joined.content, registry.content(repository(server.host, 'a'), 'destination'), joined.root.digest));
    const index = JSON.parse(Buffer.from(server.manifest('a', joined.root.digest)?.bytes ?? []).toString());
    expect(
      index.manifests.map(({ digest, platform }: { digest: string; platform: Platform }) => [digest, platform]),
    ).toEqual([
      [amd64.manifest.descriptor.digest, AMD64],
      [arm64.manifest.descriptor.digest, ARM64],
    ]);
    for (const { manifest } of [amd64, arm64]) {
      const pushed = server.manifest('a', manifest.descriptor.digest)?.bytes ?? [];
      expect(Buffer.from(pushed).equals(manifest.bytes)).toBe(true);
    }
  });

  it('take one image each, of the platform that was asked for', async () => {
    expect(failureOf(await platformLayout(await layoutOf(AMD64, ARM64), AMD64)).message).toBe(
      'the image layout holds an index of 2, not one image',
    );
    expect(failureOf(await platformLayout(await layoutOf(AMD64), ARM64))).toMatchObject({
      reason: 'tool',
      class: 'permanent',
      message: 'the image says that it is for linux/amd64',
    });
  });

  it.each<[string, readonly [Platform, ...Platform[]], readonly Platform[], string | undefined]>([
    ['one', [AMD64], [AMD64], undefined],
    ['both', [ARM64, AMD64], [AMD64, ARM64], undefined],
    ['a variant that it does not name', [{ os: 'linux', architecture: 'arm' }], [{ ...ARM, variant: 'v7' }], undefined],
    ['another', [AMD64], [ARM64], 'it was asked for linux/arm64, and made an image for linux/amd64'],
    [
      'too few',
      [AMD64],
      [AMD64, ARM64],
      'it was asked for linux/amd64, linux/arm64, and made an image for linux/amd64',
    ],
    [
      'too many',
      [AMD64, ARM64],
      [AMD64],
      'it was asked for linux/amd64, and made an image for linux/amd64, linux/arm64',
    ],
  ])('are of the platforms that were asked for: %s', async (_, made, asked, message) => {
    const checked = await checkPlatforms(await layoutOf(...made), asked);
    expect(checked.ok ? undefined : checked.failure.message).toBe(message);
  });
});
