/** What upstream attaches to an image that was copied already, at a source that keeps it under tags. */
import { seedImage, startScriptedRegistry, type ScriptedRegistry } from '@slipway/core/testing';
import { expect, test } from 'vitest';
import { command, folderWith } from '../testing.ts';

const SETTINGS = "trust: [{ match: '*', level: copy }]\nlimits: { rampUp: false }\n";

test.each([
  ['is found by the list of tags', false],
  ['is found though the list hides such tags, where something was there before', true],
])('a signature %s', async (_, hidden) => {
  await using source = await startScriptedRegistry();
  await using destination = await startScriptedRegistry();
  const { digest } = seedImage(source, 'a', 'one', { tag: '1' });
  const signature = `${digest.replace(':', '-')}.sig`;
  if (hidden) {
    sign(source, signature, 'first');
    const headers = { 'content-type': 'application/json' };
    source.onRequest = ({ path }) =>
      path.endsWith('/tags/list')
        ? { kind: 'answer', status: 200, headers, body: JSON.stringify({ name: 'a', tags: ['1'] }) }
        : undefined;
  }
  const cwd = folderWith({
    'config.yaml': `sync:\n  - { source: '${source.host}/a:1', destination: '${destination.host}/a:1', referrers: true }\n`,
    'slipway.config.yaml': SETTINGS,
  });
  const sync = async () => {
    const { code, stderr } = await command({ cwd }, 'sync');
    expect(code, stderr).toBe(0);
  };
  await sync();
  await sync();
  const { layer } = sign(source, signature, 'second');
  const asked = source.log.length;
  await sync();
  expect(new TextDecoder().decode(destination.manifest('a', signature)?.bytes)).toContain(layer);
  // For the look and for the copy.
  expect(source.log.slice(asked).filter(({ path }) => path.endsWith('/tags/list'))).toHaveLength(1);
  const before = destination.log.length;
  await sync();
  expect(destination.log.slice(before).map(({ method }) => method)).toEqual(['HEAD']);
});

test('what a publisher keeps in a registry for it is copied from there, and looked for there later', async () => {
  await using source = await startScriptedRegistry({ referrersApi: true });
  await using publisher = await startScriptedRegistry({ referrersApi: true });
  await using destination = await startScriptedRegistry({ referrersApi: true });
  const { digest } = seedImage(source, 'a', 'one', { tag: '1' });
  const subject = { digest, size: source.manifest('a', '1')?.bytes.length ?? 0 };
  const beside = attach(source, 'a', subject, 'beside the image');
  const first = attach(publisher, 'kept/a', subject, 'first');
  const cwd = folderWith({
    'config.yaml': `sync:
  - source: ${source.host}/a:1
    destination: ${destination.host}/b:1
    referrers: { from: ${publisher.host}/kept/a }
`,
    'slipway.config.yaml': SETTINGS,
  });
  const sync = async () => {
    const { code, stderr } = await command({ cwd }, 'sync');
    expect(code, stderr).toBe(0);
    return destination.stored('b').manifests.map((manifest) => manifest.digest);
  };
  const copied = await sync();
  expect(copied).toContain(first);
  expect(copied).not.toContain(beside);
  const before = [source.log.length, publisher.log.length];
  await sync();
  expect(source.log.slice(before[0]).map(({ method }) => method)).toEqual(['HEAD']);
  expect(publisher.log.slice(before[1]).map(({ path }) => path)).toEqual([`/v2/kept/a/referrers/${digest}`]);
  const second = attach(publisher, 'kept/a', subject, 'second');
  expect(await sync()).toContain(second);
  expect((await command({ cwd }, 'doctor')).stdout).toMatch(
    new RegExp(`source registry ${publisher.host}: answers$`, 'm'),
  );
});

/** An artifact that refers to an image. */
function attach(
  registry: ScriptedRegistry,
  repository: string,
  subject: { readonly digest: string; readonly size: number },
  text: string,
): string {
  const config = registry.putBlob(repository, '{}');
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  return registry.putManifest(repository, {
    ...{ schemaVersion: 2, mediaType, artifactType: 'application/spdx+json' },
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: config, size: 2 },
    layers: [{ mediaType: 'text/plain', digest: registry.putBlob(repository, text), size: text.length }],
    subject: { mediaType, ...subject },
  }).digest;
}

/** Under the tag, a signature's manifest. */
function sign(registry: ScriptedRegistry, tag: string, text: string): { readonly layer: string } {
  const layer = registry.putBlob('a', text);
  const config = registry.putBlob('a', '{}');
  const type = 'application/vnd.oci.image.config.v1+json';
  registry.putManifest(
    'a',
    {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: type, digest: config, size: 2 },
      layers: [{ mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json', digest: layer, size: text.length }],
    },
    tag,
  );
  return { layer };
}
