/** Manifests by their digest, which never changes what it names: the least recently used go first. */
import type { ManifestContent } from '../oci/model.ts';
import type { Digest } from '../reference.ts';

/** Bytes; what was parsed takes some times the room of its text, which is counted with it. */
const LIMIT = 32 * 1024 * 1024;
const PARSED = 4;

export interface ManifestCache {
  get(digest: Digest): ManifestContent | undefined;
  put(content: ManifestContent): void;
}

export function createManifestCache(limit = LIMIT): ManifestCache {
  const kept = new Map<Digest, ManifestContent>();
  let size = 0;
  const weigh = ({ bytes }: ManifestContent): number => bytes.byteLength * PARSED;

  return {
    get(digest) {
      const content = kept.get(digest);
      if (content === undefined) return undefined;
      kept.delete(digest);
      kept.set(digest, content);
      return content;
    },
    put(content) {
      const { digest } = content.descriptor;
      if (kept.has(digest) || weigh(content) > limit / 2) return;
      kept.set(digest, content);
      size += weigh(content);
      for (const [oldest, old] of kept) {
        if (size <= limit) return;
        kept.delete(oldest);
        size -= weigh(old);
      }
    },
  };
}
