import fc from 'fast-check';
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Digest } from '../reference.ts';
import { annotation } from './accept.ts';
import { verifyKeySignature } from './bundle.ts';
import {
  attestationLayer,
  bundleOfAttestation,
  bundleOfSignature,
  isAbout,
  legacyAnnotation,
  legacyTag,
  signatureLayer,
  simpleSigning,
} from './legacy.ts';
import type { Bundle } from './model.ts';

const DIGEST = `sha256:${'a'.repeat(64)}` as Digest;
const OTHER = `sha256:${'b'.repeat(64)}` as Digest;
const REPOSITORY = { registry: 'ghcr.io', path: 'example/app' };

it('writes the very document that cosign 3.1 writes', () => {
  expect(Buffer.from(simpleSigning(REPOSITORY, DIGEST)).toString()).toBe(
    `{"critical":{"identity":{"docker-reference":"ghcr.io/example/app"},"image":{"docker-manifest-digest":"${DIGEST}"},"type":"cosign container image signature"},"optional":null}`,
  );
  expect(legacyTag(DIGEST, 'att')).toBe(`sha256-${'a'.repeat(64)}.att`);
});

describe('isAbout', () => {
  const payload = simpleSigning(REPOSITORY, DIGEST);

  it('holds for this digest in this repository alone', () => {
    expect(isAbout(payload, REPOSITORY, DIGEST)).toBe(true);
    expect(isAbout(payload, REPOSITORY, OTHER)).toBe(false);
    expect(isAbout(payload, { ...REPOSITORY, path: 'example/other' }, DIGEST)).toBe(false);
  });

  it('knows Docker Hub by the name that cosign gives it', () => {
    const named = Buffer.from(payload).toString().replace('ghcr.io/example/app', 'index.docker.io/example/app');
    expect(isAbout(Buffer.from(named), { registry: 'docker.io', path: 'example/app' }, DIGEST)).toBe(true);
  });

  it('never throws, and takes nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(isAbout(Buffer.from(text), REPOSITORY, DIGEST)).toBe(false);
      }),
    );
  });
});

describe('an attestation', () => {
  const envelope = { payload: 'e30=', payloadType: 'application/vnd.in-toto+json', signatures: [{ sig: 'AAAA' }] };
  const bundleOf = (verificationMaterial: unknown): Bundle =>
    JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial,
      dsseEnvelope: envelope,
    }) as Bundle;
  const annotations = { [annotation.predicateType]: 'https://spdx.dev/Document' };

  it('of a key is its envelope, and becomes the same bundle again', () => {
    const bundle = bundleOf({ publicKey: { hint: '' } });
    const layer = attestationLayer(bundle, annotations);
    expect(layer?.descriptor.annotations).toEqual({
      ...annotations,
      [legacyAnnotation.signature]: '',
      [legacyAnnotation.predicateType]: 'https://spdx.dev/Document',
    });
    expect(JSON.parse(Buffer.from(layer?.bytes ?? []).toString())).toEqual(envelope);
    expect(bundleOfAttestation(layer?.descriptor.annotations ?? {}, layer?.bytes ?? Buffer.from(''))).toBe(bundle);
  });

  it('of an identity shows certificate, log and time as older consumers read them, and loses nothing', () => {
    const bundle = bundleOf({
      certificate: { rawBytes: 'AQID' },
      tlogEntries: [
        {
          logIndex: '7',
          logId: { keyId: Buffer.from([1, 2, 255]).toString('base64') },
          integratedTime: '1700000000',
          inclusionPromise: { signedEntryTimestamp: 'U0VU' },
          inclusionProof: { logIndex: '7' },
          canonicalizedBody: 'Qk9EWQ==',
        },
      ],
      timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: 'VFM=' }] },
    });
    const layer = attestationLayer(bundle, annotations);
    const shown = layer?.descriptor.annotations ?? {};
    expect(shown[legacyAnnotation.certificate]).toBe('-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n');
    expect(JSON.parse(shown[legacyAnnotation.log] ?? '')).toEqual({
      SignedEntryTimestamp: 'U0VU',
      Payload: { body: 'Qk9EWQ==', integratedTime: 1_700_000_000, logIndex: 7, logID: '0102ff' },
    });
    expect(JSON.parse(shown[legacyAnnotation.timestamp] ?? '')).toEqual({ SignedRFC3161Timestamp: 'VFM=' });
    expect(bundleOfAttestation(shown, layer?.bytes ?? Buffer.from(''))).toBe(bundle);
  });

  it('is none without an envelope, and of a foreign certificate no bundle can be made', () => {
    expect(attestationLayer('{}' as Bundle, annotations)).toBeUndefined();
    expect(bundleOfAttestation({ [legacyAnnotation.certificate]: 'pem' }, Buffer.from('{}'))).toBeUndefined();
  });
});

describe('a signature', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const payload = simpleSigning(REPOSITORY, DIGEST);
  const signature = sign('sha256', payload, privateKey).toString('base64');

  it('lies in an annotation, and holds for these bytes and this key alone', () => {
    const layer = signatureLayer(payload, { signature }, {});
    expect(layer.descriptor.annotations).toEqual({ [legacyAnnotation.signature]: signature });
    expect(verifyKeySignature(layer.bytes, signature, pem).ok).toBe(true);
    expect(verifyKeySignature(simpleSigning(REPOSITORY, OTHER), signature, pem).ok).toBe(false);
    expect(verifyKeySignature(payload, '', pem).ok).toBe(false);
    const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
      type: 'spki',
      format: 'pem',
    });
    expect(verifyKeySignature(payload, signature, foreign.toString()).ok).toBe(false);
  });

  it('becomes a bundle over the digest of its payload', () => {
    const layer = signatureLayer(payload, { signature }, {});
    const bundle = JSON.parse(bundleOfSignature(layer.descriptor.annotations, payload) ?? '') as Record<
      string,
      unknown
    >;
    expect(bundle).toMatchObject({ messageSignature: { signature, messageDigest: { algorithm: 'SHA2_256' } } });
    expect(bundleOfSignature({}, payload)).toBeUndefined();
  });
});
