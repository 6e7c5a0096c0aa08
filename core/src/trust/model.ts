/** Statements, and what is believed of them. */
import type { Platform } from '../oci/model.ts';
import type { Digest } from '../reference.ts';
import type { Severity } from '../config/settings-model.ts';

/** https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
export interface Statement {
  readonly _type: 'https://in-toto.io/Statement/v1';
  readonly subject: readonly [{ readonly name?: string; readonly digest: { readonly [algorithm: string]: string } }];
  readonly predicateType: string;
  readonly predicate: unknown;
}

export const predicateType = {
  /** What `cosign verify` looks for: https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md */
  signature: 'https://sigstore.dev/cosign/sign/v1',
  /** https://spdx.dev: an SPDX 2.3 document as JSON. */
  sbom: 'https://spdx.dev/Document',
  /** https://github.com/sigstore/cosign/blob/main/specs/COSIGN_VULN_ATTESTATION_SPEC.md */
  scan: 'https://cosign.sigstore.dev/attestation/vuln/v1',
  /** https://slsa.dev/spec/v1.0/provenance */
  provenance: 'https://slsa.dev/provenance/v1',
  /** Ours: docs/attestations.md. */
  copy: 'https://slipway.example/attestation/copy/v1',
} as const;

/** A Sigstore bundle (v0.3) as JSON text: https://docs.sigstore.dev/about/bundle/ */
export type Bundle = string & { readonly __bundle: never };

/** One known vulnerability of one package. The same one on several platforms is one finding in an index's summary. */
export interface Finding {
  readonly id: string;
  readonly severity: Severity;
  readonly purl?: string;
  readonly package: string;
  readonly installed: string;
  /** Absent: no fixed version is known. */
  readonly fixed?: string;
  readonly title?: string;
  /** Platforms it was found on, as `linux/amd64`. */
  readonly platforms: readonly string[];
  /** The layer that brought it, when the scanner says. */
  readonly layer?: string;
}

export interface PlatformScan {
  readonly digest: Digest;
  /** `linux/amd64`. */
  readonly platform: string;
  /** `unscanned`: nothing could be read from it; never the same as no findings. */
  readonly status: 'scanned' | 'unscanned';
  /** Why it is unscanned. */
  readonly why?: string;
  /** As `alpine 3.20`. */
  readonly os?: string;
  /** No advisories are published for `os` any more, by the scanner's own calendar: what became known since is not found. Since 1.1. */
  readonly endOfLife?: true;
  readonly packages: number;
  readonly findings: readonly Finding[];
}

/** Output of `image.scan@1`, and the `scanner.result` of the attested predicate. */
export interface Scan {
  readonly scanner: { readonly name: string; readonly version: string; readonly uri: string };
  /** When the vulnerability database was made, RFC 3339; absent when the scanner does not say. */
  readonly database?: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly platforms: readonly PlatformScan[];
}

/** Two hashes that say what a build was made from, with their parts so that a difference can be named. */
export interface BuildKeys {
  readonly input: string;
  readonly resolved?: string;
  /** Part name → short digest. */
  readonly parts: Readonly<Record<string, string>>;
}

/** A platform image of an index, or a single manifest itself. */
export interface Child {
  readonly digest: Digest;
  readonly platform: Platform;
}
