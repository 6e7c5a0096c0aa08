import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from './digest.ts';
import { joinIndex, type PlatformImage } from './join-index.ts';
import { mediaType, type Platform } from './model.ts';
import { parseManifest } from './parse.ts';

const platform: fc.Arbitrary<Platform> = fc.record(
  {
    os: fc.constantFrom('linux', 'windows'),
    architecture: fc.constantFrom('amd64', 'arm64', 'arm'),
    variant: fc.constantFrom('v6', 'v7'),
    'os.version': fc.constantFrom('10.0.17763.1', '10.0.20348.2'),
  },
  { requiredKeys: ['os', 'architecture'] },
);

/** Images of different platforms, whose descriptors have what a builder puts on them. */
const images: fc.Arbitrary<readonly PlatformImage[]> = fc
  .uniqueArray(platform, {
    minLength: 1,
    selector: ({ os, architecture, variant, 'os.version': version }) => [os, architecture, variant, version].join(),
  })
  .map((platforms) =>
    platforms.map((each, index) => ({
      platform: each,
      manifest: {
        mediaType: mediaType.ociManifest,
        digest: sha256(String(index)),
        size: index,
        annotations: { 'org.opencontainers.image.created': new Date().toISOString() },
      },
    })),
  );

const shuffled = images.chain((all) =>
  fc.tuple(fc.constant(all), fc.shuffledSubarray([...all], { minLength: all.length })),
);

describe('joinIndex', () => {
  it('gives the same bytes in any order', () => {
    fc.assert(
      fc.property(shuffled, ([all, others]) => {
        expect(Buffer.from(joinIndex(others).bytes).toString()).toBe(Buffer.from(joinIndex(all).bytes).toString());
      }),
    );
  });

  it('holds every image unaltered with its platform, and nothing of the build', () => {
    fc.assert(
      fc.property(images, (all) => {
        const { bytes, descriptor, value } = joinIndex(all);
        expect(parseManifest(bytes, sha256(bytes), mediaType.ociIndex)).toEqual({
          ok: true,
          value: { kind: 'index', bytes, descriptor, value },
        });
        const wanted = all.map(({ platform: of, manifest }) => ({ ...manifest, annotations: undefined, platform: of }));
        expect(new Set(value.manifests)).toEqual(new Set(wanted));
      }),
    );
  });

  it('keeps its digest from one version to the next', () => {
    const digest = sha256('image');
    const manifest = { mediaType: mediaType.ociManifest, digest, size: 5 };
    const { bytes } = joinIndex([
      { platform: { os: 'linux', architecture: 'arm', variant: 'v7' }, manifest },
      { platform: { os: 'linux', architecture: 'amd64' }, manifest },
    ]);
    const child = `"mediaType":"${mediaType.ociManifest}","digest":"${digest}","size":5`;
    expect(Buffer.from(bytes).toString()).toBe(
      `{"schemaVersion":2,"mediaType":"${mediaType.ociIndex}","manifests":[` +
        `{${child},"platform":{"architecture":"amd64","os":"linux"}},` +
        `{${child},"platform":{"architecture":"arm","os":"linux","variant":"v7"}}]}`,
    );
  });
});
