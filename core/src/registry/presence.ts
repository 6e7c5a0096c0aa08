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
  add(repository: Repository, digest: Digest): void;
  remove(repository: Repository, digest: Digest): void;
}

export function createPresence(limit = PAIRS): Presence {
  /** Host and digest → paths, the most recently used digests last. */
  const places = new Map<string, Set<string>>();
  let pairs = 0;

  function drop(key: string): void {
    pairs -= places.get(key)?.size ?? 0;
    places.delete(key);
  }

  return {
    has: (repository, digest) => places.get(keyOf(repository, digest))?.has(repository.path) === true,
    elsewhere: ({ registry, path: own }, digest) =>
      [...(places.get(keyOf({ registry }, digest)) ?? [])]
        .filter((path) => path !== own)
        .map((path) => ({ registry, path })),
    add(repository, digest) {
      const key = keyOf(repository, digest);
      const paths = places.get(key) ?? new Set();
      places.delete(key);
      places.set(key, paths);
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
      const paths = places.get(key);
      if (paths?.delete(repository.path) !== true) return;
      pairs -= 1;
      if (paths.size === 0) places.delete(key);
    },
  };
}

function keyOf({ registry }: Pick<Repository, 'registry'>, digest: Digest): string {
  return `${registry} ${digest}`;
}
