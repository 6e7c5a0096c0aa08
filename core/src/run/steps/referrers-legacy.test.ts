import { describe, expect, onTestFinished, test } from 'vitest';
import { mediaType, type Descriptor } from '../../oci/model.ts';
import { pin, type Tag } from '../../reference.ts';
import { client, failureOf, lines, must, repository } from '../../registry/test-client.ts';
import { seedImage } from '../../testing/sample-images.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../../testing/scripted-registry.ts';
import { legacyAnnotation, legacyTag, legacyType } from '../../trust/legacy.ts';
import type { StepContext } from '../engine.ts';
import { carryLegacyTags } from './referrers-legacy.ts';

const layer = (server: ScriptedRegistry, path: string, text: string, signature: string): Descriptor => ({
  mediaType: legacyType.sig,
  digest: server.putBlob(path, text),
  size: text.length,
  annotations: { [legacyAnnotation.signature]: signature },
});

/** Both ends have the image, and a signature tag of these layers. */
async function both(upstream: (server: ScriptedRegistry) => readonly Descriptor[]) {
  const source = await startScriptedRegistry();
  const destination = await startScriptedRegistry();
  const registry = client();
  onTestFinished(() => Promise.all([registry.close(), source.close(), destination.close()]).then(() => {}));
  const { digest } = seedImage(source, 'a', 'x', { tag: '1' });
  const tag: Tag = legacyTag(digest, 'sig');
  const sign = (server: ScriptedRegistry, path: string, layers: readonly Descriptor[]) =>
    server.putManifest(
      path,
      {
        schemaVersion: 2,
        mediaType: mediaType.ociManifest,
        config: { mediaType: mediaType.ociConfig, digest: server.putBlob(path, '{}'), size: 2 },
        layers,
      },
      tag,
    );
  sign(source, 'a', upstream(source));
  sign(destination, 'b', [layer(destination, 'b', 'payload of ours', 'ours')]);
  const ends = {
    source: pin(repository(source.host, 'a'), digest),
    subject: pin(repository(destination.host, 'b'), digest),
  };
  const step = { engine: { registry }, signal: new AbortController().signal, log: () => {} } as unknown as StepContext;
  const result = await carryLegacyTags(step, { types: [legacyType.sig] }, ends);
  const there = must(
    await registry.manifest({ kind: 'tagged', ...repository(destination.host, 'b'), tag }, 'destination'),
  );
  return { result, source, layers: there?.kind === 'manifest' ? there.value.layers : [] };
}

describe("upstream's signatures beside ours", () => {
  test('are added, and a payload that many have signed is read once', async () => {
    const { result, source, layers } = await both((server) =>
      ['ann', 'bob', 'cy'].map((name) => layer(server, 'a', 'one payload', name)),
    );
    expect(must(result)).toBe(1);
    expect(layers.map(({ annotations }) => annotations?.[legacyAnnotation.signature])).toEqual([
      'ours',
      'ann',
      'bob',
      'cy',
    ]);
    expect(lines(source).filter((line) => line.startsWith('GET') && line.includes('/blobs/'))).toHaveLength(1);
  });

  test.each([
    ['of more bytes than signatures have', ['x'.repeat(3_000_000), 'y'.repeat(3_000_000)]],
    ['of more layers than anybody signs', Array.from({ length: 501 }, () => 'payload')],
  ])('%s are refused unread', async (_, payloads) => {
    const { result, source, layers } = await both((server) =>
      payloads.map((text, at) => layer(server, 'a', text, `by ${at}`)),
    );
    expect(failureOf(result)).toMatchObject({
      class: 'permanent',
      side: 'source',
      message: expect.stringContaining('more than can be added'),
    });
    expect(layers).toHaveLength(1);
    expect(lines(source).some((line) => line.includes('/blobs/'))).toBe(false);
  });
});
