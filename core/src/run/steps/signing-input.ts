/** The part of the settings that a signer is given. */
import type { Signing } from '../../config/settings-model.ts';
import type { SigningInput } from '../../plugin/contract-api.ts';

export function signingInput({ key, signingConfig, trustedRoot, identityTokenEnv }: Signing): SigningInput {
  return {
    ...(key === undefined ? {} : { key }),
    ...(signingConfig === undefined ? {} : { signingConfig }),
    ...(trustedRoot === undefined ? {} : { trustedRoot }),
    ...(identityTokenEnv === undefined ? {} : { identityTokenEnv }),
  };
}
