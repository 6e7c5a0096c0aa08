/**
 * What `cosign sign` (3.1) says of an image: an empty predicate; the type and the subject's digest are the whole message.
 * https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md
 */
import { asRecord } from '../strict.ts';

export function signaturePredicate(): Readonly<Record<string, never>> {
  return {};
}

/** Any object: later versions of cosign may say more, and none of it decides here. */
export function readSignature(predicate: unknown): Readonly<Record<string, never>> | undefined {
  return asRecord(predicate) === undefined ? undefined : {};
}
