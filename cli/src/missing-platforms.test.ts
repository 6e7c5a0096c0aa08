/** `missingPlatforms: skip`, looked at from outside: what is copied of images that lack a platform, and that without it they fail. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seedImage, startScriptedRegistry, type ScriptedRegistry } from '@slipway/core/testing';
import { expect, it } from 'vitest';
import { command, folderWith } from '../testing.ts';

const AMD64 = { os: 'linux', architecture: 'amd64' };
const S390X = { os: 'linux', architecture: 's390x' };

interface Answer {
  readonly entries: readonly { readonly id: string; readonly digest: string | null; readonly outcome: string }[];
}

it('skips what an image lacks, and copies what is no index as it is', async () => {
  await using hub = await startScriptedRegistry();
  const sources = {
    two: seedImage(hub, 'two', 'two', { platforms: [AMD64, S390X] }).digest,
    one: indexOf(hub, 'one', AMD64),
    none: indexOf(hub, 'none', S390X),
    single: seedImage(hub, 'single', 'single', { platforms: [S390X] }).digest,
    chart: chart(hub),
  };
  const cwd = folderWith({ 'slipway.config.yaml': "trust: [{ match: '*', level: copy }]\n" });
  const sync = async (more: string): Promise<Readonly<Record<string, string | null>>> => {
    const entries = Object.entries(sources).map(
      ([name, digest]) =>
        `  - { source: '${hub.host}/${name}@${digest}', destination: '${hub.host}/m/${name}:1', platforms: [linux/amd64, linux/arm64]${more} }\n`,
    );
    writeFileSync(join(cwd, 'config.yaml'), `sync:\n${entries.join('')}`);
    const { entries: rows } = JSON.parse((await command({ cwd }, 'sync', '--json')).stdout) as Answer;
    return Object.fromEntries(
      Object.keys(sources).map((name, index) => {
        const { outcome, digest } = rows[index] ?? {};
        return [name, outcome === 'published' || outcome === 'unchanged' ? (digest ?? null) : (outcome ?? null)];
      }),
    );
  };
  const skipped = await sync(', missingPlatforms: skip');
  expect(skipped).toEqual({ ...sources, two: expect.stringMatching(/^sha256:/), none: 'failed' });
  expect(skipped['two']).not.toBe(sources.two);
  expect(await sync(', missingPlatforms: skip')).toEqual(skipped);
  // What this machine has noted of the one way is nothing for the other.
  expect(new Set(Object.values(await sync('')))).toEqual(new Set(['failed']));
});

function indexOf(hub: ScriptedRegistry, name: string, platform: typeof AMD64): string {
  const { digest, size, mediaType } = seedImage(hub, name, name, { platforms: [platform] });
  const mediaTypeOfIndex = 'application/vnd.oci.image.index.v1+json';
  const manifests = [{ mediaType, digest, size, platform }];
  return hub.putManifest(name, { schemaVersion: 2, mediaType: mediaTypeOfIndex, manifests }).digest;
}

function chart(hub: ScriptedRegistry): string {
  const config = { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: hub.putBlob('chart', '{}'), size: 2 };
  return hub.putManifest('chart', { schemaVersion: 2, config, layers: [] }).digest;
}
