/**
 * What is known of where things are, for one run: which repository of a host has a blob or a manifest. Pure memory, bounded,
 * and only ever a hint: what is forgotten costs a request, what is wrong is found out when the registry refuses a manifest.
 */
import type { Digest, Repository } from '../reference.ts';

/** Pairs of repository and digest: some 10,000 images of ten blobs. */
const PAIRS = 100_000;
/** Repositories remembered for one digest: one is enough to mount from. */
const PLACES = 8;

export interface Presence {
  has(repository: Repository, digest: Digest): boolean;
  /** Other repositories of the same host that have it. */
  elsewhere(repository: Repository, digest: Digest): readonly Repository[];
  /** `size` in bytes, where the blob itself was measured: what manifests say of it proves nothing. */
  add(repository: Repository, digest: Digest, size?: number): void;
  /** The size of a blob that this run has sent to the host, and measured. */
  sizeOf(repository: Pick<Repository, 'registry'>, digest: Digest): number | undefined;
  remove(repository: Repository, digest: Digest): void;
}

export function createPresence(limit = PAIRS): Presence {
  /** Host and digest → paths, the most recently used digests last. */
  const places = new Map<string, { readonly paths: Set<string>; readonly size: number | undefined }>();
  let pairs = 0;

  function drop(key: string): void {
    pairs -= places.get(key)?.paths.size ?? 0;
    places.delete(key);
  }

  return {
    has: (repository, digest) => places.get(keyOf(repository, digest))?.paths.has(repository.path) === true,
    elsewhere: ({ registry, path: own }, digest) =>
      [...(places.get(keyOf({ registry }, digest))?.paths ?? [])]
        .filter((path) => path !== own)
        .map((path) => ({ registry, path })),
    sizeOf: (repository, digest) => places.get(keyOf(repository, digest))?.size,
    add(repository, digest, size) {
      const key = keyOf(repository, digest);
      const known = places.get(key);
      const paths = known?.paths ?? new Set();
      places.delete(key);
      places.set(key, { paths, size: size ?? known?.size });
      if (paths.has(repository.path)) return;
      const [first] = paths;
      if (first !== undefined && paths.size >= PLACES) {
        paths.delete(first);
        pairs -= 1;
      }
      paths.add(repository.path);
      pairs += 1;
      const [oldest] = places.keys();
      if (pairs > limit && oldest !== undefined) drop(oldest);
    },
    remove(repository, digest) {
      const key = keyOf(repository, digest);
      const paths = places.get(key)?.paths;
      if (paths?.delete(repository.path) !== true) return;
      pairs -= 1;
      if (paths.size === 0) places.delete(key);
    },
  };
}

function keyOf({ registry }: Pick<Repository, 'registry'>, digest: Digest): string {
  return `${registry} ${digest}`;
}
