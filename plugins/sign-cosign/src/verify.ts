/**
 * Whether a bundle was signed by an accepted identity, in this process: no tool is started to verify.
 * https://github.com/sigstore/sigstore-js/tree/main/packages/verify
 */
import { bundleFromJSON, isBundleWithDsseEnvelope } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier, type TrustMaterial } from '@sigstore/verify';
import { configFailure, fail, ok, parseBundle, parseStatement, verifyKeyBundle } from '@slipway/core';
import type {
  Accept,
  ContractInput,
  ContractOutput,
  Result,
  Statement,
  TaskContext,
  TrustFailure,
} from '@slipway/core';
import { readFile } from 'node:fs/promises';
import { publicGood } from './services.ts';

type Output = ContractOutput<'bundle.verify@1'>;
type Identity = Extract<Accept, { kind: 'identity' }>;

/** A `trust` failure: it does not verify. A `config` failure: the trusted root cannot be read. */
export async function verifyBundle(
  input: ContractInput<'bundle.verify@1'>,
  context: TaskContext,
): Promise<Result<Output>> {
  const { accept, bundle } = input;
  if (accept.kind === 'key') {
    const statement = verifyKeyBundle(bundle, accept.publicKey);
    return statement.ok ? ok({ statement: statement.value, signer: accept.fingerprint }) : statement;
  }
  const root = input.trustedRoot === undefined ? await publicGood('trusted-root', context) : ok(input.trustedRoot);
  if (!root.ok) return root;
  const trust = await readTrustedRoot(root.value);
  return trust.ok ? verifyIdentity(bundle, accept, trust.value) : trust;
}

async function readTrustedRoot(file: string): Promise<Result<TrustMaterial>> {
  try {
    return ok(toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(await readFile(file, 'utf8')))));
  } catch (error) {
    const hint = 'signing.trustedRoot is the path of a Sigstore trusted root, as `cosign trusted-root create` makes it';
    return fail(configFailure(`the trusted root ${file} cannot be read: ${messageOf(error)}`, hint));
  }
}

/**
 * At least one trusted time (of a timestamp authority or a log) must show that the certificate was valid when it signed.
 * Logs are asked for as far as the trusted root names any: a private instance may have none.
 */
export function verifyIdentity(bundle: string, accept: Identity, trust: TrustMaterial): Result<Output> {
  // The core's reader is stricter about form, so that both read the same payload.
  const form = parseBundle(bundle);
  if (!form.ok) return form;
  let statement: Result<Statement, TrustFailure>;
  let issuer: string | undefined;
  let subject: string | undefined;
  try {
    const parsed = bundleFromJSON(JSON.parse(bundle));
    if (!isBundleWithDsseEnvelope(parsed)) return fail(untrusted('the bundle holds no in-toto statement'));
    const verifier = new Verifier(trust, {
      timestampThreshold: 1,
      tlogThreshold: trust.tlogs.length > 0 ? 1 : 0,
      ctlogThreshold: trust.ctlogs.length > 0 ? 1 : 0,
    });
    const signer = verifier.verify(toSignedEntity(parsed));
    issuer = signer.identity?.extensions?.issuer;
    subject = signer.identity?.subjectAlternativeName;
    statement = parseStatement(parsed.content.dsseEnvelope.payload);
  } catch (error) {
    return fail(untrusted(`the bundle does not verify: ${messageOf(error)}`));
  }
  if (issuer === undefined || subject === undefined)
    return fail(untrusted('the certificate of the bundle names no identity'));
  if (!matches(accept.issuer, issuer) || !matches(accept.subject, subject)) {
    return fail(untrusted(`the bundle was signed by ${subject} (${issuer}), who is not accepted`));
  }
  return statement.ok ? ok({ statement: statement.value, signer: `${issuer} ${subject}` }) : statement;
}

/** A pattern must match the whole text: one that matches somewhere would accept `evil-example.com` for `example.com`. */
function matches(wanted: Identity['issuer'], actual: string): boolean {
  if ('exact' in wanted) return wanted.exact === actual;
  return new RegExp(`^(?:${wanted.pattern})$`).test(actual);
}

function untrusted(message: string): TrustFailure {
  return {
    reason: 'trust',
    class: 'permanent',
    message,
    hint: 'signing.accept in the settings says whose signatures count',
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n', 1)[0] ?? error.name) : 'unknown error';
}
