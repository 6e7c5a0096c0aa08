/** Who may have signed: the trusted root that says which certificates count, and the accepted identities. */
import type { Signer } from '@sigstore/verify';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toTrustMaterial, Verifier, type TrustMaterial } from '@sigstore/verify';
import { configFailure, fail, matchesIdentity, ok } from '@slipway/core';
import type { Accept, Result, TaskContext, TrustFailure } from '@slipway/core';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { publicGood } from './services.ts';

export type Identity = Extract<Accept, { kind: 'identity' }>;

/** The trusted root of the settings, else of the public good instance. A `config` failure: it cannot be read. */
export async function trustFor(file: string | undefined, context: TaskContext): Promise<Result<TrustMaterial>> {
  const root = file === undefined ? await publicGood('trusted-root', context) : ok(file);
  if (!root.ok) return root;
  const trusted = await readTrustedRoot(root.value);
  return trusted.ok ? ok(toTrustMaterial(trusted.value)) : trusted;
}

/** The chains of a trusted root's certificate authorities as PEM can be printed from them, each from the lowest up to its root. */
export async function certificateAuthorities(file: string): Promise<readonly (readonly X509Certificate[])[]> {
  const root = await readTrustedRoot(file);
  if (!root.ok) return [];
  return root.value.certificateAuthorities.map(({ certChain }) =>
    (certChain?.certificates ?? []).map(({ rawBytes }) => new X509Certificate(rawBytes)),
  );
}

async function readTrustedRoot(file: string): Promise<Result<TrustedRoot>> {
  try {
    return ok(TrustedRoot.fromJSON(JSON.parse(await readFile(file, 'utf8'))));
  } catch (error) {
    const hint = 'signing.trustedRoot is the path of a Sigstore trusted root, as `cosign trusted-root create` makes it';
    return fail(configFailure(`the trusted root ${file} cannot be read: ${messageOf(error)}`, hint));
  }
}

/**
 * At least one trusted time (of a timestamp authority or a log) must show that the certificate was valid when it signed.
 * Logs are asked for as far as the trusted root names any: a private instance may have none.
 */
export function verifierFor(trust: TrustMaterial): Verifier {
  return new Verifier(trust, {
    timestampThreshold: 1,
    tlogThreshold: trust.tlogs.length > 0 ? 1 : 0,
    ctlogThreshold: trust.ctlogs.length > 0 ? 1 : 0,
  });
}

/** Who a certificate names. */
export interface Certified {
  readonly issuer: string;
  readonly subject: string;
}

/** Who signed, when that is who is accepted. */
export function acceptedSigner({ identity }: Signer, accept: Identity): Result<Certified, TrustFailure> {
  const issuer = identity?.extensions?.issuer;
  const subject = identity?.subjectAlternativeName;
  if (issuer === undefined || subject === undefined)
    return fail(untrusted('the certificate of the bundle names no identity'));
  if (!matchesIdentity(accept.issuer, issuer) || !matchesIdentity(accept.subject, subject)) {
    return fail(untrusted(`the bundle was signed by ${subject} (${issuer}), who is not accepted`));
  }
  return ok({ issuer, subject });
}

/** As `bundle.verify@1` and `payload.verify@1` name a signer. */
export function signerName({ issuer, subject }: Certified): string {
  return `${issuer} ${subject}`;
}

export function untrusted(message: string): TrustFailure {
  return {
    reason: 'trust',
    class: 'permanent',
    message,
    hint: 'signing.accept in the settings says whose signatures count',
  };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n', 1)[0] ?? error.name) : 'unknown error';
}
