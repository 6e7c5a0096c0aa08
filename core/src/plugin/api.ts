/**
 * The plugin API, version 1.1. A plugin implements contracts and modes; it returns data, the core decides.
 */
import type { AsyncSeriesBailHook, AsyncSeriesHook, HookMap, SyncHook } from 'tapable';
import type { BuildEntry } from '../config/model.ts';
import type { Failure, Position, Result } from '../failure.ts';
import type { Event } from '../journal/events.ts';
import type { Platform } from '../oci/model.ts';
import type { Pinned, Reference } from '../reference.ts';
import type { FetchJson, Registry } from '../registry/model.ts';
import type { Scan } from '../trust/model.ts';

/** A JSON Schema, draft 2020-12, as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface ExecOptions {
  /** Working directory; the task's own scratch folder when absent. */
  readonly cwd?: string;
  /** Added to the allow-listed environment. Secrets belong here, never in arguments. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Registry hosts whose credentials the tool may see, in a DOCKER_CONFIG of its own; none when absent. */
  readonly hosts?: readonly string[];
  /** Milliseconds; the task's limit when absent. */
  readonly timeout?: number;
  /** Bytes of stdout kept in memory, 32 MiB unless told; more is a failure. */
  readonly maxOutput?: number;
}

export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a declared tool: an argument list, never a shell. A non-zero exit is a `ToolFailure`. */
export type Exec = (tool: string, args: readonly string[], options?: ExecOptions) => Promise<Result<ExecResult>>;

export interface TaskContext {
  readonly exec: Exec;
  /** The version of a declared tool, as `1.2.37`. */
  readonly toolVersion: (tool: string) => Promise<Result<string>>;
  readonly registry: Registry;
  readonly files: {
    /** The config's folder: read only. */
    readonly root: string;
    /** A fresh folder of this task's own; it is gone after the task. */
    readonly work: string;
    /** A folder of this plugin's own that lasts for the run and is shared by its tasks. */
    readonly shared: string;
    /** A folder of this plugin's own that outlives the run; losing it costs time only. */
    readonly cache: string;
  };
  readonly log: (line: string) => void;
  /** So many more bytes were sent, for whoever watches; as often as is convenient. Since 1.1. */
  readonly progress: (bytes: number) => void;
  readonly signal: AbortSignal;
  /** Whether `host` (with its port) is to be spoken to by plain HTTP. */
  readonly plainHttp: (host: string) => boolean;
  /** What a service says besides what registries serve, as a list of tags with their digests. Since 1.1. */
  readonly fetchJson: FetchJson;
}

export interface ListOptions {
  readonly links?: boolean;
  readonly skip?: (folder: string) => boolean;
}

/** Reads files of the config's folder, and nothing outside of it. */
export interface Files {
  /** UTF-8 text; a `config` failure when it is missing, too large, or outside the folder. */
  read(path: string): Promise<Result<string>>;
  /**
   * Every file below a folder, sorted, relative to the root; `.git` and `.slipway` left out. With `links` also the symbolic links
   * that lead to no file in the root, for builds that are sent them as they are. Folders below it for which `skip` is true, by their
   * path relative to the root, are not looked into.
   */
  list(folder: string, options?: ListOptions): Promise<Result<readonly string[]>>;
}

/** What decides a build's result, found without network, clock or tool. */
export interface ModeInputs {
  /** Files whose content decides, relative to the root. */
  readonly files: readonly string[];
  /** URLs of package repositories' indexes whose state decides, as `https://…/x86_64/APKINDEX.tar.gz`. */
  readonly packageIndexes: readonly string[];
  /** Images that it builds on, as written in the source: an entry's destination among them is an edge. */
  readonly bases: readonly { readonly text: string; readonly reference: Reference }[];
  /** The platforms it makes, when neither the entry nor the caller says. */
  readonly platforms: readonly Platform[];
  /** Names of packages it installs, to find which melange configs it needs. */
  readonly packages: readonly string[];
  /** Options of the plugin that change the result, canonical. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Milliseconds after which it is built again from equal inputs, because it fetches what they do not show. */
  readonly maxAge?: number;
}

export interface BuildContext extends TaskContext {
  readonly entry: BuildEntry;
  readonly platforms: readonly Platform[];
  /** Package folders made by `package.build@1`, in the order of `melangeConfigs`. */
  readonly packageRepositories: readonly string[];
  /** Text in the source → the pinned image to use in its place; where `isLocation` says so, `path` is the folder of a layout. */
  readonly bases: Readonly<Record<string, Pinned>>;
  readonly inputs: ModeInputs;
  /** The published image is older than `maxAge`: what an earlier build fetched must not be taken from a cache. */
  readonly noCache: boolean;
}

/** https://slsa.dev/spec/v1.0/provenance#resourcedescriptor, the part of it that Slipway fills. */
export interface Material {
  readonly uri: string;
  readonly digest?: Readonly<Record<string, string>>;
  readonly name?: string;
}

export interface Built {
  /** Absolute path of an OCI image layout whose `index.json` names one image or is itself the index. */
  readonly layout: string;
  /** SPDX documents that the build made, by the digest of the platform manifest. */
  readonly sboms?: readonly { readonly digest: string; readonly spdx: unknown }[];
  readonly materials?: readonly Material[];
}

/** How a build entry is built. An author of a new mode learns these functions. */
export interface Mode {
  readonly name: string;
  /** JSON Schema properties that the mode adds to a build entry. */
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  /**
   * `build` makes one platform at a time: it is called once for each, side by side, every call with a work folder of its own, and
   * the core joins the images to one index. Without it one call makes them all.
   */
  readonly perPlatform?: boolean;
  /** By the source's name alone; `mode:` in the entry overrides it. */
  claims(source: string): boolean;
  inputs(entry: BuildEntry, files: Files): Promise<Result<ModeInputs>>;
  /** The exact packages the build would use now, when the mode can say so more cheaply than by building. */
  resolve?(context: BuildContext): Promise<Result<Readonly<Record<string, string>>>>;
  build(context: BuildContext): Promise<Result<Built>>;
}

export interface ToolNeed {
  readonly name: string;
  /** Accepted versions, as `>=1.2 <2`. */
  readonly range: string;
}

/** What the gate is asked: it may refuse in addition to the policy, never overrule it. */
export interface GateQuestion {
  readonly entry: string;
  readonly subject: Pinned;
  readonly scan: Scan;
}

export interface Hooks {
  /** Add the modes that the plugin brings. */
  readonly mode: AsyncSeriesHook<[{ add(mode: Mode): void }]>;
  /** One owner a contract; its tap answers with a `Result` of the contract's output. `implement` types a tap for its contract. */
  readonly task: HookMap<AsyncSeriesBailHook<[input: never, context: TaskContext], unknown>>;
  /** Answer with a sentence to refuse, with nothing to pass. */
  readonly gate: AsyncSeriesBailHook<[GateQuestion], string | undefined>;
  readonly event: SyncHook<[Event]>;
  readonly done: AsyncSeriesHook<[{ readonly exitCode: number }]>;
}

/** A task of the plan. What other tasks will give stands in its input as the plan has it: `{ $out, path }`. */
export interface PlannedTask {
  readonly id: string;
  readonly contract: string;
  readonly input: unknown;
  /** Its entry's line of the config, for a failure that is the config's; absent where several entries share it. Since 1.1. */
  readonly at?: Position;
}

export interface PreflightRequest {
  /** Those whose contracts the plugin owns; never empty. */
  readonly tasks: readonly PlannedTask[];
  /** As `apply` got them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The config's folder. */
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Plugin {
  readonly name: string;
  readonly version: string;
  /** The plugin API it was written for: major equal, minor not above ours. */
  readonly api: string;
  /** JSON Schema of its options; checked before `apply`. */
  readonly options?: JsonSchema;
  readonly needs: {
    readonly tools: readonly ToolNeed[];
    /** Environment variables that its tools may see, besides the allow-list every tool gets. */
    readonly env?: readonly string[];
  };
  apply(hooks: Hooks, options: Readonly<Record<string, unknown>>): void;
  /**
   * What this machine lacks for the tasks, besides the tools in `needs`: asked by `run` before the first task, and by
   * `doctor`. It looks at files and the environment only, and changes nothing.
   */
  preflight?(request: PreflightRequest): Promise<readonly Failure[]>;
}
