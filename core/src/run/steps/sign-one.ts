/** One statement is signed; and whether any could be is found out before what takes long. */
import type { Signing } from '../../config/settings-model.ts';
import { fail, ok, type Result } from '../../failure.ts';
import { sha256 } from '../../oci/digest.ts';
import { ownerName } from '../../plugin/host.ts';
import { byAnother } from '../../trust/accept.ts';
import type { Bundle, Statement } from '../../trust/model.ts';
import { canonicalJson, makeStatement, statementSubject } from '../../trust/statement.ts';
import type { Engine, Looking, StepContext } from '../engine.ts';
import { prove } from '../prove.ts';
import { signingInput } from './signing-input.ts';

/**
 * What comes back must be about what was given, and by who the settings say: a mixed-up bundle would vouch for another image,
 * and one by another key would be attached for nothing, since nobody here would believe it.
 */
export async function signOne(step: Looking, statement: Statement, signing: Signing): Promise<Result<Bundle>> {
  const { engine, task, signal } = step;
  // One context a statement: signers write files, and these run at the same time.
  await using context = await engine.context(task, 'statement.sign@1', signal);
  const made = await engine.host.call('statement.sign@1', { statement, signing: signingInput(signing) }, context);
  if (!made.ok) return made;
  const { bundle } = made.value;
  const proved = await prove(step, bundle, signing.signer, signing);
  if (!proved.ok) return proved.failure.reason === 'trust' ? fail(byAnother(signing.signer, proved.failure)) : proved;
  if (canonicalJson(proved.value.statement) === canonicalJson(statement)) return ok(bundle);
  const signer = ownerName(engine.host, 'statement.sign@1');
  return fail({
    reason: 'trust',
    class: 'permanent',
    message: `plugin ${signer} returned a bundle for another statement than ${statement.predicateType} of ${statementSubject(statement) ?? 'nothing'}`,
    hint: `use another plugin for statement.sign, or report it to the author of plugin ${signer}`,
  });
}

/** About nothing, and of a type that nobody asks for. */
const TRIAL = makeStatement({ digest: sha256('') }, 'https://slipway.example/trial/v1', {});

const tried = new WeakMap<Engine, Promise<Result<void>>>();

/**
 * A wrong password, or the key of another pair, would else show once all is built and scanned. Tried once a run, by a signature that
 * goes nowhere: so not with an identity, whose certificate a log would keep, and with a key without the services that the settings name.
 */
export function trySigning(step: Looking): Promise<Result<void>> {
  const { engine } = step;
  const { signing } = engine;
  if (signing?.key === undefined) return Promise.resolve(ok(undefined));
  const { signingConfig: _, trustedRoot: __, ...alone } = signing;
  const trial = tried.get(engine) ?? tryKey(step, alone);
  tried.set(engine, trial);
  return trial;
}

/** The same for an entry that is about to be worked on: a mirror is not signed, and a retag takes along what is. */
export async function trySigningOf(step: StepContext): Promise<Result<void>> {
  const { trust, retagOf } = step.planned;
  return trust === 'full' && retagOf === undefined ? trySigning(step) : ok(undefined);
}

async function tryKey(step: Looking, signing: Signing): Promise<Result<void>> {
  let known = false;
  try {
    const signed = await signOne(step, TRIAL, signing);
    known = signed.ok || signed.failure.class === 'permanent';
    return signed.ok ? ok(undefined) : signed;
  } finally {
    if (!known) tried.delete(step.engine);
  }
}
