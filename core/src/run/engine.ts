/** What the steps of a run share, and what they hand to each other. */
import type { UsedTool } from '../exec/model.ts';
import type { Config, Entry } from '../config/model.ts';
import type { Settings, Signing } from '../config/settings-model.ts';
import type { Journal } from '../journal/journal.ts';
import type { Change } from '../journal/events.ts';
import type { Layout } from '../oci/layout.ts';
import type { Subset } from '../oci/subset.ts';
import type { PlannedEntry, Task } from '../plan/model.ts';
import type { Planned } from '../plan/create.ts';
import type { Built, Files, TaskContext } from '../plugin/api.ts';
import type { Host } from '../plugin/host.ts';
import type { Judgement } from '../policy/gate.ts';
import type { Failure, UsedWaiver } from '../failure.ts';
import type { Digest, Pinned } from '../reference.ts';
import type { Attachment, Registry } from '../registry/model.ts';
import type { Fact } from '../trust/facts.ts';
import type { Memory } from '../trust/memory.ts';
import type { BuildKeys, Child } from '../trust/model.ts';
import type { VerifiedSource } from '../trust/predicates/copy.ts';
import type { Durations } from './durations.ts';
import type { Notes } from './notes.ts';
import type { PackageIndexes } from './package-indexes.ts';
import type { Recorder } from './recorder.ts';
import type { TagLists } from './tag-lists.ts';
import type { Before } from './targets.ts';

export interface Engine {
  readonly config: Config;
  readonly settings: Settings;
  readonly planned: Planned;
  readonly host: Host;
  readonly registry: Registry;
  /** Puts archives in place once nothing works on them any more, and tidies up after killed runs; by repository, what could not be. */
  readonly finishLayouts: () => Promise<ReadonlyMap<string, Failure>>;
  readonly files: Files;
  readonly tagLists: TagLists;
  readonly memory: Memory;
  readonly notes: Notes;
  readonly indexes: PackageIndexes;
  readonly journal: Journal;
  readonly durations: Durations;
  /** Who signs this run; absent in a `--to` run without `signing.scratch`, which attaches nothing. */
  readonly signing?: Signing;
  /** `run` for the chain; `scan` makes scans anew and moves no tag. */
  readonly purpose: 'run' | 'scan';
  /** The children of an index are looked at too before its goal counts as reached: requests for each of them. */
  readonly deep?: true;
  readonly run: string;
  /** A URI that says who builds: https://slsa.dev/spec/v1.0/provenance#builder */
  readonly builder: string;
  readonly now: () => Date;
  readonly emit: Recorder['emit'];
  readonly unrecorded: Recorder['unrecorded'];
  /** The context a plugin gets for one task, or for a part of it, whose lines in the log begin with `part`. */
  readonly context: (task: Task, contract: string, signal: AbortSignal, part?: string) => Promise<TaskSession>;
}

/** A task's context, its folder, and what it started; disposing removes the folder. */
export type TaskSession = TaskContext & AsyncDisposable & { toolsUsed(): readonly UsedTool[] };

/** One step of one entry at work; of a step that only syncs have, or only builds, the entry is one. */
export interface StepContext<Of extends Entry = Entry> {
  readonly engine: Engine;
  readonly task: Task;
  readonly entry: Of;
  readonly planned: PlannedEntry;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  /** Told that a tag of the entry names its image now, also where a later one cannot be moved. */
  readonly tagged: (target: string, backup: string | undefined) => void;
}

/** A step as far as it looks at what is attached. */
export type Looking = Pick<StepContext, 'engine' | 'task' | 'signal'>;

/** What the probe saw; later steps compare with it and never look a tag up again. */
export type Probed = ProbedSync | ProbedUnasked | ProbedBuild | ProbedPublished;

interface Seen {
  readonly before: Before;
  readonly why: string;
  /** What differs from what is published; none where nothing is. */
  readonly changes: readonly Change[];
  /** Of the image that is published now; none where it was not looked at. */
  readonly facts: readonly Fact[];
  /** Of the same, when the policy was asked: waivers without which it would not stay. */
  readonly waived: readonly UsedWaiver[];
}

/** `digest`: what the entry stands for, and a retag or a Dockerfile on it takes; without the goal, what is there and lacks something. */
type Goal = { readonly goal: true; readonly digest: Digest } | { readonly goal: false; readonly digest?: Digest };

export type ProbedSync = Seen &
  Goal & {
    readonly kind: 'sync';
    readonly source: Pinned;
    /** The source's registry has just said so of its tag: it need not be asked whether it has that image. */
    readonly justNamed: boolean;
    /** What the tags are to name: of a sync of some platforms not the source's own digest. */
    readonly wanted: Digest;
    /** How that digest comes about, when this run had to read the source to know it. */
    readonly subset?: Subset;
    /** Where the entry asks for it: who was found to have signed the source. */
    readonly verified?: VerifiedSource;
  };

/** Of a mirror's immutable tags: they are there, and nobody asked what they name. */
export interface ProbedUnasked extends Seen {
  readonly kind: 'unasked';
  readonly goal: true;
  readonly digest?: undefined;
  readonly wanted?: undefined;
}

/** Its digest is of an image that was made from the same inputs, believed; it need not be built again. */
export type ProbedBuild = Seen &
  Goal & {
    readonly kind: 'build';
    /** Text in its source → the digest it builds on. */
    readonly bases: Readonly<Record<string, Digest>>;
    /** It is older than its mode allows for what it fetched. */
    readonly stale: boolean;
    readonly keys: BuildKeys;
  };

/** Of `slipway scan`, whatever the entry's kind. */
export interface ProbedPublished extends Seen {
  readonly kind: 'published';
  readonly goal: false;
  readonly digest: Digest;
  /** The image is its own source. */
  readonly source: Pinned;
}

/** An image that is in the destination repository by digest. */
export interface Image {
  readonly digest: Digest;
  readonly subject: Pinned;
  readonly shape: 'index' | 'manifest';
  readonly mediaType: string;
  /** Bytes of the manifest itself, for descriptors. */
  readonly manifestSize: number;
  /** Platform images; empty for an artifact without an image config. `opaque`: its config is none that anybody could read. */
  readonly children: readonly (Child & {
    readonly mediaType: string;
    readonly size: number;
    readonly opaque?: true;
  })[];
  /** All manifests in it, itself among them, but buildx's attestations: what something can refer to. */
  readonly manifests: readonly Digest[];
  /** Bytes of all configs and layers. */
  readonly size: number;
  /** Some of its layers registries need not hold. */
  readonly foreign: boolean;
}

/** What a mode made, of all platforms. */
export interface BuiltImage extends Omit<Built, 'layout'> {
  readonly layout: Layout;
}

/** Output of a build step: what was made, or that nothing had to be. */
export type BuildOutput =
  | {
      readonly kind: 'built';
      readonly built: BuiltImage;
      readonly keys: BuildKeys;
      readonly startedAt: string;
      readonly finishedAt: string;
      readonly tools: readonly UsedTool[];
      /** Removes the layout's folders, once it was pushed. */
      readonly release: () => PromiseLike<void>;
    }
  | { readonly kind: 'reused'; readonly digest: Digest; readonly keys: BuildKeys };

export interface SbomOutput {
  readonly documents: readonly { readonly digest: string; readonly spdx: unknown }[];
  /** The image itself has its SBOM attached already; what is made is for platforms that lack theirs. */
  readonly attested: boolean;
}

export interface GateOutput {
  readonly judgement: Judgement;
}

export interface SignedAttachment {
  readonly subject: Digest;
  readonly attachment: Attachment;
  /** Referrers of ours that say nothing which it does not say too. */
  readonly replaces: readonly Digest[];
}

export interface SignOutput {
  readonly attachments: readonly SignedAttachment[];
}

export interface VerifyOutput {
  readonly digest: Digest;
  readonly facts: readonly Fact[];
}

/** What its tags name now; which of them were moved is told by {@link StepContext.tagged}. */
export interface TagOutput {
  readonly digest: Digest;
}
