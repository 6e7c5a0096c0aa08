/** Who signed a source that is to be locked. */
import { fail, ok } from '../failure.ts';
import { formatReference } from '../reference.ts';
import { lookTask } from '../run/believe.ts';
import type { Engine } from '../run/engine.ts';
import { signedSomewhere } from '../run/signed-somewhere.ts';
import { signerText } from '../trust/accept.ts';
import type { VerifySource } from './look.ts';

/** The age that `verify` may ask for is left to the run: it needs nothing but time. */
export function verifyWith(engine: Engine, signal: AbortSignal): VerifySource {
  return async (image, { accept: [first, ...others] }) => {
    if (first === undefined) return ok(undefined);
    const accept = [first, ...others] as const;
    const task = lookTask(`update ${formatReference(image)}`);
    const verified = await signedSomewhere({ engine, task, signal }, image, accept, () => {});
    if (verified.ok) return ok(verified.value.signer);
    if (verified.failure.reason !== 'trust') return verified;
    const asked = accept.map(signerText).join(' or ');
    const hint = 'find out who pushed it, and change "verify" only if they may';
    return fail({
      ...verified.failure,
      message: `${formatReference(image)} is not signed by ${asked}: ${verified.failure.message}`,
      hint,
    });
  };
}
