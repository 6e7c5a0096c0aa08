/** Who signed a source, by the plugin that verifies images. */
import { fail, ok } from '../failure.ts';
import { formatReference } from '../reference.ts';
import { lookTask } from '../run/believe.ts';
import type { Engine } from '../run/engine.ts';
import { trustedRootOf } from '../run/steps/origin.ts';
import { signerText } from '../trust/accept.ts';
import type { VerifySource } from './update.ts';

/** The age that `verify` may ask for as well is for the run to look at: time alone cures it. */
export function verifyWith(engine: Engine, signal: AbortSignal): VerifySource {
  return async (image, { accept: [first, ...others] }) => {
    if (first === undefined) return ok(undefined);
    const accept = [first, ...others] as const;
    const task = lookTask(`update ${formatReference(image)}`);
    await using context = await engine.context(task, 'image.verify@1', signal);
    const trustedRoot = trustedRootOf(engine);
    const input = { image, accept, ...(trustedRoot === undefined ? {} : { trustedRoot }) };
    const verified = await engine.host.call('image.verify@1', input, context);
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
