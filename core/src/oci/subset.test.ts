import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ok } from '../failure.ts';
import { sha256 } from './digest.ts';
import { formatPlatform, mediaType, type Descriptor, type ManifestContent, type Platform } from './model.ts';
import { parseManifest } from './parse.ts';
import { subsetOf, type Found, type SubsetReader } from './subset.ts';

type Json = Readonly<Record<string, unknown>>;

const AMD64: Platform = { os: 'linux', architecture: 'amd64' };
const ARM64: Platform = { os: 'linux', architecture: 'arm64' };
const V6: Platform = { os: 'linux', architecture: 'arm', variant: 'v6' };
const V7: Platform = { os: 'linux', architecture: 'arm', variant: 'v7' };
const WINDOWS: Platform = { os: 'windows', architecture: 'amd64', 'os.version': '10.0.1' };
const UNKNOWN: Platform = { os: 'unknown', architecture: 'unknown' };

/** Manifests by digest, and the platform that an image's config has. */
interface Store {
  readonly contents: Map<string, ManifestContent>;
  readonly platforms: Map<string, Platform>;
}

function store(): Store {
  return { contents: new Map(), platforms: new Map() };
}

function add({ contents }: Store, json: Json, type: string): ManifestContent {
  // Written with spaces, as some tools do: what is kept must not depend on how Slipway would have written it.
  const bytes = Buffer.from(JSON.stringify(json, null, 3));
  const parsed = parseManifest(bytes, sha256(bytes), type);
  if (!parsed.ok) throw new Error(parsed.problem);
  contents.set(parsed.value.descriptor.digest, parsed.value);
  return parsed.value;
}

function image(to: Store, label: string, platform?: Platform): ManifestContent {
  const config = { mediaType: mediaType.ociConfig, digest: sha256(label), size: 2 };
  const made = add(
    to,
    { schemaVersion: 2, mediaType: mediaType.ociManifest, config, layers: [] },
    mediaType.ociManifest,
  );
  if (platform !== undefined) to.platforms.set(made.descriptor.digest, platform);
  return made;
}

function entry({ descriptor }: ManifestContent, platform?: Platform, more: Json = {}): Json {
  const { mediaType: type, digest, size } = descriptor;
  return { mediaType: type, digest, size, ...(platform === undefined ? {} : { platform }), ...more };
}

function index(
  to: Store,
  manifests: readonly Json[],
  more: Json = {},
  type: string = mediaType.ociIndex,
): ManifestContent {
  return add(to, { schemaVersion: 2, mediaType: type, ...more, manifests }, type);
}

function reader({ contents, platforms }: Store): SubsetReader {
  return {
    async manifest({ digest }: Descriptor) {
      const found = contents.get(digest);
      if (found === undefined) throw new Error(`nothing is stored as ${digest}`);
      return ok(found);
    },
    platform: async ({ descriptor }) => ok(platforms.get(descriptor.digest)),
  };
}

async function subset(from: Store, root: ManifestContent, ...platforms: readonly Platform[]): Promise<Found> {
  const found = await subsetOf(root, platforms, reader(from));
  if (!found.ok) throw new Error(found.failure.message);
  return found.value;
}

function must(found: Found) {
  if (!found.found) throw new Error(`lacking: ${JSON.stringify(found.lacking)}`);
  return found.subset;
}

describe('some platforms of an image', () => {
  it.each([mediaType.ociIndex, mediaType.dockerList])('keeps order, annotations and media type of %s', async (type) => {
    const from = store();
    const [amd, arm, win] = [image(from, 'amd'), image(from, 'arm'), image(from, 'win')];
    const more = { annotations: { note: 'mine', count: '1' } };
    const kept = [
      entry(arm, { ...ARM64, variant: 'v8' }, { annotations: { a: 'b' } }),
      entry(amd, AMD64, { 'x-other': [1] }),
    ];
    const root = index(from, [entry(win, WINDOWS), ...kept], more, type);
    const { digest, kept: copied, indexes } = must(await subset(from, root, AMD64, ARM64));
    expect(copied).toEqual([arm.descriptor.digest, amd.descriptor.digest]);
    expect(indexes.map(({ descriptor }) => [descriptor.digest, descriptor.mediaType])).toEqual([[digest, type]]);
    const bytes = Buffer.from(indexes[0]?.bytes ?? []);
    expect(bytes.toString()).toBe(JSON.stringify({ schemaVersion: 2, mediaType: type, ...more, manifests: kept }));
    expect(sha256(bytes)).toBe(digest);
  });

  it('is the source itself when nothing is left out', async () => {
    const from = store();
    const [amd, arm] = [image(from, 'amd'), image(from, 'arm')];
    const root = index(from, [entry(amd, AMD64), entry(arm, ARM64)]);
    const { digest } = root.descriptor;
    expect(must(await subset(from, root, ARM64, AMD64))).toEqual({ digest, kept: [digest], indexes: [] });
  });

  it('keeps the attestations of what it keeps, and no others', async () => {
    const from = store();
    const [amd, arm, aboutAmd, aboutArm, stray] = ['amd', 'arm', 'about amd', 'about arm', 'stray'].map((label) =>
      image(from, label),
    );
    if (
      amd === undefined ||
      arm === undefined ||
      aboutAmd === undefined ||
      aboutArm === undefined ||
      stray === undefined
    )
      throw new Error();
    const about = (what: ManifestContent): Json => ({
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': what.descriptor.digest,
      },
    });
    const root = index(from, [
      entry(aboutAmd, UNKNOWN, about(amd)),
      entry(amd, AMD64),
      entry(arm, ARM64),
      entry(aboutArm, UNKNOWN, about(arm)),
      entry(stray, UNKNOWN),
    ]);
    const { kept } = must(await subset(from, root, AMD64));
    expect(kept).toEqual([aboutAmd.descriptor.digest, amd.descriptor.digest]);
  });

  it('opens nested indexes and images whose entry names no platform', async () => {
    const from = store();
    const [amd, arm, v7] = [image(from, 'amd', AMD64), image(from, 'arm', ARM64), image(from, 'v7', V7)];
    const nested = index(from, [entry(arm), entry(v7)], { annotations: { nested: 'yes' } });
    const untouched = index(from, [entry(amd)]);
    const root = index(from, [entry(untouched), entry(nested, undefined, { annotations: { on: 'it' } })]);
    const { digest, kept, indexes } = must(await subset(from, root, AMD64, ARM64));
    expect(kept).toEqual([untouched.descriptor.digest, arm.descriptor.digest]);
    expect(indexes).toHaveLength(2);
    const [inner, outer] = indexes;
    expect(outer?.descriptor.digest).toBe(digest);
    expect(inner?.value.annotations).toEqual({ nested: 'yes' });
    expect(outer?.value.manifests.map((each) => each.digest)).toEqual([
      untouched.descriptor.digest,
      inner?.descriptor.digest,
    ]);
    expect(outer?.value.manifests[1]).toMatchObject({ size: inner?.bytes.byteLength, annotations: { on: 'it' } });
  });

  it('takes a single image whose platform was asked for, and no artifact', async () => {
    const from = store();
    const [single, artifact] = [image(from, 'single', AMD64), image(from, 'artifact')];
    const { digest } = single.descriptor;
    expect(must(await subset(from, single, AMD64))).toEqual({ digest, kept: [digest], indexes: [] });
    expect(await subset(from, single, ARM64)).toEqual({
      found: false,
      lacking: { absent: [ARM64], present: ['linux/amd64'] },
    });
    expect(await subset(from, artifact, ARM64)).toEqual({ found: false, lacking: { absent: [ARM64], present: [] } });
  });

  it('opens an index once that is named a thousand times, and so on', async () => {
    const from = store();
    let root = index(from, [entry(image(from, 'amd'), AMD64), entry(image(from, 'arm'), ARM64)]);
    for (let depth = 0; depth < 6; depth += 1) {
      const named = entry(root);
      root = index(
        from,
        Array.from({ length: 1000 }, () => named),
      );
    }
    const { kept, indexes } = must(await subset(from, root, AMD64));
    expect([kept.length, indexes.length]).toEqual([1, 7]);
    expect(indexes.at(-1)?.value.manifests).toHaveLength(1000);
  });

  it('says what is missing, and all that there is', async () => {
    const from = store();
    const root = index(from, [entry(image(from, 'amd'), AMD64), entry(image(from, 'win'), WINDOWS)]);
    const there = must(await subset(from, root, AMD64));
    expect(await subset(from, root, AMD64, ARM64, V7)).toEqual({
      found: false,
      lacking: { absent: [ARM64, V7], present: ['linux/amd64', 'windows/amd64'], rest: there },
    });
  });

  it('takes every variant when none is named, and that one when one is', async () => {
    const from = store();
    const [v6, v7] = [image(from, 'v6'), image(from, 'v7')];
    const root = index(from, [entry(v6, V6), entry(v7, V7), entry(image(from, 'amd'), AMD64)]);
    expect(must(await subset(from, root, { os: 'linux', architecture: 'arm' })).kept).toHaveLength(2);
    expect(must(await subset(from, root, V7)).kept).toEqual([v7.descriptor.digest]);
  });

  it('gives the same bytes each time, holds what was asked for in its order, and of itself is all', async () => {
    const all = [AMD64, ARM64, V6, V7, WINDOWS];
    const asked = fc.subarray(all, { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(all, { minLength: 1 }), asked, async (offered, wanted) => {
        const from = store();
        const root = index(
          from,
          offered.map((platform) => entry(image(from, formatPlatform(platform)), platform)),
        );
        const found = await subset(from, root, ...wanted);
        expect(await subset(from, root, ...wanted.toReversed())).toEqual(found.found ? found : expect.anything());
        expect(found.found).toBe(wanted.every((platform) => offered.includes(platform)));
        if (!found.found) return;
        const top = found.subset.indexes.at(-1) ?? root;
        if (top.kind !== 'index') throw new Error('no index');
        expect(top.value.manifests.map(({ platform }) => platform)).toEqual(
          offered.filter((each) => wanted.includes(each)),
        );
        const again = must(await subset(from, top, ...wanted));
        expect([again.digest, again.indexes]).toEqual([found.subset.digest, []]);
      }),
    );
  });
});
