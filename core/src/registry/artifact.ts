/**
 * Attached artifacts as bytes, and the index that lists them where a registry does not do so itself. Pure; the same for registries and
 * layouts. https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage
 */
import { sha256 } from '../oci/digest.ts';
import { mediaType, type Descriptor, type ManifestContent } from '../oci/model.ts';
import { parseJson } from '../oci/parse.ts';
import type { Digest } from '../reference.ts';
import type { Attachment } from './model.ts';
import { property } from './refusal.ts';

export const EMPTY = new TextEncoder().encode('{}');
export const EMPTY_CONFIG: Descriptor = { mediaType: mediaType.empty, digest: sha256(EMPTY), size: EMPTY.byteLength };

type NewIndex = Pick<ManifestContent, 'bytes' | 'descriptor'>;

/**
 * The index with our entries and without those to drop. Undefined: it is like that already; `foreign`: what is there is no index. Entries
 * of others are kept as they were read, with fields that Slipway does not know.
 */
export function merge(
  present: ManifestContent | undefined,
  ours: readonly Descriptor[],
  drop: ReadonlySet<Digest>,
): NewIndex | 'foreign' | undefined {
  if (present?.kind === 'manifest') return 'foreign';
  const json = present === undefined ? undefined : parseJson(present.bytes);
  const listed =
    json?.ok === true && Array.isArray(json.value['manifests']) ? (json.value['manifests'] as readonly unknown[]) : [];
  const digestOf = (entry: unknown) => property(entry, 'digest');
  const added = new Set<unknown>(ours.map(({ digest }) => digest));
  const kept = listed.filter(
    (entry) => added.has(digestOf(entry)) || !(drop as ReadonlySet<unknown>).has(digestOf(entry)),
  );
  const there = new Set(kept.map(digestOf));
  const missing = ours.filter(({ digest }) => !there.has(digest));
  if (missing.length === 0 && kept.length === listed.length) return undefined;
  const index = {
    ...(json?.ok === true ? json.value : {}),
    schemaVersion: 2,
    mediaType: mediaType.ociIndex,
    manifests: [...kept, ...missing],
  };
  const bytes = encode(index);
  return { bytes, descriptor: { mediaType: mediaType.ociIndex, digest: sha256(bytes), size: bytes.byteLength } };
}

export function layerOf({ artifactType, bytes }: Attachment): {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
} {
  return { bytes, descriptor: { mediaType: artifactType, digest: sha256(bytes), size: bytes.byteLength } };
}

/** Nothing in it depends on time or order of writing: attaching the same twice gives the same digest. */
export function artifactOf(subject: Descriptor, attachment: Attachment) {
  const { artifactType } = attachment;
  const annotations = Object.fromEntries(Object.entries(attachment.annotations).sort(([a], [b]) => (a < b ? -1 : 1)));
  const bytes = encode({
    schemaVersion: 2,
    mediaType: mediaType.ociManifest,
    artifactType,
    config: EMPTY_CONFIG,
    layers: [layerOf(attachment).descriptor],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    annotations,
  });
  const descriptor: Descriptor = { mediaType: mediaType.ociManifest, digest: sha256(bytes), size: bytes.byteLength };
  return { content: { bytes, descriptor }, listedAs: { ...descriptor, artifactType, annotations } };
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
