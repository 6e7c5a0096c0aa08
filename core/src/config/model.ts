/** The config once it is valid: references parsed, paths inside their folder, positions kept. */
import type { Position } from '../failure.ts';
import type { Platform } from '../oci/model.ts';
import type { Reference, Repository, Tag, Tagged } from '../reference.ts';
import type { Accept } from './settings-model.ts';

/** One destination repository:tag of an entry. */
export interface Target {
  readonly destination: Tagged;
  /** Its tag came from `{date}` or `{sha}`: it moves only when the digest is newly published. */
  readonly templated: boolean;
  /** That tag with `{date}` and `{sha}` as they were, where it is `templated`. */
  readonly template?: string;
}

interface EntryCommon {
  /** Kind and normalised destination as the config has it, as `sync:docker.io/library/alpine:3.20`. `--to` does not change it. */
  readonly id: string;
  readonly at: Position;
  /** The first is the entry's own destination; the others come from `tags:`. Mapped by `--to`. */
  readonly targets: readonly [Target, ...Target[]];
  /** Scan and attest again and confirm the signature even if nothing moved. */
  readonly always: boolean;
}

export interface SyncEntry extends EntryCommon, SyncOptions {
  readonly kind: 'sync';
  readonly source: Reference;
  /** The id of the selection that chose its tag. */
  readonly selection?: string;
}

/** How a sync is done; the same for a plain entry and for each tag of a selection. */
export interface SyncOptions {
  /** Only these, as a new index over unaltered children; the whole index when absent. Never empty, sorted, distinct. */
  readonly platforms?: readonly Platform[];
  /** Those that there are of them, and what is no index as it is; without it each must be there. */
  readonly missingPlatforms?: 'skip';
  /** Upstream's signatures, SBOMs and attestations travel along; none do when absent. */
  readonly referrers?: ReferrerFilter;
  /** What the source must prove before it is copied. */
  readonly verify?: SourceVerification;
  /** A tag that is there is never asked about again, at neither end more than to see that it is there. */
  readonly immutable?: true;
  /** Layers that registries only point to are copied too. */
  readonly foreignLayers?: true;
  /** The tag under which what a sync overwrites is kept. */
  readonly backup?: Backup;
}

export interface Backup {
  /** As `backup-{tag}-{date}`. */
  readonly template: string;
  /** With only {tag}, that of the destination, left to be filled in. */
  readonly dated: string;
}

export interface ReferrerFilter {
  /** Globs on the artifact type; every type when absent. */
  readonly types?: readonly string[];
  /** Where they are in place of the source's repository. */
  readonly from?: Repository;
}

/** At least one of the two. */
export interface SourceVerification {
  /** One of these must have signed the source; not asked when empty. */
  readonly accept: readonly Accept[];
  /** Milliseconds since it was made. */
  readonly minAge?: number;
}

/** What a template of a destination is filled in with, besides the tag. */
export interface TemplateValues {
  /** Of the source, as `docker.io`. */
  readonly registry?: string;
  /** Of the source, as `library/alpine`. */
  readonly path?: string;
  /** The last part of `path`. */
  readonly name?: string;
  readonly date?: string;
  /** Short. */
  readonly sha?: string;
}

/** Which tags of a repository are meant: literal ones, and those that pass every test. */
export interface Select {
  /** Taken as they are: never looked up, and no test is asked. */
  readonly tags: readonly Tag[];
  /** Ranges, as `>=1.2 <2`; the tag's version is in one of them. */
  readonly semver?: readonly string[];
  /** RE2 syntax, for the whole tag. */
  readonly regex?: string;
  /** Globs, or regular expressions between slashes: a tag that one of them matches is left out. */
  readonly exclude: readonly string[];
  /** RE2 syntax, for the whole tag: its group `key`, or its first, is what `semver` and `sort` look at. */
  readonly extract?: string;
  readonly sort?: TagSort;
  /** So many of the newest; all when absent. */
  readonly latest?: number;
  /** Versions as `1.2.0-rc.1` count as well. */
  readonly prerelease: boolean;
  /** Fewer tags than this are a failure. */
  readonly minimum?: number;
  /** No tag at all is no failure. */
  readonly allowEmpty: boolean;
}

/** Newest is last in the alphabet, the largest number, or the highest version. */
export type TagSort = 'semver' | 'numeric' | 'alphabetical';

/** A `sync` item that stands for an entry a tag: those are known once the source was asked, unless all tags are literal. */
export interface Selection extends SyncOptions {
  /** Kind and destination as the config has it with `{tag}` in it, as `sync:ghcr.io/example/node:{tag}`; unique. */
  readonly id: string;
  readonly at: Position;
  readonly source: Repository;
  readonly select: Select;
  /** For readers: its own destination with `{tag}` in it, mapped by `--to`. Entries are made before that is. */
  readonly destination: string;
  /** Templates, the entry's own destination first; `values` fills in all but `{tag}`. */
  readonly destinations: readonly [DestinationTemplate, ...DestinationTemplate[]];
  readonly values: TemplateValues;
  readonly always: boolean;
  /** How many of the config's entries come before it. */
  readonly position: number;
}

/** `text`: as `ghcr.io/example/{name}:{tag}`, always with a tag. */
export interface DestinationTemplate {
  readonly text: string;
  readonly at: Position;
}

export interface BuildEntry extends EntryCommon {
  readonly kind: 'build';
  /** Relative to the config's folder, `/` between parts, inside the folder. */
  readonly source: string;
  /** `mode:` as written; otherwise the one mode that claims the source. */
  readonly mode?: string;
  readonly platforms?: readonly Platform[];
  readonly melangeConfigs: readonly string[];
  readonly dockerOptions: { readonly context?: string };
  readonly buildOnMainOnly: boolean;
  /** Keys that a mode adds to a build entry, already checked against its schema. */
  readonly options: Readonly<Record<string, unknown>>;
}

export type Entry = SyncEntry | BuildEntry;

export interface Config {
  /** Absolute path of config.yaml; the folder around it is the root of every path in it. */
  readonly file: string;
  readonly folder: string;
  readonly entries: readonly Entry[];
  /** Those that are not expanded to entries: all when loaded, later those that could not be, or that no tag matched. */
  readonly selections: readonly Selection[];
}

/** Read once by the CLI, so that a plan depends on no clock and no git of its own. */
export interface Context {
  /** Absent when detached or without git, which is not main. */
  readonly branch?: string;
  /** Full commit id; absent without git. */
  readonly sha?: string;
  /** `2026-11-23`, UTC. */
  readonly date: string;
}
