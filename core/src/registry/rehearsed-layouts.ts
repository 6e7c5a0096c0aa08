/** Layouts and archives into which nothing is written: what would be is kept in memory, and found again. */
import { ok, type Result } from '../failure.ts';
import type { ManifestContent } from '../oci/model.ts';
import { formatReference, formatRepository, pin, type Digest, type Repository } from '../reference.ts';
import type { Registry, WritableContent } from './model.ts';
import { readWhole } from './whole.ts';

type Open = () => Promise<Result<AsyncIterable<Uint8Array>>>;

/** `sent` hears the size of each blob that would be written. */
export function rehearseLayouts(layouts: Registry, sent: (size: number) => void): Registry {
  /** By the text of a reference. */
  const manifests = new Map<string, ManifestContent>();
  /** By place and digest. */
  const blobs = new Map<string, Open>();
  const blobName = (repository: Repository, digest: Digest): string => `${formatRepository(repository)}@${digest}`;

  const manifest: Registry['manifest'] = async (reference, side) => {
    const kept = manifests.get(
      formatReference(reference.kind === 'pinned' ? pin(reference, reference.digest) : reference),
    );
    return kept === undefined ? layouts.manifest(reference, side) : ok(kept);
  };

  const content: Registry['content'] = (repository, side) => {
    const real = layouts.content(repository, side);
    const read = (digest: Digest) => manifest(pin(repository, digest), side);
    return {
      manifest: read,
      async hasManifest(digest) {
        const kept = manifests.has(formatReference(pin(repository, digest)));
        return kept ? ok(true) : real.hasManifest(digest);
      },
      blob: (descriptor) => blobs.get(blobName(repository, descriptor.digest))?.() ?? real.blob(descriptor),
      async hasBlob(descriptor) {
        return blobs.has(blobName(repository, descriptor.digest)) ? ok(true) : real.hasBlob(descriptor);
      },
      mountBlob: async () => ok(false),
      async putBlob(descriptor, open) {
        const name = blobName(repository, descriptor.digest);
        if (!blobs.has(name)) sent(descriptor.size);
        blobs.set(name, open);
        return ok(undefined);
      },
      async putManifest(made) {
        manifests.set(formatReference(pin(repository, made.descriptor.digest)), made);
        return ok(undefined);
      },
    } satisfies WritableContent;
  };

  return {
    ...layouts,
    content,
    manifest,
    async head(reference, side) {
      const found = await manifest(reference, side);
      return found.ok ? ok(found.value?.descriptor) : found;
    },
    async readBlob(repository, descriptor, side, limit) {
      const open = blobs.get(blobName(repository, descriptor.digest));
      if (open === undefined) return layouts.readBlob(repository, descriptor, side, limit);
      const opened = await open();
      return opened.ok ? readWhole(opened.value) : opened;
    },
    async tag(subject, tag) {
      const found = await manifest(subject, 'destination');
      if (found.ok && found.value !== undefined) {
        manifests.set(
          formatReference({ kind: 'tagged', registry: subject.registry, path: subject.path, tag }),
          found.value,
        );
      }
      return found.ok ? ok(undefined) : found;
    },
    attach: async () => ok([]),
    list: async () => ok(undefined),
    deleteTag: async () => ok(undefined),
  };
}
