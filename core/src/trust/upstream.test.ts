import { describe, expect, it } from 'vitest';
import type { Accept } from '../config/settings-model.ts';
import { isAccepted } from './upstream.ts';

const key: Accept = { kind: 'key', publicKey: 'PEM', fingerprint: 'ab'.repeat(32) };
const exact: Accept = {
  kind: 'identity',
  issuer: { exact: 'https://i.example' },
  subject: { exact: 'team@u.example' },
};
const pattern: Accept = {
  kind: 'identity',
  issuer: { exact: 'https://i.example' },
  subject: { pattern: '^(?:.*@u\\.example)$' },
};
const team = { signer: 'team@u.example', issuer: 'https://i.example' };

describe('whether a signer is one that a config asks for', () => {
  it('compares keys by fingerprint, and never with the subject of a certificate', () => {
    expect(isAccepted({ signer: key.fingerprint }, [key])).toBe(true);
    expect(isAccepted({ signer: 'cd'.repeat(32) }, [key])).toBe(false);
    // Whoever may choose a subject must not be able to name a key.
    expect(isAccepted({ signer: key.fingerprint, issuer: 'https://i.example' }, [key])).toBe(false);
  });

  it('compares issuer and subject, exactly or by a pattern of the whole text', () => {
    expect(isAccepted(team, [key, exact])).toBe(true);
    expect(isAccepted(team, [pattern])).toBe(true);
    expect(isAccepted({ ...team, issuer: 'https://j.example' }, [exact, pattern])).toBe(false);
    expect(isAccepted({ ...team, signer: 'team@u.example.evil.test' }, [exact, pattern])).toBe(false);
    expect(isAccepted({ signer: 'team@u.example' }, [exact, pattern])).toBe(false);
    expect(isAccepted(team, [])).toBe(false);
  });

  it('takes nobody for a pattern that cannot be read', () => {
    const broken: Accept = { kind: 'identity', issuer: { exact: 'https://i.example' }, subject: { pattern: '(' } };
    expect(isAccepted(team, [broken])).toBe(false);
  });

  it('takes no longer for a pattern that is made to', () => {
    const slow: Accept = { kind: 'identity', issuer: { exact: 'i' }, subject: { pattern: '^(?:(a+)+b)$' } };
    expect(isAccepted({ signer: 'a'.repeat(3000), issuer: 'i' }, [slow])).toBe(false);
  });
});
