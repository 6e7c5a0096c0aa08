/** What `slipway diff` finds. */
import type { Failure } from '../failure.ts';
import type { Digest } from '../reference.ts';

/**
 * `gone`: the tag is at the destination, and not at the source any more. `waits`: takes what a build will come to, which
 * nobody knows before.
 */
export type DiffKind = 'new' | 'moved' | 'same' | 'gone' | 'waits' | 'failed';

/** What a copy costs: requests without tokens, redirects and tries that have to be made again. */
export interface Cost {
  /** To all hosts. */
  readonly requests: number;
  /** Of blobs that have to be sent. */
  readonly bytes: number;
  /** Manifests read from Docker Hub. */
  readonly pulls: number;
}

/** One repository:tag. */
export interface DiffRow {
  /** Of the entry; of the selection where it is gone. */
  readonly id: string;
  readonly source: string;
  readonly destination: string;
  readonly kind: DiffKind;
  /** What the destination's tag names now. */
  readonly from?: Digest;
  /** What it will name. */
  readonly to?: Digest;
  /** Of the whole entry, in the row of its own destination; absent where it was not asked for. */
  readonly cost?: Cost;
  readonly why?: string;
  readonly failure?: Failure;
}

/** Which tags a selection takes, and at which of its tests it drops the others. */
export interface DiffSelection {
  readonly id: string;
  readonly source: string;
  /** Tags at the source. */
  readonly seen: number;
  readonly selected: number;
  /** Test → tags that it dropped, in the order of the tests. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly failure?: Failure;
}

/** What a registry still lets us read. */
export interface DiffQuota {
  readonly registry: string;
  readonly remaining: number;
  readonly limit?: number;
  /** Seconds. */
  readonly window: number;
}

export interface Diff {
  readonly rows: readonly DiffRow[];
  readonly selections: readonly DiffSelection[];
  /** Of all entries, also those in which nothing is to be done, and of listing tags. */
  readonly cost?: Cost;
  /** The requests of `cost`, by host. */
  readonly hosts: Readonly<Record<string, number>>;
  /** Docker Hub's, when something comes from there and it says so. */
  readonly quota?: DiffQuota;
}
