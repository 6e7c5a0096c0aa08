import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bundleStatement, parseBundle, verifyKeyBundle } from './bundle.ts';
import { predicateType, type Bundle } from './model.ts';
import { readScan } from './predicates/scan.ts';

const fixture = (name: string): string => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');
const bundle = (name: string): Bundle => fixture(`${name}.sigstore`) as Bundle;
const p256 = fixture('p256.pub');

interface Loose {
  verificationMaterial: Record<string, unknown>;
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string }[] };
  [key: string]: unknown;
}

/** A bundle of cosign's, changed. */
function tampered(change: (bundle: Loose) => void): Bundle {
  const loose = JSON.parse(bundle('signature')) as Loose;
  change(loose);
  return JSON.stringify(loose) as Bundle;
}

describe('bundles that cosign made', () => {
  test('a signature verifies with its key and gives its statement', () => {
    const verified = verifyKeyBundle(bundle('signature'), p256);
    expect(verified).toMatchObject({
      ok: true,
      value: { predicateType: predicateType.signature, subject: [{ digest: { sha256: 'a1'.repeat(32) } }] },
    });
    expect(verified).toEqual(bundleStatement(bundle('signature')));
  });

  test('a scan comes back as it went in', () => {
    const verified = verifyKeyBundle(bundle('scan'), p256);
    const scan = verified.ok ? readScan(verified.value.predicate) : undefined;
    expect(scan?.platforms[0]?.findings[0]?.id).toBe('CVE-2026-0001');
  });

  test.each(['p384', 'p521', 'rsa'])('%s keys verify, and only with their own key', (name) => {
    expect(verifyKeyBundle(bundle(name), fixture(`${name}.pub`)).ok).toBe(true);
    expect(verifyKeyBundle(bundle(name), p256).ok).toBe(false);
    expect(verifyKeyBundle(bundle('signature'), fixture(`${name}.pub`)).ok).toBe(false);
  });

  test('one by a foreign key is read but not believed', () => {
    expect(bundleStatement(bundle('foreign')).ok).toBe(true);
    expect(verifyKeyBundle(bundle('foreign'), p256)).toMatchObject({ ok: false, failure: { reason: 'trust' } });
  });
});

describe('bundles that were tampered with', () => {
  const swapped = Buffer.from(
    Buffer.from(JSON.parse(bundle('signature')).dsseEnvelope.payload as string, 'base64')
      .toString()
      .replaceAll('a1', 'b2'),
  ).toString('base64');

  test.each<[string, (bundle: Loose) => void]>([
    ['another subject', (loose) => (loose.dsseEnvelope.payload = swapped)],
    ['another payload type', (loose) => (loose.dsseEnvelope.payloadType = 'application/json')],
    ['no signature', (loose) => (loose.dsseEnvelope.signatures = [])],
    ['a second signature', (loose) => loose.dsseEnvelope.signatures.push({ sig: 'AAAA' })],
    ['an empty signature', (loose) => (loose.dsseEnvelope.signatures = [{ sig: '' }])],
    [
      'a signature that is not canonical base64',
      (loose) => (loose.dsseEnvelope.signatures = [{ sig: `${loose.dsseEnvelope.signatures[0]?.sig}!` }]),
    ],
    [
      'a certificate in place of the key',
      (loose) => (loose.verificationMaterial = { certificate: { rawBytes: 'AAAA' } }),
    ],
    ['a certificate beside the key', (loose) => (loose.verificationMaterial['certificate'] = { rawBytes: 'AAAA' })],
    ['an older media type', (loose) => (loose['mediaType'] = 'application/vnd.dev.sigstore.bundle+json;version=0.1')],
  ])('%s is refused', (_name, change) => {
    expect(verifyKeyBundle(bundle('signature'), p256).ok).toBe(true);
    expect(verifyKeyBundle(tampered(change), p256)).toMatchObject({
      ok: false,
      failure: { reason: 'trust', class: 'permanent' },
    });
  });

  test('a flipped bit of the payload is refused wherever it is', () => {
    const { payload } = (JSON.parse(bundle('signature')) as Loose).dsseEnvelope;
    const size = Buffer.from(payload, 'base64').length;
    fc.assert(
      fc.property(fc.nat(size - 1), fc.nat(7), (at, bit) => {
        const bytes = Buffer.from(payload, 'base64');
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        expect(
          verifyKeyBundle(
            tampered((loose) => (loose.dsseEnvelope.payload = bytes.toString('base64'))),
            p256,
          ).ok,
        ).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  test('garbage never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.uint8Array()), (garbage) => {
        expect(parseBundle(garbage).ok).toBe(false);
      }),
    );
  });

  test('nor do bundles with garbage in them', () => {
    const part = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(part, part, part, (verificationMaterial, dsseEnvelope, signatures) => {
        const mediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
        const envelopes = [dsseEnvelope, { payloadType: 'application/vnd.in-toto+json', payload: 'e30=', signatures }];
        for (const one of envelopes) {
          for (const material of [verificationMaterial, { publicKey: {} }]) {
            const text = JSON.stringify({ mediaType, verificationMaterial: material, dsseEnvelope: one });
            expect(verifyKeyBundle(text as Bundle, p256).ok).toBe(false);
          }
        }
      }),
    );
  });
});

describe('keys', () => {
  const type = 'application/vnd.in-toto+json';
  const payload = Buffer.from(JSON.parse(bundle('signature')).dsseEnvelope.payload as string, 'base64');
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
  const withSignature = (sig: Uint8Array): Bundle =>
    tampered((loose) => (loose.dsseEnvelope.signatures = [{ sig: Buffer.from(sig).toString('base64') }]));
  const pem = { type: 'spki', format: 'pem' } as const;

  test('Ed25519 verifies', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const made = withSignature(sign(null, signed, privateKey));
    expect(verifyKeyBundle(made, publicKey.export(pem) as string).ok).toBe(true);
    expect(verifyKeyBundle(made, generateKeyPairSync('ed25519').publicKey.export(pem) as string).ok).toBe(false);
  });

  test.each([
    ['a short RSA key', () => generateKeyPairSync('rsa', { modulusLength: 1024 })],
    ['a curve of no standing', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
  ])('%s is refused though its signature holds', (_name, generate) => {
    const { publicKey, privateKey } = generate();
    expect(verifyKeyBundle(withSignature(sign('sha256', signed, privateKey)), publicKey.export(pem) as string).ok).toBe(
      false,
    );
  });

  test('a key that cannot be read is a failure that says so', () => {
    expect(verifyKeyBundle(bundle('signature'), 'none')).toMatchObject({
      ok: false,
      failure: { message: 'the public key cannot be read' },
    });
  });
});
