/**
 * Expected failures are values. Code throws only for bugs; whoever calls foreign code (a tool, the network, a plugin)
 * turns what it throws into a {@link Failure} at that one place.
 */

/** A place in a file of the user's, 1-based, as editors count. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Whether trying again can help: only `transient` is retried. */
export type FailureClass = 'transient' | 'permanent' | 'policy' | 'cancelled';

interface Common {
  readonly class: FailureClass;
  /** One sentence: what failed, with the names of the things concerned. Never a secret, never a stack trace. */
  readonly message: string;
  /** What the reader can do next. */
  readonly hint?: string;
  /** The config or settings line that is to blame, when there is one. */
  readonly at?: Position;
  /** What a tag was seen to name after it was, or was not, moved; so that nobody takes it to name still what it did before. */
  readonly standing?: Standing;
}

export interface Standing {
  /** `registry/repository:tag`. */
  readonly tag: string;
  /** `null`: there is no such tag. */
  readonly digest: string | null;
}

/** The config, the settings or the command line is wrong: exit 2. */
export interface ConfigFailure extends Common {
  readonly reason: 'config';
  readonly class: 'permanent';
}

/** A registry said no, lied, or could not be reached. `side` says which end of the work it was. */
export interface RegistryFailure extends Common {
  readonly reason: 'registry';
  readonly class: 'transient' | 'permanent';
  readonly side: 'source' | 'destination';
  readonly host: string;
  /** HTTP status, when an answer came. */
  readonly status?: number;
  /** The registry's own error code, as `MANIFEST_UNKNOWN`. */
  readonly code?: string;
}

/** An external program ran and failed, or its output made no sense. */
export interface ToolFailure extends Common {
  readonly reason: 'tool';
  readonly class: 'transient' | 'permanent';
  readonly tool: string;
  /** Exit code; absent when it was killed by a signal or its time limit. */
  readonly exitCode?: number;
  /** The last lines it wrote, redacted. */
  readonly output?: string;
}

/** An external program is not installed in an accepted version: exit 5. */
export interface MissingToolFailure extends Common {
  readonly reason: 'missing-tool';
  readonly class: 'permanent';
  readonly tool: string;
}

/** A waiver of the policy that counted. */
export interface UsedWaiver {
  /** Of the finding, as CVE-2026-12345. */
  readonly id: string;
  readonly reason: string;
  /** `2027-01-31`: the last day it holds, UTC. */
  readonly expires: string;
}

/** The gate refused an image: exit 3. */
export interface PolicyFailure extends Common {
  readonly reason: 'policy';
  readonly class: 'policy';
  readonly refusals: readonly string[];
  /** Waivers without which there would be more refusals, when there are any. */
  readonly waived?: readonly UsedWaiver[];
}

/** What was published is incomplete or not trusted: a signature is missing or does not verify, or a tag moved under us. */
export interface TrustFailure extends Common {
  readonly reason: 'trust';
  readonly class: 'permanent';
  /** `source`: it is upstream's signature, or age, that does not do. */
  readonly side?: 'source';
}

/** A plugin broke its contract: threw, returned nothing, returned what its schema forbids. */
export interface PluginFailure extends Common {
  readonly reason: 'plugin';
  readonly class: 'permanent';
  readonly plugin: string;
  /** The hook or contract, as `image.scan@1`. */
  readonly hook: string;
}

/** What it needs did not succeed, or is not trusted as it stands: skipped, and no fault of its own. */
export interface NeedFailure extends Common {
  readonly reason: 'need';
  readonly class: 'permanent';
  /** The entry or package that it waited for. */
  readonly need: string;
}

/** Too early: it is to be left alone until a time that has not come. Skipped, and nobody's fault; of the core alone. */
export interface WaitFailure extends Common {
  readonly reason: 'wait';
  readonly class: 'permanent';
  /** RFC 3339: from then on it can be done. */
  readonly until: string;
}

/** The run was interrupted, timed out as a whole, or stopped by `--fail now`. */
export interface CancelledFailure extends Common {
  readonly reason: 'cancelled';
  readonly class: 'cancelled';
}

export type Failure =
  | ConfigFailure
  | RegistryFailure
  | ToolFailure
  | MissingToolFailure
  | PolicyFailure
  | TrustFailure
  | PluginFailure
  | NeedFailure
  | WaitFailure
  | CancelledFailure;

export interface Failed<F extends Failure = Failure> {
  readonly ok: false;
  readonly failure: F;
}

export type Result<T, F extends Failure = Failure> = { readonly ok: true; readonly value: T } | Failed<F>;

/** The same where everything that is wrong is told at once. */
export type Checked<T, F extends Failure = Failure> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failures: readonly F[] };

export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function fail<F extends Failure>(failure: F): Failed<F> {
  return { ok: false, failure };
}

/** A failure of the config, for the many places that find one. */
export function configFailure(message: string, hint?: string, at?: Position): ConfigFailure {
  return {
    reason: 'config',
    class: 'permanent',
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(at === undefined ? {} : { at }),
  };
}

export const cancelled: CancelledFailure = {
  reason: 'cancelled',
  class: 'cancelled',
  message: 'cancelled before it ended',
};

/** The system's code for what a call threw, as `ENOSPC`; never its message, which has paths in it. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

/** Closes a switch over a union: a new member that is not handled does not compile. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
