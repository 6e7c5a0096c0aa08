/** The hash that goes with a public key, as Sigstore's registry of algorithms has it and consumers spell it. Pure. */
import { createPublicKey } from 'node:crypto';

/** `sha256` for all but the larger curves. Verifiers that know no bundle, and cosign with a key, take sha256 unless they are told. */
export function keyHash({ publicKey }: { readonly publicKey: string }): 'sha256' | 'sha384' | 'sha512' {
  const { namedCurve = '' } = createPublicKey(publicKey).asymmetricKeyDetails ?? {};
  return namedCurve === 'secp384r1' ? 'sha384' : namedCurve === 'secp521r1' ? 'sha512' : 'sha256';
}
