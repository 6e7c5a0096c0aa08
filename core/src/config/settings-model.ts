/** The settings once they are valid: whom and what is trusted, what the policy refuses, positions kept. */
import type { Position } from '../failure.ts';
import type { RegistrySetting } from './registry-setting.ts';

/** A source's bytes may be fetched elsewhere by digest; only a trusted mirror may say what a tag names. */
export interface Mirror {
  /** `docker.io` or `docker.io/library`. */
  readonly source: string;
  /** `mirror.example/hub`: the source's path is appended. */
  readonly mirror: string;
  readonly trusted: boolean;
}

/** The worst first. */
export const severities = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN'] as const;
export type Severity = (typeof severities)[number];

export interface Waiver {
  readonly id: string;
  /** A glob on entry id or destination; everything when absent. */
  readonly match?: string;
  readonly reason: string;
  /** `2027-01-31`: the waiver ends with that day, UTC. */
  readonly expires: string;
  readonly at?: Position;
}

export type Verdict = 'refuse' | 'report';

/** The gate's rules for one entry, after patterns were applied. */
export interface GateRules {
  readonly verdict: Verdict;
  readonly severities: readonly Severity[];
  /** Only findings with a fixed version refuse. */
  readonly fixable: boolean;
  readonly unscanned: Verdict;
  readonly unscannable: Verdict;
  /** Of an operating system that gets no advisories any more. */
  readonly endOfLife: Verdict;
  /** An image that is no worse than the one the tag names now passes. */
  readonly notWorse: boolean;
  readonly waivers: readonly Waiver[];
}

export type GateOverride = Partial<Omit<GateRules, 'waivers'>> & { readonly match: string; readonly at?: Position };

export interface Policy {
  readonly build: GateRules;
  readonly sync: GateRules;
  readonly overrides: readonly GateOverride[];
  readonly waivers: readonly Waiver[];
  /** Milliseconds after which a scan is made again by `run`; absent: never. */
  readonly scanMaxAge?: number;
}

/** Whose signatures count as ours. */
export type Accept =
  | {
      readonly kind: 'key';
      /** PEM text. */ readonly publicKey: string;
      /** sha256 of the SPKI DER, hex. */ readonly fingerprint: string;
    }
  | {
      readonly kind: 'identity';
      /** Exact text, or a regular expression anchored at both ends. */
      readonly issuer: { readonly exact: string } | { readonly pattern: string };
      readonly subject: { readonly exact: string } | { readonly pattern: string };
    };

/** `bundle`: Sigstore bundles as referrers. `legacy`: the `.sig` and `.att` tags of cosign 2, for consumers that know no other. */
export type SignatureFormat = 'bundle' | 'legacy' | 'both';

export interface Signing {
  /** What is attached; `bundle` when absent. */
  readonly format?: SignatureFormat;
  /** `file` path, `env://NAME`, or a KMS URI; absent: keyless. */
  readonly key?: string;
  /** Where the settings name the key. */
  readonly keyAt?: Position;
  /** Absolute path of the public key, for the commands that `verify` prints. */
  readonly publicKeyFile?: string;
  /** How what we sign now will be recognised; also the first of `accept`. */
  readonly signer: Accept;
  readonly accept: readonly [Accept, ...Accept[]];
  /** Absolute paths of a Sigstore signing config and trusted root; without them the public good instance is used when keyless, none with a key. */
  readonly signingConfig?: string;
  readonly trustedRoot?: string;
  /** Environment variable that holds the OIDC identity token, when it is not ambient. */
  readonly identityTokenEnv?: string;
}

export type TrustLevel = 'full' | 'copy';

export interface PluginSetting {
  /** A package name, or a path from the settings' folder that starts with `./` or `../`. */
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly at?: Position;
}

export type CheckSeverity = 'off' | 'warning' | 'error';

export interface CheckWaiver {
  /** The id of a rule. */
  readonly rule: string;
  /** A glob on entry id or destination; everything when absent. */
  readonly match?: string;
  readonly reason: string;
  /** `2027-01-31`: the waiver ends with that day, UTC. */
  readonly expires: string;
  readonly at?: Position;
}

/** What `slipway check` asks for. */
export interface CheckSettings {
  /** Rule → severity, where it is not the rule's own. */
  readonly rules: Readonly<Record<string, CheckSeverity>>;
  readonly waivers: readonly CheckWaiver[];
  /** `docker.io` or `docker.io/library`; absent: any. */
  readonly trustedRegistries?: readonly string[];
  /** Relative to the config's folder. */
  readonly documentedIn?: string;
}

export interface Settings {
  /** Absent when there is no settings file. */
  readonly file?: string;
  /** What relative paths in the settings are relative to. */
  readonly folder: string;
  /** In addition to the default plugins; one of the same name gives it options. */
  readonly plugins: readonly PluginSetting[];
  /** Contract without version → plugin name, where two implement it. */
  readonly use: Readonly<Record<string, { readonly plugin: string; readonly at?: Position }>>;
  /** The branch that counts as main. */
  readonly main: string;
  /** `each`: a tag moves when its own image has passed. `together`: no tag moves before every selected image has passed. */
  readonly publish: 'each' | 'together';
  readonly mirrors: readonly Mirror[];
  /** Hosts that may be spoken to by plain HTTP besides loopback. */
  readonly plainHttp: readonly string[];
  readonly registries: readonly RegistrySetting[];
  readonly policy: Policy;
  /** The first matching pattern decides; `full` when none does. */
  readonly trust: readonly { readonly match: string; readonly level: TrustLevel; readonly at?: Position }[];
  /** Absent: nothing is signed, which only `trust: copy` and an unsigned `--to` allow. */
  readonly signing?: Signing;
  /** What a `--to` run signs with, never the production key. */
  readonly scratch?: Signing;
  /** Absent: every rule as it usually is. */
  readonly check?: CheckSettings;
  readonly limits: {
    /** Tasks that keep a CPU busy at once. */
    readonly cpu: number;
    /** Tasks that talk to one registry host at once, and requests under way to it. */
    readonly host: number;
    /** Whether a host is asked little at first, and more while it answers well. */
    readonly rampUp: boolean;
    /** Bytes a second of all registries together; any number when absent. */
    readonly bandwidth?: number;
    /** Milliseconds for one task. */
    readonly task: number;
    /** Tries of a task whose failure is transient. */
    readonly tries: number;
  };
}
