/** What a rule is asked, and what it answers. */
import type { Entry } from '../config/model.ts';
import type { CheckSeverity, Settings } from '../config/settings-model.ts';
import type { Position } from '../failure.ts';
import type { PlannedEntry } from '../plan/model.ts';
import type { ModeInputs } from '../plugin/api.ts';
import type { Registry } from '../registry/model.ts';
import type { Engine } from '../run/engine.ts';
import type { VerifiedTarget } from '../run/look.ts';

/** One entry under check, with all that can be known of it without asking anybody. */
export interface Subject {
  readonly entry: Entry;
  readonly planned: PlannedEntry;
  /** Of a build: what its source names. */
  readonly inputs?: ModeInputs;
}

export interface Offline {
  readonly settings: Settings;
  /** Every `registry/repository:tag` that the config publishes. */
  readonly destinations: ReadonlySet<string>;
  /** Entries whose source `slipway.lock.yaml` has a digest of, by id. */
  readonly locked: ReadonlySet<string>;
  /** Text of the file that `check.documentedIn` names; `undefined` when there is none. */
  readonly document: string | undefined;
}

export interface Online extends Offline {
  readonly engine: Engine;
  readonly signal: AbortSignal;
  /** A client that has no credentials, as anybody's. */
  readonly anonymous: Registry;
  /** What `verify` finds, asked once for all entries. */
  readonly verified: () => Promise<readonly VerifiedTarget[]>;
}

/** One sentence about what is wrong, and one about what mends it. */
export interface Problem {
  readonly message: string;
  readonly hint?: string;
}

interface RuleCommon {
  /** As `source-pinned`. */
  readonly id: RuleId;
  readonly severity: Exclude<CheckSeverity, 'off'>;
  /** What holds when the rule is kept. */
  readonly title: string;
  /** Why it matters. */
  readonly why: string;
}

export type Rule =
  | (RuleCommon & { readonly network: false; check(context: Offline, subject: Subject): readonly Problem[] })
  | (RuleCommon & { readonly network: true; check(context: Online, subject: Subject): Promise<readonly Problem[]> });

export const ruleIds = [
  'source-exists',
  'source-pinned',
  'source-trusted',
  'destination-documented',
  'destination-public',
  'destination-signed',
  'base-pinned',
  'non-root',
  'no-shell',
  'no-package-manager',
] as const;
export type RuleId = (typeof ruleIds)[number];

export interface CheckFinding extends Problem {
  readonly rule: RuleId;
  readonly severity: Exclude<CheckSeverity, 'off'>;
  readonly entry: string;
  readonly destination: string;
  readonly at: Position;
  /** The reason of the waiver that covers it: shown, and never an error. */
  readonly waived?: string;
}
