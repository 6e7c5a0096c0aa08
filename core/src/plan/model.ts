/** The plan: pure data, the same byte for byte whichever plugins implement it. */
import type { TrustLevel } from '../config/settings-model.ts';

/** Names an output of another task. These references are the edges: none can be forgotten. */
export interface Out {
  readonly $out: string;
  /** A dotted path into the output; the whole when empty. */
  readonly path: string;
}

export type Data = null | boolean | number | string | readonly Data[] | { readonly [key: string]: Data };

/** Steps of the chain, in its order; they end a task's id: `build:ghcr.io/a/b:1#scan`. */
export type Step =
  | 'probe'
  | 'resolve'
  | 'admit'
  | 'copy'
  | 'build'
  | 'push'
  | 'scan'
  | 'sbom'
  | 'gate'
  | 'sign'
  | 'attach'
  | 'verify'
  | 'tag';

/** The core's own steps, and the contracts that plugins implement. */
export type TaskContract =
  | `core.${'probe' | 'resolve' | 'admit' | 'push' | 'gate' | 'attach' | 'verify' | 'tag' | 'together'}@1`
  | `image.${'copy' | 'scan' | 'verify'}@1`
  | `image.build@1/${string}`
  | 'package.build@1'
  | 'sbom.make@1'
  | 'statement.sign@1';

export interface Task {
  /** `<entry id>#<step>`, or `package:<melange config>`. */
  readonly id: string;
  readonly contract: TaskContract;
  /** The entry it belongs to; `null` for a package, which several entries may share and which runs only if one needs it. */
  readonly entry: string | null;
  /** Data with {@link Out} references in it. */
  readonly input: Data;
  /** The tasks that `input` names, sorted. */
  readonly needs: readonly string[];
}

/** What is asked of a source before it is copied: a signature, or only its age. */
export type Admission = Extract<TaskContract, 'image.verify@1' | 'core.admit@1'>;

export interface PlannedEntry {
  readonly id: string;
  readonly kind: 'sync' | 'build';
  /** Of a build entry: `apko`, `melange+apko`, `docker`, or a plugin's own. */
  readonly mode?: string;
  /** Reference, or path of the build's source. */
  readonly source: string;
  /** Where its first target goes, after `--to`. */
  readonly destination: string;
  readonly targets: readonly string[];
  /** `config.yaml:12:5`. */
  readonly at: string;
  /** Entries whose digest it takes. */
  readonly needs: readonly string[];
  readonly trust: TrustLevel;
  /** The entry whose image this sync only tags again; of a retag of a retag, the first. */
  readonly retagOf?: string;
  /** Nothing of its source is copied before this contract has looked at it. */
  readonly admits?: Admission;
  /** A `--to` run without `signing.scratch`: judged and tagged, but nothing is signed. */
  readonly unsigned?: true;
  /** Why it will not run here, as `buildOnMainOnly` on another branch. */
  readonly skip?: string;
}

export interface Plan {
  readonly entries: readonly PlannedEntry[];
  readonly tasks: readonly Task[];
}
