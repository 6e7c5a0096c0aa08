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

/** What is to be said of a part of the file. Never a secret. */
export interface Remark {
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
  /** What the result does not have, or not quite. In the order of the file, as the notes are. */
  readonly unsupported: readonly Remark[];
  /** What the result says in another way, and what it need not say. */
  readonly notes: readonly Remark[];
}

/** What a file asks for; several may be about the same images. */
export interface Wish {
  readonly at: Position;
  /** What it was, for messages, as `docker.io/library/redis` or `sync[2]`. */
  readonly what: string;
  readonly item: Image;
  /** Of a repository, where every tag in any of these is meant; absent: `item` names one image. */
  readonly sets?: readonly [Select, ...Select[]];
  /** Lines of a comment above it. */
  readonly comments: readonly string[];
}

/** An item of `sync:`, as it will be written. */
export interface Draft extends Omit<Wish, 'sets'> {
  readonly item: Item;
}

export interface Select {
  readonly tags?: readonly string[];
  readonly semver?: string | readonly string[];
  readonly regex?: string;
  readonly exclude?: readonly string[];
  readonly prerelease?: true;
}

interface Ends {
  readonly source: string;
  readonly destination: string;
}

export interface SyncOptions {
  readonly platforms?: readonly string[];
  readonly missingPlatforms?: 'skip';
  readonly referrers?: true | { readonly types?: readonly string[]; readonly from?: string };
  readonly foreignLayers?: true;
  readonly always?: true;
  readonly backup?: string;
}

export type Image = Ends & SyncOptions;
export type Item = Ends & { readonly select?: Select } & SyncOptions;

/** What the reader of a tool's file gives. The other properties are as in {@link Imported}. */
export interface Wishes {
  readonly wishes: readonly Wish[];
  readonly settings: string;
  readonly unsupported: readonly Remark[];
  readonly notes: readonly Remark[];
}
