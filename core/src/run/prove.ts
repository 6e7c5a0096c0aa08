/** Whether an accepted signer made a bundle: keys in this process, identities by the plugin that knows their roots. */
import type { Accept, Signing } from '../config/model.ts';
import { fail, ok, type Result } from '../failure.ts';
import { verifyKeyBundle } from '../trust/bundle.ts';
import type { Bundle, Statement } from '../trust/model.ts';
import type { Engine, StepContext } from './engine.ts';

/** A bundle that does not verify is a `trust` failure; anything else (no verifier, no tool) is passed on. */
export async function prove(
  engine: Engine,
  task: StepContext['task'],
  bundle: Bundle,
  accept: Accept,
  signing: Signing,
  signal: AbortSignal,
): Promise<Result<{ readonly statement: Statement; readonly signer: string }>> {
  if (accept.kind === 'key') {
    const statement = verifyKeyBundle(bundle, accept.publicKey);
    return statement.ok
      ? ok({ statement: statement.value, signer: accept.fingerprint })
      : fail({ ...statement.failure, reason: 'trust', class: 'permanent' });
  }
  await using context = await engine.context(task, 'bundle.verify@1', signal);
  const input = { bundle, accept, ...(signing.trustedRoot === undefined ? {} : { trustedRoot: signing.trustedRoot }) };
  return await engine.host.call('bundle.verify@1', input, context);
}
