/** `slipway.lock.yaml`: what the tags of the config's sources name, and which tags its selections choose. */
import type { Digest, Tag } from '../reference.ts';

/** Beside the config. */
export const lockName = 'slipway.lock.yaml';

/** What a tag names. */
export interface LockedImage {
  readonly digest: Digest;
  /** As `linux/amd64`, sorted; empty when it is no image. Of the whole source, whatever the config takes of it. */
  readonly platforms: readonly string[];
  /** Who signed it, where the config asks that (`verify:`). */
  readonly verified?: string;
}

export interface LockedSource extends LockedImage {
  /** Stands for what the config says of the entry: if that changes, what is locked no longer counts. See `lock/key.ts`. */
  readonly key: string;
  /** With its tag, for whoever reads it. */
  readonly source: string;
}

export interface LockedSelection {
  readonly key: string;
  readonly source: string;
  readonly tags: ReadonlyMap<Tag, LockedImage>;
}

export interface Lock {
  /** By the entry's id. */
  readonly sources: ReadonlyMap<string, LockedSource>;
  /** By the selection's id. */
  readonly selections: ReadonlyMap<string, LockedSelection>;
}

export const emptyLock: Lock = { sources: new Map(), selections: new Map() };
