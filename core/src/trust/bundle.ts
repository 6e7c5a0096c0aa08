/**
 * Sigstore bundles v0.3 with a DSSE envelope, and the check of those made with a key. Bundles made with a certificate
 * need a trusted root and are verified by a plugin (`bundle.verify@1`).
 * https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto
 * https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md
 */
import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { fail, ok, type Result, type TrustFailure } from '../failure.ts';
import { mediaType } from '../oci/model.ts';
import type { Bundle, Statement } from './model.ts';
import { parseStatement } from './statement.ts';
import { asRecord, readJson, trustFailure } from './strict.ts';

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
/** Bytes: an SBOM of a large image is some MiB. */
export const MAX_BUNDLE = 64 * 1024 * 1024;
/** Below this RSA no longer counts as safe (NIST SP 800-131A). */
const MIN_RSA_BITS = 2048;

interface Envelope {
  readonly kind: 'key' | 'identity';
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** Bytes from a registry or a signer as a bundle, when they have a bundle's form; says nothing about its signature. */
export function parseBundle(source: Uint8Array | string): Result<Bundle, TrustFailure> {
  const envelope = readEnvelope(source);
  if (!envelope.ok) return envelope;
  return ok((typeof source === 'string' ? source : Buffer.from(source).toString('utf8')) as Bundle);
}

/** What a bundle claims: NOT verified. */
export function bundleStatement(bundle: Bundle): Result<Statement, TrustFailure> {
  const envelope = readEnvelope(bundle);
  return envelope.ok ? parseStatement(envelope.value.payload) : envelope;
}

/**
 * The statement of a bundle whose signature was made with this key (PEM, SPKI): EC P-256, P-384 and P-521, Ed25519,
 * RSA from 2048 bits with PKCS #1 v1.5 and SHA-256.
 */
export function verifyKeyBundle(bundle: Bundle, publicKeyPem: string): Result<Statement, TrustFailure> {
  const envelope = readEnvelope(bundle);
  if (!envelope.ok) return envelope;
  const { kind, payload, signature } = envelope.value;
  if (kind !== 'key') {
    return fail(
      trustFailure(
        'the bundle was made for an identity, not with a key',
        'accept its issuer and subject in signing.accept',
      ),
    );
  }
  const key = readPublicKey(publicKeyPem);
  if (!key.ok) return key;
  const signed = preAuthenticationEncoding(payload);
  // The payload is parsed only after its signature holds.
  if (!isSignedBy(key.value, signed, signature)) return fail(trustFailure('the signature was not made with this key'));
  return parseStatement(payload);
}

/** Whether these very bytes were signed with this key (PEM, SPKI): what a legacy signature is. `signature` is base64. */
export function verifyKeySignature(
  bytes: Uint8Array,
  signature: string,
  publicKeyPem: string,
): Result<void, TrustFailure> {
  const key = readPublicKey(publicKeyPem);
  if (!key.ok) return key;
  const decoded = decode(signature);
  if (decoded !== undefined && isSignedBy(key.value, bytes, decoded)) return ok(undefined);
  return fail(trustFailure('the signature was not made with this key'));
}

function readEnvelope(source: Uint8Array | string): Result<Envelope, TrustFailure> {
  const json = readJson(source, MAX_BUNDLE, 'the Sigstore bundle');
  if (!json.ok) return json;
  const bundle = asRecord(json.value);
  if (bundle?.['mediaType'] !== mediaType.bundle) {
    return fail(trustFailure('this is not a Sigstore bundle v0.3', 'sign with cosign 3 or later'));
  }
  const kind = kindOf(asRecord(bundle['verificationMaterial']));
  if (kind === undefined) return fail(trustFailure('the Sigstore bundle names neither one key nor one certificate'));
  const envelope = asRecord(bundle['dsseEnvelope']);
  if (envelope?.['payloadType'] !== PAYLOAD_TYPE) {
    return fail(trustFailure('the Sigstore bundle holds no in-toto statement'));
  }
  const signatures: unknown = envelope['signatures'];
  const signature =
    Array.isArray(signatures) && signatures.length === 1 ? decode(asRecord(signatures[0])?.['sig']) : undefined;
  if (signature === undefined) return fail(trustFailure('the Sigstore bundle does not hold exactly one signature'));
  const payload = decode(envelope['payload']);
  if (payload === undefined) return fail(trustFailure('the payload of the Sigstore bundle is not base64'));
  return ok({ kind, payload, signature });
}

/** The material is a `oneof`: with two kinds at once, who reads it would decide who signed. */
function kindOf(material: Readonly<Record<string, unknown>> | undefined): 'key' | 'identity' | undefined {
  if (material === undefined) return undefined;
  const kinds = ['publicKey', 'certificate', 'x509CertificateChain'].filter((kind) => material[kind] !== undefined);
  if (kinds.length !== 1 || asRecord(material[kinds[0] ?? '']) === undefined) return undefined;
  return kinds[0] === 'publicKey' ? 'key' : 'identity';
}

/** Standard base64 in its one canonical form; Node itself skips over what it does not know. */
function decode(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'string' || value.length === 0) return undefined;
  const bytes = Buffer.from(value, 'base64');
  return bytes.toString('base64') === value ? bytes : undefined;
}

function preAuthenticationEncoding(payload: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.byteLength} `), payload]);
}

function readPublicKey(pem: string): Result<KeyObject, TrustFailure> {
  try {
    return ok(createPublicKey(pem));
  } catch {
    return fail(
      trustFailure('the public key cannot be read', 'it must be PEM that starts with -----BEGIN PUBLIC KEY-----'),
    );
  }
}

/** The hash follows from the key, as Sigstore's registry of algorithms has it; the bundle has no say in it. */
function isSignedBy(key: KeyObject, signed: Uint8Array, signature: Uint8Array): boolean {
  const hash = hashFor(key);
  if (hash === undefined) return false;
  try {
    return verify(hash.name, signed, key, signature);
  } catch {
    return false;
  }
}

/** `name: null` means that the algorithm brings its own hash. */
function hashFor(key: KeyObject): { readonly name: string | null } | undefined {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec') return ecHash.get(namedCurve);
  if (key.asymmetricKeyType === 'rsa') return modulusLength >= MIN_RSA_BITS ? { name: 'sha256' } : undefined;
  return key.asymmetricKeyType === 'ed25519' ? { name: null } : undefined;
}

const ecHash: ReadonlyMap<string, { readonly name: string }> = new Map([
  ['prime256v1', { name: 'sha256' }],
  ['secp384r1', { name: 'sha384' }],
  ['secp521r1', { name: 'sha512' }],
]);
