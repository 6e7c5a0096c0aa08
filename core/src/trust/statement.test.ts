import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../reference.ts';
import { predicateType } from './model.ts';
import { canonicalJson, makeStatement, parseStatement, statementSubject } from './statement.ts';

const digest = `sha256:${'a1'.repeat(32)}` as Digest;
const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

describe('canonicalJson', () => {
  test('sorts keys at every level and leaves out what has no value', () => {
    expect(canonicalJson({ b: [{ d: 1, c: null }], a: undefined, A: 'x' })).toBe('{"A":"x","b":[{"c":null,"d":1}]}');
  });

  test('loses nothing, and does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(reversed(JSON.parse(text)))).toBe(text);
      }),
    );
  });

  test('keeps a key named __proto__ as data', () => {
    expect(canonicalJson(JSON.parse('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}');
  });

  test('throws on what JSON cannot say', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, () => 1, 1n]) {
      expect(() => canonicalJson(value)).toThrow(TypeError);
    }
  });
});

describe('parseStatement', () => {
  test('reads what makeStatement made', () => {
    const statement = makeStatement({ digest }, predicateType.signature, {});
    expect(parseStatement(Buffer.from(canonicalJson(statement)))).toEqual({ ok: true, value: statement });
    expect(statementSubject(statement)).toBe(digest);
  });

  test('names no repository', () => {
    expect(canonicalJson(makeStatement({ digest }, 't', {}))).not.toContain('name');
  });

  test('reads the older type that `cosign attest` writes', () => {
    const old = { ...makeStatement({ digest }, 't', { a: 1 }), _type: 'https://in-toto.io/Statement/v0.1' };
    expect(parseStatement(bytes(old))).toMatchObject({ ok: true, value: { predicate: { a: 1 } } });
  });

  test.each([
    ['another type', { _type: 'x' }],
    ['no subject', { subject: [] }],
    ['two subjects', { subject: [{ digest: { sha256: 'a1'.repeat(32) } }, { digest: { sha256: 'b2'.repeat(32) } }] }],
    ['a weak digest', { subject: [{ digest: { sha1: 'a1'.repeat(20) } }] }],
    ['a digest that is none', { subject: [{ digest: { sha256: 'A1' } }] }],
    ['no predicate type', { predicateType: 7 }],
  ])('refuses %s', (_name, change) => {
    expect(parseStatement(bytes({ ...makeStatement({ digest }, 't', {}), ...change })).ok).toBe(false);
  });

  test('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (garbage) => {
        expect(parseStatement(garbage).ok).toBe(false);
      }),
    );
  });

  test('refuses what is nested so deeply that walking it would end the process', () => {
    const deep = (levels: number): Uint8Array => {
      const text = JSON.stringify(makeStatement({ digest }, 't', 'HERE'));
      return Buffer.from(text.replace('"HERE"', '['.repeat(levels) + ']'.repeat(levels)));
    };
    expect(parseStatement(deep(50)).ok).toBe(true);
    expect(parseStatement(deep(100_000)).ok).toBe(false);
    expect(parseStatement(bytes(makeStatement({ digest }, 't', '['.repeat(1000)))).ok).toBe(true);
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, reversed(item)]),
  );
}
