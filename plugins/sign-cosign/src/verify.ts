/**
 * Whether a bundle was signed by an accepted identity, in this process: no tool is started to verify.
 * https://github.com/sigstore/sigstore-js/tree/main/packages/verify
 */
import { bundleFromJSON, isBundleWithDsseEnvelope } from '@sigstore/bundle';
import { toSignedEntity, type TrustMaterial } from '@sigstore/verify';
import { fail, ok, parseBundle, parseStatement, verifyKeyBundle } from '@slipway/core';
import type { ContractInput, ContractOutput, Result, Statement, TaskContext } from '@slipway/core';
import { acceptedSigner, messageOf, signerName, trustFor, untrusted, verifierFor } from './identity.ts';
import type { Certified, Identity } from './identity.ts';

/** A `trust` failure: it does not verify. A `config` failure: the trusted root cannot be read. */
export async function verifyBundle(
  { accept, bundle, trustedRoot }: ContractInput<'bundle.verify@1'>,
  context: TaskContext,
): Promise<Result<ContractOutput<'bundle.verify@1'>>> {
  if (accept.kind === 'key') {
    const statement = verifyKeyBundle(bundle, accept.publicKey);
    return statement.ok ? ok({ statement: statement.value, signer: accept.fingerprint }) : statement;
  }
  const trust = await trustFor(trustedRoot, context);
  if (!trust.ok) return trust;
  const verified = verifyIdentity(bundle, accept, trust.value);
  if (!verified.ok) return verified;
  const { statement, by } = verified.value;
  return ok({ statement, signer: signerName(by) });
}

interface Verified {
  readonly statement: Statement;
  readonly by: Certified;
}

/** The statement in a bundle, if `accept` has signed it. */
export function verifyIdentity(bundle: string, accept: Identity, trust: TrustMaterial): Result<Verified> {
  // The core's reader is stricter about form, so that both read the same payload.
  const form = parseBundle(bundle);
  if (!form.ok) return form;
  try {
    const parsed = bundleFromJSON(JSON.parse(bundle));
    if (!isBundleWithDsseEnvelope(parsed)) return fail(untrusted('the bundle holds no in-toto statement'));
    const accepted = acceptedSigner(verifierFor(trust).verify(toSignedEntity(parsed)), accept);
    if (!accepted.ok) return accepted;
    const statement = parseStatement(parsed.content.dsseEnvelope.payload);
    return statement.ok ? ok({ statement: statement.value, by: accepted.value }) : statement;
  } catch (error) {
    return fail(untrusted(`the bundle does not verify: ${messageOf(error)}`));
  }
}
