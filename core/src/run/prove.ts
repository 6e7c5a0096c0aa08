/** Whether an accepted signer made a bundle: keys in this process, identities by the plugin that knows their roots. */
import type { Accept, Signing } from '../config/settings-model.ts';
import { fail, ok, type Result } from '../failure.ts';
import { verifyKeyBundle } from '../trust/bundle.ts';
import { factFrom, type Fact, type Verified } from '../trust/facts.ts';
import type { Bundle } from '../trust/model.ts';
import type { Looking } from './engine.ts';

/** A bundle that does not verify is a `trust` failure; anything else (no verifier, no tool) is passed on. */
export async function prove(
  { engine, task, signal }: Looking,
  bundle: Bundle,
  accept: Accept,
  { trustedRoot }: Signing,
): Promise<Result<Pick<Verified, 'statement' | 'signer'>>> {
  if (accept.kind === 'key') {
    const statement = verifyKeyBundle(bundle, accept.publicKey);
    return statement.ok
      ? ok({ statement: statement.value, signer: accept.fingerprint })
      : fail({ ...statement.failure, reason: 'trust', class: 'permanent' });
  }
  await using context = await engine.context(task, 'bundle.verify@1', signal);
  const input = { bundle, accept, ...(trustedRoot === undefined ? {} : { trustedRoot }) };
  return await engine.host.call('bundle.verify@1', input, context);
}

/** What a bundle says that one of those has signed who are accepted; `undefined`: none of them has signed anything of use. */
export async function provenFact(
  step: Looking,
  bundle: Bundle,
  signing: Signing,
  attached: Omit<Verified, 'statement' | 'signer'>,
): Promise<Result<Fact | undefined>> {
  for (const accept of signing.accept) {
    const proved = await prove(step, bundle, accept, signing);
    if (!proved.ok && proved.failure.reason !== 'trust') return proved;
    const fact = proved.ok ? factFrom({ ...proved.value, ...attached }) : undefined;
    if (fact !== undefined) return ok(fact);
  }
  return ok(undefined);
}
