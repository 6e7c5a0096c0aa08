/** A statement in, a Sigstore bundle out. The core attaches it: the signer needs no registry. */
import { ok, parseBundle, type ContractInput, type ContractOutput, type Result, type TaskContext } from '@slipway/core';
import { makeBundle } from './make-bundle.ts';

export async function signStatement(
  { statement, signing }: ContractInput<'statement.sign@1'>,
  context: TaskContext,
): Promise<Result<ContractOutput<'statement.sign@1'>>> {
  const made = await makeBundle('attest-blob', Buffer.from(JSON.stringify(statement)), signing, context);
  if (!made.ok) return made;
  const bundle = parseBundle(made.value.text);
  return bundle.ok ? ok({ bundle: bundle.value }) : bundle;
}
