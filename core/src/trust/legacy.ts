/**
 * The layout that cosign 2 wrote, and that many consumers still read: manifests tagged `sha256-<hex>.sig` and `.att`,
 * with a layer for each signature and each attestation, and what proves it in the layer's annotations.
 * https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
 * https://github.com/sigstore/cosign/blob/main/specs/ATTESTATION_SPEC.md
 * https://github.com/containers/container-libs/blob/main/image/docs/containers-signature.5.md
 */
import { parseLocation } from '../location.ts';
import { sha256 } from '../oci/digest.ts';
import { mediaType, type Descriptor } from '../oci/model.ts';
import { formatRepository, parseDigest, sameRepository, type Digest, type Repository, type Tag } from '../reference.ts';
import type { PayloadSignature } from '../plugin/contract-api.ts';
import { annotation } from './accept.ts';
import { MAX_BUNDLE } from './bundle.ts';
import type { Bundle } from './model.ts';
import { asRecord, readJson } from './strict.ts';

export type LegacyKind = 'sig' | 'att';

type Annotations = Readonly<Record<string, string>>;

export interface Layer {
  readonly descriptor: Descriptor & { readonly annotations: Annotations };
  readonly bytes: Uint8Array;
}

export const legacyType: Readonly<Record<LegacyKind, string>> = {
  sig: 'application/vnd.dev.cosign.simplesigning.v1+json',
  att: 'application/vnd.dsse.envelope.v1+json',
};

/** What consumers look for; `material` is ours: the bundle's own proof, so that the bundle can be made again as it was. */
export const legacyAnnotation = {
  signature: 'dev.cosignproject.cosign/signature',
  certificate: 'dev.sigstore.cosign/certificate',
  chain: 'dev.sigstore.cosign/chain',
  log: 'dev.sigstore.cosign/bundle',
  timestamp: 'dev.sigstore.cosign/rfc3161timestamp',
  predicateType: 'predicateType',
  material: 'dev.slipway.material',
} as const;

/** Bytes of what is signed: a name and a digest. */
export const MAX_PAYLOAD = 64 * 1024;
const KEY_MATERIAL = { publicKey: { hint: '' } };

export function legacyTag(subject: Digest, kind: LegacyKind): Tag {
  return `${subject.replace(':', '-')}.${kind}` as Tag;
}

/** The simple-signing document that says: this digest, in this repository. */
export function simpleSigning(repository: Repository, digest: Digest): Uint8Array {
  return encode({
    critical: {
      identity: { 'docker-reference': formatRepository(repository) },
      image: { 'docker-manifest-digest': digest },
      type: 'cosign container image signature',
    },
    optional: null,
  });
}

/** Whether a simple-signing document is about this digest in this repository. */
export function isAbout(payload: Uint8Array, repository: Repository, digest: Digest): boolean {
  const json = readJson(payload, MAX_PAYLOAD, 'the signed payload');
  const critical = asRecord(json.ok ? asRecord(json.value)?.['critical'] : undefined);
  const signed = asRecord(critical?.['image'])?.['docker-manifest-digest'];
  if (typeof signed !== 'string' || parseDigest(signed) !== digest) return false;
  const name = asRecord(critical?.['identity'])?.['docker-reference'];
  if (typeof name !== 'string') return false;
  const reference = parseLocation(name);
  return reference.ok && sameRepository(reference.value, repository);
}

export function signatureLayer(payload: Uint8Array, made: PayloadSignature, annotations: Annotations): Layer {
  const { signature, certificate, chain, bundle } = made;
  return layer(legacyType.sig, payload, {
    ...annotations,
    ...(bundle === undefined ? {} : proof(bundle)),
    ...(certificate === undefined ? {} : { [legacyAnnotation.certificate]: certificate }),
    ...(chain === undefined ? {} : { [legacyAnnotation.chain]: chain }),
    [legacyAnnotation.signature]: signature,
  });
}

/** The envelope of a bundle, alone, as a layer; `undefined`: the bundle holds none. */
export function attestationLayer(bundle: Bundle, annotations: Annotations): Layer | undefined {
  const json = readJson(bundle, MAX_BUNDLE, 'the Sigstore bundle');
  const envelope = asRecord(json.ok ? asRecord(json.value)?.['dsseEnvelope'] : undefined);
  if (envelope === undefined) return undefined;
  const { payload, payloadType, signatures } = envelope;
  return layer(legacyType.att, encode({ payload, payloadType, signatures }), {
    ...annotations,
    ...proof(bundle),
    [legacyAnnotation.signature]: '',
    [legacyAnnotation.predicateType]: annotations[annotation.predicateType] ?? '',
  });
}

/** The bundle that an attestation's layer was made from. For a layer that cosign made with a key: the bundle that would say the same. */
export function bundleOfAttestation(annotations: Annotations, envelope: Uint8Array): Bundle | undefined {
  const json = readJson(envelope, MAX_BUNDLE, 'the envelope');
  const verificationMaterial = materialOf(annotations);
  if (!json.ok || verificationMaterial === undefined) return undefined;
  return JSON.stringify({ mediaType: mediaType.bundle, verificationMaterial, dsseEnvelope: json.value }) as Bundle;
}

/** The same for a signature's layer. */
export function bundleOfSignature(annotations: Annotations, payload: Uint8Array): string | undefined {
  const verificationMaterial = materialOf(annotations);
  const signature = annotations[legacyAnnotation.signature];
  if (verificationMaterial === undefined || signature === undefined) return undefined;
  const digest = Buffer.from(sha256(payload).slice('sha256:'.length), 'hex').toString('base64');
  const messageSignature = { messageDigest: { algorithm: 'SHA2_256', digest }, signature };
  return JSON.stringify({ mediaType: mediaType.bundle, verificationMaterial, messageSignature });
}

function materialOf(annotations: Annotations): unknown {
  const text = annotations[legacyAnnotation.material];
  if (text === undefined) return annotations[legacyAnnotation.certificate] === undefined ? KEY_MATERIAL : undefined;
  const json = readJson(text, MAX_PAYLOAD * 16, 'the proof');
  return json.ok ? asRecord(json.value) : undefined;
}

/** What a bundle proves its signature with, in the annotations that consumers of this layout read. */
function proof(bundle: string): Annotations {
  const json = readJson(bundle, MAX_BUNDLE, 'the Sigstore bundle');
  const material = asRecord(json.ok ? asRecord(json.value)?.['verificationMaterial'] : undefined);
  if (material === undefined || material['publicKey'] !== undefined) return {};
  const certificate = asRecord(material['certificate'])?.['rawBytes'];
  const log = logEntry(asRecord(first(material['tlogEntries'])));
  const stamps = asRecord(material['timestampVerificationData'])?.['rfc3161Timestamps'];
  const stamp = asRecord(first(stamps))?.['signedTimestamp'];
  return {
    [legacyAnnotation.material]: JSON.stringify(material),
    ...(typeof certificate === 'string' ? { [legacyAnnotation.certificate]: pem(certificate) } : {}),
    ...(log === undefined ? {} : { [legacyAnnotation.log]: JSON.stringify(log) }),
    ...(typeof stamp === 'string'
      ? { [legacyAnnotation.timestamp]: JSON.stringify({ SignedRFC3161Timestamp: stamp }) }
      : {}),
  };
}

/** Only a log that promises inclusion (Rekor 1) can be shown in this layout; a timestamp then has to do. */
function logEntry(entry: Readonly<Record<string, unknown>> | undefined): unknown {
  const promise = asRecord(entry?.['inclusionPromise'])?.['signedEntryTimestamp'];
  const keyId = asRecord(entry?.['logId'])?.['keyId'];
  if (entry === undefined || typeof promise !== 'string' || typeof keyId !== 'string') return undefined;
  return {
    SignedEntryTimestamp: promise,
    Payload: {
      body: entry['canonicalizedBody'],
      integratedTime: Number(entry['integratedTime']),
      logIndex: Number(entry['logIndex']),
      logID: Buffer.from(keyId, 'base64').toString('hex'),
    },
  };
}

function first(value: unknown): unknown {
  return Array.isArray(value) ? (value as readonly unknown[])[0] : undefined;
}

function pem(der: string): string {
  return `-----BEGIN CERTIFICATE-----\n${der.match(/.{1,64}/g)?.join('\n') ?? ''}\n-----END CERTIFICATE-----\n`;
}

function layer(type: string, bytes: Uint8Array, annotations: Annotations): Layer {
  return { bytes, descriptor: { mediaType: type, digest: sha256(bytes), size: bytes.byteLength, annotations } };
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
