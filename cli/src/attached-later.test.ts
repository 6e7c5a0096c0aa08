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
