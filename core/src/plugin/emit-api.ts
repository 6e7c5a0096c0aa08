/** What `plan.emit@1` takes and gives: part of the plugin API, since 1.1. */
import type { Accept } from '../config/settings-model.ts';
import type { PlannedEntry, Task } from '../plan/model.ts';

export interface EmitInput {
  /** As `slipway plan --json` has it, on the main branch. */
  readonly plan: {
    readonly entries: readonly PlannedEntry[];
    /** `source` is a repository; `destination` has `{tag}` in it. */
    readonly selections: readonly { readonly id: string; readonly source: string; readonly destination: string }[];
    /** What goes into a task is the engine's own affair. */
    readonly tasks: readonly Omit<Task, 'input'>[];
  };
  readonly context: EmitContext;
  /** A job for each entry, with the plan's edges, in place of one job for all. */
  readonly split: boolean;
}

export interface EmitOutput {
  /** Paths are relative to the format's own folder, as `.github`. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  /** What the user should know of files that are written all the same: a sentence each. */
  readonly warnings?: readonly string[];
}

/** What runs a plan elsewhere must know besides it. */
export interface EmitContext {
  /** The branch that publishes. */
  readonly main: string;
  /** Path of the config from the root of the checkout, with `/`. */
  readonly config: string;
  /** Of the settings, where `--settings` named them. */
  readonly settings?: string;
  /** No tag moves before every image has passed: such a plan cannot be spread over machines. */
  readonly together: boolean;
  /** Who signs what is published. */
  readonly production: EmitSigner;
  /** Who signs a run with `--to`; absent: it signs nothing. */
  readonly scratch?: EmitSigner;
  /** Names of secrets that any run reads from its environment. */
  readonly secrets: readonly string[];
  /** Hosts, or hosts with a part of a path, that the settings have a login for. */
  readonly logins: readonly string[];
}

export interface EmitSigner {
  /** By the ambient identity of the job. */
  readonly keyless: boolean;
  /** Names of secrets. */
  readonly secrets: readonly string[];
  /** Whose keyless signatures count; absent: nobody's. */
  readonly identities?: readonly Extract<Accept, { readonly kind: 'identity' }>[];
}
