/** What is read from the config of another tool, on its way to a config of ours. */
import type { Position } from '../failure.ts';

export const importKinds = ['skopeo', 'regsync'] as const;
export type ImportKind = (typeof importKinds)[number];

export interface ImportRequest {
  /** Of skopeo: what is the last argument of `skopeo sync`. */
  readonly destination?: string;
  /** Of skopeo: its `--scoped`, the whole name of the source below the destination. */
  readonly scoped?: boolean;
  /** Of skopeo: its `--append-suffix`. */
  readonly appendSuffix?: string;
  /** Of skopeo, whose files do not name any; every platform when empty. */
  readonly platforms?: readonly string[];
  /** Of regsync: what its `{{ env "NAME" }}` finds. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Something of the file that the result does not have, or not quite. Never a secret. */
export interface Unsupported {
  readonly at: Position;
  /** As `creds[0].pass`. */
  readonly what: string;
  /** Why, what was done instead, and where it belongs. */
  readonly why: string;
}

export interface Imported {
  /** The text of a config.yaml that loads. */
  readonly config: string;
  /** The text of settings that go with it: what the file says of registries, as far as it is no secret. */
  readonly settings: string;
  /** How many items it has. */
  readonly entries: number;
  /** In the order of the file. */
  readonly unsupported: readonly Unsupported[];
}

/** An item of `sync:`, as it will be written. */
export interface Draft {
  readonly at: Position;
  /** What it was, for messages, as `docker.io/library/redis` or `sync[2]`. */
  readonly what: string;
  readonly item: Item;
  /** Lines of a comment above it. */
  readonly comments: readonly string[];
}

export interface Item {
  readonly source: string;
  readonly destination: string;
  readonly select?: {
    readonly tags?: readonly string[];
    readonly semver?: string | readonly string[];
    readonly regex?: string;
    readonly exclude?: readonly string[];
    readonly prerelease?: true;
  };
  readonly platforms?: readonly string[];
  readonly referrers?: true | { readonly types: readonly string[] };
  readonly foreignLayers?: true;
  readonly backup?: string;
}

/** What a reader of a file gives. */
export interface Drafts {
  readonly drafts: readonly Draft[];
  readonly settings: string;
  readonly unsupported: readonly Unsupported[];
}
