import { describe, expect, test } from 'vitest';
import type { Accept } from '../config/settings-model.ts';
import { acceptFingerprint, candidateAnnotations, isCandidate, signerText } from './accept.ts';
import { predicateType } from './model.ts';

const key = (byte: string): Accept => ({ kind: 'key', publicKey: 'PEM', fingerprint: byte.repeat(32) });
const identity = (subject: string): Accept => ({
  kind: 'identity',
  issuer: { exact: 'https://issuer.example' },
  subject: { pattern: subject },
});
const sbom = (signer: Accept) => candidateAnnotations(signer, predicateType.sbom);

test('annotations are those of cosign, and ours', () => {
  expect(
    candidateAnnotations(key('aa'), predicateType.provenance, { created: 't', inputKey: 'i', resolvedKey: 'r' }),
  ).toEqual({
    'dev.sigstore.bundle.content': 'dsse-envelope',
    'dev.sigstore.bundle.predicateType': 'https://slsa.dev/provenance/v1',
    'org.opencontainers.image.created': 't',
    'dev.slipway.signer': 'aa'.repeat(32),
    'dev.slipway.input-key': 'i',
    'dev.slipway.resolved-key': 'r',
  });
});

test('a signer has one line of text', () => {
  expect(signerText(identity('https://x/.*'))).toBe('~https://x/.* https://issuer.example');
});

describe('a candidate', () => {
  test('names a key that is accepted', () => {
    expect(isCandidate(sbom(key('aa')), [key('bb'), key('aa')])).toBe(true);
    expect(isCandidate(sbom(key('aa')), [key('bb'), identity('x')])).toBe(false);
  });

  test('names any identity, where one is accepted', () => {
    expect(isCandidate(sbom(identity('x')), [key('aa'), identity('y')])).toBe(true);
    expect(isCandidate(sbom(identity('x')), [key('aa')])).toBe(false);
  });

  test('may be made by cosign itself, but must be of a kind we know', () => {
    expect(isCandidate({ 'dev.sigstore.bundle.predicateType': predicateType.signature }, [key('aa')])).toBe(true);
    expect(isCandidate({ 'dev.sigstore.bundle.predicateType': 'https://example.com/x' }, [key('aa')])).toBe(false);
    expect(isCandidate({ 'dev.slipway.signer': 'aa'.repeat(32) }, [key('aa')])).toBe(false);
    expect(isCandidate(undefined, [key('aa')])).toBe(false);
  });
});

test('the fingerprint of a list depends on who is in it, not on their order', () => {
  expect(acceptFingerprint([key('aa'), identity('x')])).toBe(acceptFingerprint([identity('x'), key('aa')]));
  const lists = [[key('aa')], [key('bb')], [identity('x')], [identity('y')], [key('aa'), key('bb')]];
  expect(new Set(lists.map(acceptFingerprint)).size).toBe(lists.length);
});
