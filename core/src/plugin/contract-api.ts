/** What plugins are asked for: the contracts of the plugin API, see `api.ts`. */
import type { Accept } from '../config/settings-model.ts';
import type { Pinned, Repository } from '../reference.ts';
import type { Bundle, Child, Scan, Statement } from '../trust/model.ts';
import type { EmitInput, EmitOutput } from './emit-api.ts';

/** Contract name → what goes in and what must come out. Schemas of both are in `plugin/schemas.ts`. */
export interface Contracts {
  /** Copies by digest, untagged; every child of an index too. */
  'image.copy@1': {
    /** `sources`: where the bytes can be read, mirrors first; all name the same digest. */
    readonly input: {
      readonly sources: readonly [Pinned, ...Pinned[]];
      readonly destination: Pinned;
      /** Layers that registries only point to are fetched from where they are published, too. Since 1.1. */
      readonly foreignLayers?: true;
    };
    readonly output: { readonly digest: string };
  };
  'package.build@1': {
    readonly input: {
      /** Melange config, relative to the root. */
      readonly config: string;
      readonly architectures: readonly string[];
      /** Folders with the packages it needs, as earlier package tasks made them. */
      readonly repositories: readonly string[];
    };
    /** `repository`: a folder with one subfolder and one signed index per architecture. */
    readonly output: { readonly repository: string; readonly packages: readonly string[] };
  };
  'image.scan@1': {
    readonly input: ScanInput;
    readonly output: Scan;
  };
  'sbom.make@1': {
    readonly input: ScanInput;
    /** One SPDX 2.3 document, as JSON data, per child that could be read. */
    readonly output: { readonly documents: readonly { readonly digest: string; readonly spdx: unknown }[] };
  };
  'statement.sign@1': {
    readonly input: { readonly statement: Statement; readonly signing: SigningInput };
    readonly output: { readonly bundle: Bundle };
  };
  'bundle.verify@1': {
    readonly input: {
      readonly bundle: Bundle;
      readonly accept: Accept;
      readonly trustedRoot?: string;
    };
    /** The statement that the bundle proves, and who signed it. */
    readonly output: { readonly statement: Statement; readonly signer: string };
  };
  /** Signs bytes as they are, for the legacy signature format: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md */
  'payload.sign@1': {
    /** `payload`: base64 of a simple-signing document. */
    readonly input: { readonly payload: string; readonly signing: SigningInput };
    readonly output: PayloadSignature;
  };
  /** Whether an identity signed these bytes; signatures made with a key are verified by the core. */
  'payload.verify@1': {
    readonly input: {
      readonly payload: string;
      readonly bundle: string;
      readonly accept: Accept;
      readonly trustedRoot?: string;
    };
    readonly output: { readonly signer: string };
  };
  /**
   * What the tags of a repository name, from one list instead of a request a tag. Its key names the host whose lists it reads:
   * `tags.list@1/docker.io`. What it says is believed only where it agrees with what is published. Since 1.1.
   */
  'tags.list@1': {
    readonly input: {
      readonly repository: Repository;
      /** What is looked for: the list may end once all of them are in it. */
      readonly tags: readonly string[];
      /** More requests than this would cost more than they save. */
      readonly requests: number;
    };
    /** `complete`: a tag that is not among them does not exist. */
    readonly output: { readonly tags: Readonly<Record<string, string>>; readonly complete: boolean };
  };
  /** Whether an image carries a signature of one of `accept`, in whichever format its registry has it; it changes nothing. Since 1.1. */
  'image.verify@1': {
    readonly input: {
      readonly image: Pinned;
      readonly accept: readonly [Accept, ...Accept[]];
      readonly trustedRoot?: string;
    };
    /**
     * Who signed: a certificate's subject with its issuer, or a key's fingerprint; and when, if a log or a timestamp authority
     * says so (RFC 3339). A `trust` failure: nobody of them did.
     */
    readonly output: { readonly signer: string; readonly issuer?: string; readonly signedAt?: string };
  };
  /**
   * The files by which another engine runs the plan, as workflows of GitHub Actions. Its key names the format:
   * `plan.emit@1/github`. Equal inputs give equal files. Since 1.1.
   */
  'plan.emit@1': {
    readonly input: EmitInput;
    readonly output: EmitOutput;
  };
}

export interface ScanInput {
  readonly subject: Pinned;
  /** Never empty; `unknown/unknown` children are left out. A single manifest is its own child. */
  readonly children: readonly Child[];
}

export interface SigningInput {
  /** Absolute path, `env://NAME` or a KMS URI; absent: keyless. */
  readonly key?: string;
  readonly signingConfig?: string;
  readonly trustedRoot?: string;
  readonly identityTokenEnv?: string;
}

export interface PayloadSignature {
  /** Base64, over the payload's bytes. */
  readonly signature: string;
  /** PEM: the certificate of a keyless signature, and the intermediate ones above it. */
  readonly certificate?: string;
  readonly chain?: string;
  /** The same signature as a Sigstore bundle with a `messageSignature`: what a log and a timestamp authority said of it. */
  readonly bundle?: string;
}

export type ContractName = keyof Contracts;
export type ContractInput<N extends ContractName> = Contracts[N]['input'];
export type ContractOutput<N extends ContractName> = Contracts[N]['output'];
