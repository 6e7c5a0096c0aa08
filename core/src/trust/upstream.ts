/** Whether the signer of a source is one that the config accepts. Pure. */
import { RE2JS } from 're2js';
import type { Accept } from '../config/settings-model.ts';
import type { VerifiedSource } from './predicates/copy.ts';

/** A text as it is, or a pattern. */
type Matcher = Extract<Accept, { readonly kind: 'identity' }>['issuer'];

export function isAccepted({ signer, issuer }: VerifiedSource, accept: readonly Accept[]): boolean {
  return accept.some((one) => {
    if (one.kind === 'key') return issuer === undefined && one.fingerprint === signer;
    return issuer !== undefined && matchesIdentity(one.issuer, issuer) && matchesIdentity(one.subject, signer);
  });
}

/** Matches the whole text, in linear time (RE2), since strangers write what stands in certificates. */
export function matchesIdentity(wanted: Matcher, actual: string): boolean {
  if ('exact' in wanted) return wanted.exact === actual;
  try {
    return RE2JS.compile(wanted.pattern).matches(actual);
  } catch {
    return false;
  }
}
