/** The hash that goes with a public key, as Sigstore's registry of algorithms has it and consumers spell it. Pure. */
import { createPublicKey } from 'node:crypto';

/** `sha256` for all but the larger curves. Verifiers that know no bundle, and cosign with a key, take sha256 unless they are told. */
export function keyHash({ publicKey }: { readonly publicKey: string }): 'sha256' | 'sha384' | 'sha512' {
  const curve = curveOf(publicKey);
  return curve === 'secp384r1' ? 'sha384' : curve === 'secp521r1' ? 'sha512' : 'sha256';
}

/** Undefined also for what is no key: verifying with it will say so. */
function curveOf(publicKey: string): string | undefined {
  try {
    return createPublicKey(publicKey).asymmetricKeyDetails?.namedCurve;
  } catch {
    return undefined;
  }
}
