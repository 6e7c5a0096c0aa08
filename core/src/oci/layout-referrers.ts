/**
 * What refers to an image in a layout. There is no API to ask: `index.json` lists referrers among the images, as ORAS writes them, or an
 * index under the tag scheme does, as regctl writes it.
 */
import { ok, type Result } from '../failure.ts';
import type { Digest } from '../reference.ts';
import type { Content } from '../registry/model.ts';
import { fallbackTag } from '../registry/referrers.ts';
import { named } from './index-edit.ts';
import type { IndexFile } from './layout.ts';
import type { Descriptor, ManifestContent } from './model.ts';
import { isManifestType } from './parse.ts';

/** `null`: it refers to nothing. */
type Refers = { readonly subject: Digest; readonly listedAs: Descriptor } | null;

/** Each manifest that `index.json` lists is read once: its digest names it, so that what it refers to never changes. */
export function referrersReader() {
  const known = new Map<Digest, Refers>();

  async function refersTo(content: Content, digest: Digest): Promise<Result<Refers>> {
    const before = known.get(digest);
    if (before !== undefined) return ok(before);
    const manifest = await content.manifest(digest);
    if (!manifest.ok) return manifest;
    // One that is listed but not there yet may still come.
    if (manifest.value === undefined) return ok(null);
    const found = referrerOf(manifest.value);
    known.set(digest, found);
    return ok(found);
  }

  return async (subject: Digest, index: IndexFile, content: Content): Promise<Result<readonly Descriptor[]>> => {
    const found = new Map<Digest, Descriptor>();
    for (const { digest, mediaType } of index.value.manifests) {
      if (!isManifestType(mediaType)) continue;
      const refers = await refersTo(content, digest);
      if (!refers.ok) return refers;
      if (refers.value?.subject === subject) found.set(digest, refers.value.listedAs);
    }
    const tagged = named(index, fallbackTag(subject));
    const fallback = tagged === undefined ? ok(undefined) : await content.manifest(tagged.digest);
    if (!fallback.ok) return fallback;
    for (const entry of fallback.value?.kind === 'index' ? fallback.value.value.manifests : []) {
      if (!found.has(entry.digest)) found.set(entry.digest, entry);
    }
    return ok([...found.values()]);
  };
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers says how one is listed. */
export function referrerOf({ kind, descriptor, value }: ManifestContent): Refers {
  if (value.subject === undefined) return null;
  const config = kind === 'manifest' ? value.config.mediaType : undefined;
  const artifactType = value.artifactType ?? config;
  const { mediaType, digest, size } = descriptor;
  return {
    subject: value.subject.digest,
    listedAs: {
      mediaType,
      digest,
      size,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(value.annotations === undefined ? {} : { annotations: value.annotations }),
    },
  };
}
