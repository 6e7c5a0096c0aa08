/** Which referrers may be ours. Annotations only select: nothing is believed before its bundle is verified. */
import { createHash } from 'node:crypto';
import type { Accept } from '../config/settings-model.ts';
import type { TrustFailure } from '../failure.ts';
import { predicateType } from './model.ts';
import { canonicalJson } from './statement.ts';

/** The first two are what cosign writes and looks for; `created` is the OCI specification's. */
export const annotation = {
  predicateType: 'dev.sigstore.bundle.predicateType',
  content: 'dev.sigstore.bundle.content',
  created: 'org.opencontainers.image.created',
  signer: 'dev.slipway.signer',
  inputKey: 'dev.slipway.input-key',
  resolvedKey: 'dev.slipway.resolved-key',
} as const;

type Annotations = Readonly<Record<string, string>>;

const FINGERPRINT = /^[0-9a-f]{64}$/;
const KNOWN: ReadonlySet<string | undefined> = new Set(Object.values(predicateType));

/** One line that names a signer: a key's fingerprint, or `subject issuer`, where a pattern begins with `~`. */
export function signerText(accept: Accept): string {
  if (accept.kind === 'key') return accept.fingerprint;
  const [subject, issuer] = [accept.subject, accept.issuer].map((rule) =>
    'exact' in rule ? rule.exact : `~${rule.pattern}`,
  );
  return `${subject} ${issuer}`;
}

/** The failure where what we have just had signed verifies, but as signed by somebody else. */
export function byAnother(signer: Accept, failure: TrustFailure): TrustFailure {
  return {
    ...failure,
    message: `what was signed does not verify as ${signerText(signer)}: ${failure.message}`,
    hint: 'the key, or the identity of the token, is not the one that signing names in the settings',
  };
}

export interface Extra {
  /** RFC 3339; taken from the predicate, so that attaching the same bundle twice makes the same manifest. */
  readonly created?: string;
  readonly inputKey?: string;
  readonly resolvedKey?: string;
}

/** The annotations of the manifest that carries a bundle. */
export function candidateAnnotations(signer: Accept, type: string, extra: Extra = {}): Annotations {
  return {
    [annotation.content]: 'dsse-envelope',
    [annotation.predicateType]: type,
    [annotation.signer]: signerText(signer),
    ...(extra.created === undefined ? {} : { [annotation.created]: extra.created }),
    ...(extra.inputKey === undefined ? {} : { [annotation.inputKey]: extra.inputKey }),
    ...(extra.resolvedKey === undefined ? {} : { [annotation.resolvedKey]: extra.resolvedKey }),
  };
}

/**
 * Whether a referrer is worth reading. One without our annotation is, because people also sign with cosign itself; one that names a key
 * that is not accepted is not. Identities are left to the verification, which alone can compare them.
 */
export function isCandidate(annotations: Annotations | undefined, accept: readonly Accept[]): boolean {
  if (!KNOWN.has(annotations?.[annotation.predicateType])) return false;
  const signer = annotations?.[annotation.signer];
  if (signer === undefined) return true;
  if (FINGERPRINT.test(signer)) return accept.some((one) => one.kind === 'key' && one.fingerprint === signer);
  return accept.some((one) => one.kind === 'identity');
}

/** A hash of whose signatures count: what was verified under one list is not believed under another. */
export function acceptFingerprint(accept: readonly Accept[]): string {
  const rules = accept.map((one) => {
    return canonicalJson(one.kind === 'key' ? { key: one.fingerprint } : { issuer: one.issuer, subject: one.subject });
  });
  return createHash('sha256').update(rules.sort().join('\n')).digest('hex');
}
