/** What an export is made from, and what it gives. */
import type { Accept, SignatureFormat, Signing } from '../../config/settings-model.ts';
import type { ConfigFailure, Result } from '../../failure.ts';
import { formatRepository, type Repository } from '../../reference.ts';

export const exportKinds = ['kyverno', 'policy-controller', 'containers'] as const;
export type ExportKind = (typeof exportKinds)[number];

export interface ExportInput {
  readonly signing: Signing;
  /** Repositories that the config publishes to in `trust: full`; never empty. */
  readonly repositories: readonly Repository[];
}

/** A file that a consumer's administrator puts in place, or applies to a cluster. */
export interface ExportedFile {
  /** Where it belongs, as `/etc/containers/policy.json`, or a name for it. */
  readonly path: string;
  readonly content: string;
}

export interface Exported {
  readonly files: readonly ExportedFile[];
  /** The same files as data. */
  readonly documents: readonly unknown[];
  /** What the reader must know before it is applied: least versions, what has to be there besides. */
  readonly notes: readonly string[];
}

export type ExportResult = Result<Exported, ConfigFailure>;

export type KeyAccept = Extract<Accept, { readonly kind: 'key' }>;
export type IdentityAccept = Extract<Accept, { readonly kind: 'identity' }>;

export function formatOf(signing: Signing): SignatureFormat {
  return signing.format ?? 'bundle';
}

export function keysOf({ accept }: Signing): readonly KeyAccept[] {
  return accept.filter((one) => one.kind === 'key');
}

export function identitiesOf({ accept }: Signing): readonly IdentityAccept[] {
  return accept.filter((one) => one.kind === 'identity');
}

/** `registry/path` of each repository once, sorted, so that the same config gives the same text. */
export function repositoryNames(repositories: readonly Repository[]): readonly string[] {
  return [...new Set(repositories.map(formatRepository))].sort();
}

type Matcher = IdentityAccept['issuer'];

/** `{ issuer }` or `{ issuerRegExp }`: the same two names in every policy language of Kubernetes. */
export function identityFields({ issuer, subject }: IdentityAccept): Readonly<Record<string, string>> {
  return { ...named('issuer', issuer), ...named('subject', subject) };
}

function named(name: string, rule: Matcher): Readonly<Record<string, string>> {
  return 'exact' in rule ? { [name]: rule.exact } : { [`${name}RegExp`]: rule.pattern };
}
