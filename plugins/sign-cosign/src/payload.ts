/** The legacy signature format: signs bytes as they are, and verifies such signatures of identities. */
import { bundleFromJSON, isBundleWithMessageSignature } from '@sigstore/bundle';
import { toSignedEntity } from '@sigstore/verify';
import { fail, ok } from '@slipway/core';
import type { ContractInput, ContractOutput, Result, TaskContext, ToolFailure } from '@slipway/core';
import { X509Certificate } from 'node:crypto';
import {
  acceptedSigner,
  certificateAuthorities,
  messageOf,
  signerName,
  trustFor,
  untrusted,
  verifierFor,
} from './identity.ts';
import { makeBundle, type MadeBundle } from './make-bundle.ts';

/** Made as a bundle too, which is the only form that cosign keeps supporting; the signature is taken out of it. */
export async function signPayload(
  { payload, signing }: ContractInput<'payload.sign@1'>,
  context: TaskContext,
): Promise<Result<ContractOutput<'payload.sign@1'>>> {
  const made = await makeBundle('sign-blob', Buffer.from(payload, 'base64'), signing, context);
  return made.ok ? readSignature(made.value) : made;
}

async function readSignature({
  text: bundle,
  trustedRoot,
}: MadeBundle): Promise<Result<ContractOutput<'payload.sign@1'>>> {
  let signature: string;
  let raw: string | undefined;
  try {
    const parsed = bundleFromJSON(JSON.parse(bundle));
    if (!isBundleWithMessageSignature(parsed)) return fail(senseless('the bundle holds no signature over the payload'));
    signature = parsed.content.messageSignature.signature.toString('base64');
    const material = parsed.verificationMaterial.content;
    raw = material.$case === 'certificate' ? material.certificate.rawBytes.toString('base64') : undefined;
  } catch (error) {
    return fail(senseless(messageOf(error)));
  }
  if (raw === undefined) return ok({ signature, bundle });
  const certificate = new X509Certificate(Buffer.from(raw, 'base64'));
  const chain = await chainAbove(certificate, trustedRoot);
  return ok({ signature, bundle, certificate: certificate.toString(), ...(chain === '' ? {} : { chain }) });
}

/** Consumers that trust the root alone need the certificates between it and the signer's. */
async function chainAbove(certificate: X509Certificate, trustedRoot: string): Promise<string> {
  for (const authority of await certificateAuthorities(trustedRoot)) {
    if (authority[0] !== undefined && certificate.checkIssued(authority[0])) return authority.join('');
  }
  return '';
}

/** A `trust` failure: it does not verify, or somebody else signed. */
export async function verifyPayload(
  { payload, bundle, accept, trustedRoot }: ContractInput<'payload.verify@1'>,
  context: TaskContext,
): Promise<Result<ContractOutput<'payload.verify@1'>>> {
  if (accept.kind === 'key') return fail(untrusted('signatures made with a key are verified by the core'));
  const trust = await trustFor(trustedRoot, context);
  if (!trust.ok) return trust;
  try {
    const parsed = bundleFromJSON(JSON.parse(bundle));
    if (!isBundleWithMessageSignature(parsed)) return fail(untrusted('the bundle holds no signature over a payload'));
    const entity = toSignedEntity(parsed, Buffer.from(payload, 'base64'));
    const accepted = acceptedSigner(verifierFor(trust.value).verify(entity), accept);
    return accepted.ok ? ok({ signer: signerName(accepted.value) }) : accepted;
  } catch (error) {
    return fail(untrusted(`the signature does not verify: ${messageOf(error)}`));
  }
}

function senseless(why: string): ToolFailure {
  return {
    reason: 'tool',
    class: 'permanent',
    tool: 'cosign',
    message: `cosign wrote a bundle that cannot be read: ${why}`,
  };
}
