import { describe, expect, it } from 'vitest';
import { sha256 } from '../../oci/digest.ts';
import { mediaType, type Descriptor } from '../../oci/model.ts';
import { parseManifest } from '../../oci/parse.ts';
import type { Digest } from '../../reference.ts';
import { legacyAnnotation, legacyType } from '../../trust/legacy.ts';
import { mergeLayers } from './legacy.ts';

function layer(content: string, signature = ''): Descriptor {
  const annotations = { [legacyAnnotation.signature]: signature };
  return { mediaType: legacyType.att, digest: sha256(content), size: content.length, annotations };
}

/** What `mergeLayers` gave, which must be something. */
function merged(...args: Parameters<typeof mergeLayers>) {
  const result = mergeLayers(...args);
  if (result === undefined || result === 'foreign') throw new Error(String(result));
  const { manifest } = result;
  if (manifest.kind === 'index') throw new Error('it became an index');
  return manifest;
}

const NONE: ReadonlySet<Digest> = new Set();

describe('mergeLayers', () => {
  it('makes a manifest whose config lists the layers', () => {
    const result = mergeLayers(undefined, [layer('a'), layer('b')], NONE);
    if (result === undefined || result === 'foreign') throw new Error('nothing was made');
    expect(result.manifest.value).toMatchObject({
      config: { mediaType: mediaType.ociConfig },
      layers: [layer('a'), layer('b')],
    });
    const config = JSON.parse(Buffer.from(result.config.bytes).toString()) as unknown;
    expect(config).toMatchObject({ rootfs: { diff_ids: [sha256('a'), sha256('b')] } });
  });

  it('changes nothing when all is there', () => {
    const present = merged(undefined, [layer('a'), layer('b')], NONE);
    expect(mergeLayers(present, [layer('b')], NONE)).toBeUndefined();
  });

  it('keeps what others wrote as it was read, with fields that Slipway does not know', () => {
    const foreign = { ...layer('x', 'by another'), data: 'eA==' };
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaType.ociManifest,
        config: layer('c'),
        layers: [foreign],
        annotations: { a: 'b' },
      }),
    );
    const present = parseManifest(bytes, sha256(bytes), mediaType.ociManifest);
    if (!present.ok) throw new Error(present.problem);
    const json = JSON.parse(Buffer.from(merged(present.value, [layer('a')], NONE).bytes).toString()) as Record<
      string,
      unknown
    >;
    expect(json).toMatchObject({ annotations: { a: 'b' }, layers: [foreign, layer('a')] });
  });

  it('takes one payload with two signatures for two layers', () => {
    const present = merged(undefined, [layer('a', 'mine')], NONE);
    expect(merged(present, [layer('a', 'yours')], NONE).value.layers).toHaveLength(2);
  });

  it('drops what is replaced, but never what is wanted', () => {
    const present = merged(undefined, [layer('old'), layer('same')], NONE);
    const drop = new Set([sha256('old'), sha256('same')]);
    expect(merged(present, [layer('same'), layer('new')], drop).value.layers).toEqual([layer('same'), layer('new')]);
  });

  it('leaves a tag alone that names an index', () => {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaType.ociIndex, manifests: [] }));
    const present = parseManifest(bytes, sha256(bytes), mediaType.ociIndex);
    if (!present.ok) throw new Error(present.problem);
    expect(mergeLayers(present.value, [layer('a')], NONE)).toBe('foreign');
  });
});
