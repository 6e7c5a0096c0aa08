/**
 * Everything that happens in a run, in order: the journal's lines, what reporters show, and what a later run resumes from.
 * Every task announced by `run.start` or `entry.chain` gets exactly one `task.done`.
 */
import type { Failure, UsedWaiver } from '../failure.ts';
import type { Data } from '../plan/model.ts';
import type { Scan } from '../trust/model.ts';

export type Outcome = 'published' | 'unchanged' | 'refused' | 'failed' | 'skipped' | 'cancelled';

export type TaskState = 'ok' | 'failed' | 'refused' | 'skipped' | 'cancelled';

export interface AnnouncedTask {
  readonly id: string;
  readonly contract: string;
  readonly entry: string | null;
  /** The tasks that go before. */
  readonly needs?: readonly string[];
}

export interface FindingCounts {
  readonly CRITICAL: number;
  readonly HIGH: number;
  readonly MEDIUM: number;
  readonly LOW: number;
  readonly UNKNOWN: number;
}

/** A row of the final table: one a target. */
export interface Row {
  readonly id: string;
  readonly destination: string;
  readonly digest: string | null;
  readonly outcome: Outcome;
  /** What the tag named before; `null` when there was none. */
  readonly before: string | null;
  /** Why it ran, or why it did not. */
  readonly why: string;
  /** Where what the tag named before is kept: a reference that is neither scanned nor verified. */
  readonly backup?: string;
  /** `null` when it was not scanned. */
  readonly findings: FindingCounts | null;
  /** Platforms that no scanner could read, when there are any; `findings` says nothing of them. */
  readonly unscanned?: readonly string[];
  /** Operating systems that get no advisories any more, as `alpine 3.20`, when there are any; `findings` lacks what became known since. */
  readonly endOfLife?: readonly string[];
  /** Of what is public: waivers without which the policy refused it on the day of the run, when there are any. */
  readonly waived?: readonly UsedWaiver[];
  readonly signed: boolean;
  /** Bytes of all platforms' layers and configs; `null` when not known. */
  readonly size: number | null;
  /** Most packages found on one platform; `null` when not known. */
  readonly packages: number | null;
  readonly seconds: number;
  readonly failure?: Failure;
}

/** A part of what decides whether an entry has work to do, before and now; `null`: it was not there. */
export interface Change {
  /** As `file images/git/image.yaml`, `base docker.io/library/alpine:3.20`, `source`. */
  readonly part: string;
  /** Short digests, or digests of images. */
  readonly from: string | null;
  readonly to: string | null;
}

/** A package of an image, as an SBOM lists it. */
export interface ListedPackage {
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly license?: string;
}

/** What is known of an image at the end of its entry: from this run's own steps, or from verified attestations. */
export interface ImageEvidence {
  readonly digest: string;
  /** The newest scan, every platform. */
  readonly scan?: Scan;
  /** By platform; only of SBOMs that this run made. */
  readonly packages: readonly { readonly platform: string; readonly packages: readonly ListedPackage[] }[];
  /** Statements about the image that were verified. */
  readonly attachments: readonly {
    readonly predicateType: string;
    readonly referrer: string;
    readonly signer: string;
    /** RFC 3339. */
    readonly time?: string;
  }[];
}

/** Options of a run that other commands need too, or they are about other images. */
export interface Asked {
  /** Absent where it is the default. */
  readonly config?: string;
  readonly settings?: string;
  readonly to?: string;
}

interface At {
  /** Milliseconds since 1970. */
  readonly t: number;
}

export type Event =
  | (At & {
      readonly type: 'run.start';
      readonly run: string;
      readonly command: string;
      readonly version: string;
      readonly entries: readonly string[];
      readonly tasks: readonly AnnouncedTask[];
      /** Flags of `cosign verify` by which others recognise what this run signs. */
      readonly cosign?: string;
      readonly asked?: Asked;
    })
  /** The probe found work: these tasks of the entry (and packages it needs) will run. */
  | (At & {
      readonly type: 'entry.chain';
      readonly entry: string;
      readonly why: string;
      readonly tasks: readonly AnnouncedTask[];
      /** What is different from what is published, part by part; empty when nothing was published. */
      readonly changes?: readonly Change[];
    })
  | (At & { readonly type: 'task.start'; readonly task: string; readonly attempt: number })
  | (At & { readonly type: 'task.log'; readonly task: string; readonly line: string })
  /** Bytes that were sent so far, of so many if that is known; at most a few times a second, and in no journal. */
  | (At & { readonly type: 'task.progress'; readonly task: string; readonly bytes: number })
  | (At & { readonly type: 'task.tool'; readonly task: string; readonly tool: string; readonly version: string })
  | (At & { readonly type: 'task.retry'; readonly task: string; readonly failure: Failure; readonly wait: number })
  | (At & {
      readonly type: 'task.done';
      readonly task: string;
      readonly state: TaskState;
      readonly ms: number;
      readonly output?: Data;
      readonly failure?: Failure;
    })
  /** Just before a tag is moved, so that also of a run that is killed it is known which it may have moved. `from` `null`: a new tag. */
  | (At & {
      readonly type: 'tag.move';
      readonly entry: string;
      /** `registry/repository:tag`. */
      readonly tag: string;
      readonly from: string | null;
      readonly to: string;
    })
  /** Just before a registry is asked to delete a tag: where no `tag.done` follows, it may be gone. */
  | (At & { readonly type: 'tag.delete'; readonly tag: string; readonly digest: string })
  /** How that ended. Where no `tag.delete` goes before, the registry was not asked. */
  | (At & {
      readonly type: 'tag.done';
      /** `registry/repository:tag`. */
      readonly tag: string;
      /** What it names, or named. */
      readonly digest: string;
      readonly state: 'deleted' | 'failed';
      /** Of a tag that was deleted: what else went with it. */
      readonly failure?: Failure;
    })
  /** Before the entry's end, once for each image of a run. */
  | (At & { readonly type: 'image'; readonly entry: string; readonly image: ImageEvidence })
  | (At & { readonly type: 'entry.done'; readonly entry: string; readonly rows: readonly Row[] })
  | (At & { readonly type: 'warning'; readonly message: string })
  | (At & { readonly type: 'run.done'; readonly exitCode: number; readonly seconds: number });

/** What those who emit an event say of it; its time is added where all events pass. */
export type UntimedEvent = Untimed<Event>;

/** Distributes over the union: `Omit` of the whole would keep only the fields that all events have. */
type Untimed<E extends Event> = E extends unknown ? Omit<E, 't'> : never;
