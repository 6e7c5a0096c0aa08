/**
 * What the rest of Slipway may ask of a registry. One implementation speaks HTTP (`registry/client.ts`), one reads an OCI
 * image layout (`oci/layout.ts`); `copy` is written once against {@link Content}.
 */
import type { Result } from '../failure.ts';
import type { Descriptor, ManifestContent } from '../oci/model.ts';
import type { Digest, Pinned, Reference, Repository, Tag, Tagged } from '../reference.ts';
import type { Quota } from './quota.ts';
import type { Whole } from './whole.ts';

/** Something images can be read from: a repository of a registry, or a layout. Digests are checked on every read. */
export interface Content {
  /** `undefined`: not there. */
  manifest(digest: Digest): Promise<Result<ManifestContent | undefined>>;
  /**
   * The stream fails if the bytes do not match the descriptor's digest and size. `whole`: also if it takes longer than a small blob may.
   */
  blob(descriptor: Descriptor, whole?: Whole): Promise<Result<AsyncIterable<Uint8Array>>>;
  /** A layer that registries only point to, from the addresses in its descriptor; without credentials. */
  foreignBlob?(descriptor: Descriptor): Promise<Result<AsyncIterable<Uint8Array>>>;
}

/** How a blob came to be where it was wanted: it was there, another repository of the host had it, or it was sent. */
export interface Taken {
  readonly how: 'there' | 'mounted' | 'sent';
  /** False: another copy that ran at the same time brought it. */
  readonly mine: boolean;
}

export interface TakeOptions {
  /** Other parts of the image are there, so this one most likely is. */
  readonly likely: boolean;
  /** Called as soon as it is known that it has to be sent. */
  readonly onMissing?: () => void;
}

/** Something images can be written to, by digest only. Tags are moved by {@link Registry.tag}, never by a copy. */
export interface WritableContent extends Content {
  hasManifest(digest: Digest): Promise<Result<boolean>>;
  hasBlob(descriptor: Descriptor): Promise<Result<boolean>>;
  /** True when the blob is now there without sending it (mounted from another repository of the same registry). */
  mountBlob(descriptor: Descriptor, from: Content): Promise<Result<boolean>>;
  putBlob(descriptor: Descriptor, open: () => Promise<Result<AsyncIterable<Uint8Array>>>): Promise<Result<void>>;
  putManifest(content: ManifestContent): Promise<Result<void>>;
  /**
   * Brings a blob here in the cheapest way, in place of the three methods above, where somebody keeps count for a whole run of
   * what is where. `open` gives the blob as it is in `from`.
   */
  takeBlob?(
    descriptor: Descriptor,
    from: Content,
    open: () => Promise<Result<AsyncIterable<Uint8Array>>>,
    options: TakeOptions,
  ): Promise<Result<Taken>>;
  /** The registry says that what this manifest names is not there: nothing that was known of it is believed any longer. */
  forgetParts?(content: ManifestContent): void;
}

/** What `HEAD` of a manifest says. */
export interface Head {
  readonly digest: Digest;
  readonly mediaType: string;
}

/** A manifest whose `subject` is the one asked about; `artifactType` and annotations only select candidates. */
export interface Referrer {
  readonly descriptor: Descriptor;
}

export interface Attachment {
  /** The artifact's type, and its one layer's media type. */
  readonly artifactType: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

/** One side of the work, for error messages: the same registry can be source of one entry and destination of another. */
export type Side = 'source' | 'destination';

/** A full address; or a path at the registry of `repository`, asked with the right to read that repository. */
export type JsonRequest = { readonly url: string } | { readonly repository: Repository; readonly path: string };

export interface FetchedJson {
  readonly data: unknown;
  /** The next page, where the answer has a link to one at the same host. */
  readonly next?: string;
}

/** One GET of at most 8 MiB. Anything but a JSON document with status 200 is a failure. */
export type FetchJson = (request: JsonRequest) => Promise<Result<FetchedJson>>;

export interface Registry {
  /** `undefined`: the registry says that there is no such manifest. One request, and none that counts as a pull. */
  head(reference: Reference, side: Side): Promise<Result<Head | undefined>>;
  manifest(reference: Reference, side: Side): Promise<Result<ManifestContent | undefined>>;
  /** A whole blob in memory; `limit` in bytes, 16 MiB unless told: more is a failure. */
  readBlob(repository: Repository, descriptor: Descriptor, side: Side, limit?: number): Promise<Result<Uint8Array>>;
  /** `exact`: only this very repository is read, and none of its mirrors. */
  content(repository: Repository, side: Side, options?: { readonly exact: boolean }): WritableContent;
  /** Makes `tag` name `subject`'s manifest, by putting the very bytes again: one request when `known` has them. */
  tag(subject: Pinned, tag: Tag, known?: ManifestContent): Promise<Result<void>>;
  /**
   * `pages`: a list of more pages, of up to a thousand tags each, is a failure; the rest of it is not read. `exact`: only this very
   * repository is asked, and no trusted mirror of it.
   */
  tags(
    repository: Repository,
    side: Side,
    options?: { readonly pages?: number; readonly exact?: boolean },
  ): Promise<Result<readonly Tag[]>>;
  /** By the referrers API, or by the tag scheme (`sha256-<hex>`) where there is none. Each once. */
  referrers(subject: Pinned, side: Side): Promise<Result<readonly Referrer[]>>;
  /**
   * Attaches each as a manifest with `subject`. One writer a subject in this process; on a registry without the API the
   * fallback index is re-read, merged and read again. `drop` leaves out referrers of ours that a newer one replaces.
   */
  attach(
    subject: Descriptor & { readonly repository: Repository },
    attachments: readonly Attachment[],
    drop?: ReadonlySet<Digest>,
  ): Promise<Result<readonly Descriptor[]>>;
  /**
   * Makes manifests that are pushed already, and name `subject`, count among its referrers: by the list under the fallback tag
   * where the registry has no API. One writer a subject, as in `attach`.
   */
  list(subject: Pinned, pushed: readonly Descriptor[]): Promise<Result<void>>;
  /** Removes the tag and nothing else. A registry that does not allow it says so; there is no other way then. */
  deleteTag(target: Tagged): Promise<Result<void>>;
  /** Whether the registry that holds `repository` has the referrers API; `undefined` while nothing has been asked. */
  referrersApi(repository: Repository): boolean | undefined;
  /** What the registry last said of how much may be pulled; undefined where it says nothing, or has not been asked. */
  quota(repository: Repository): Quota | undefined;
  /** How many requests were sent, by host: for `--json`, tests and benchmarks. */
  readonly requests: ReadonlyMap<string, number>;
  close(): Promise<void>;
}
