import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatPinned,
  formatReference,
  parseDigest,
  parseReference,
  parseRepository,
  pin,
  sameRepository,
} from './reference.ts';

const hex = 'a'.repeat(64);
const digest = `sha256:${hex}`;

function text(reference: string): string {
  const parsed = parseReference(reference);
  if (!parsed.ok) throw new Error(parsed.failure.message);
  return formatReference(parsed.value);
}

function why(reference: string): string {
  const parsed = parseReference(reference);
  if (parsed.ok) throw new Error(`${reference} was taken for ${formatReference(parsed.value)}`);
  return parsed.failure.message;
}

describe('a reference', () => {
  it.each([
    ['alpine', 'docker.io/library/alpine:latest'],
    ['alpine:3.20', 'docker.io/library/alpine:3.20'],
    ['redhat/ubi8', 'docker.io/redhat/ubi8:latest'],
    ['docker.io/alpine', 'docker.io/library/alpine:latest'],
    ['index.docker.io/library/alpine:1', 'docker.io/library/alpine:1'],
    ['registry-1.docker.io/a/b', 'docker.io/a/b:latest'],
    ['localhost/a', 'localhost/a:latest'],
    ['localhost:5000/a', 'localhost:5000/a:latest'],
    ['LOCALHOST:5000/a', 'localhost:5000/a:latest'],
    ['127.0.0.1:5000/a/b:1', '127.0.0.1:5000/a/b:1'],
    ['[::1]:5000/a:1', '[::1]:5000/a:1'],
    ['GHCR.io/a/b', 'ghcr.io/a/b:latest'],
    [`ghcr.io/a/b@${digest}`, `ghcr.io/a/b@${digest}`],
    [`ghcr.io/a/b:1.2@${digest}`, `ghcr.io/a/b:1.2@${digest}`],
    [`quay.io/centos/centos@sha512:${'b'.repeat(128)}`, `quay.io/centos/centos@sha512:${'b'.repeat(128)}`],
    ['a.example/x__y/z-w:V_1.0-rc', 'a.example/x__y/z-w:V_1.0-rc'],
  ])('%s is %s', (given, canonical) => {
    expect(text(given)).toBe(canonical);
  });

  it.each([
    ['', 'empty'],
    ['--help', 'not an image reference'],
    ['-rf/x', 'not an image reference'],
    ['ghcr.io/-x/y', 'not an image reference'],
    ['[1::2::3]/a:1', 'not a registry host'],
    ['[12345::1]:5000/a:1', 'not a registry host'],
    ['ghcr.io/a/../b', 'not an image reference'],
    ['ghcr.io//b', 'not an image reference'],
    ['ghcr.io/a/b:', 'no valid tag'],
    ['ghcr.io/a/b:-1', 'no valid tag'],
    [`ghcr.io/a/b:${'x'.repeat(129)}`, 'no valid tag'],
    ['ghcr.io/a/b@sha256:abc', 'no valid digest'],
    [`ghcr.io/a/b@sha256:${hex.toUpperCase()}`, 'no valid digest'],
    [`ghcr.io/a/b@md5:${hex}`, 'no valid digest'],
    ['ghcr.io/A/b', 'not an image reference'],
    ['a b/c', 'not an image reference'],
    ['host:99999/a', 'not an image reference'],
    ['a..b/c', 'not an image reference'],
    ['x\u0000y', 'not an image reference'],
    ['x'.repeat(2000), 'longer than'],
  ])('%j is none: %s', (given, expected) => {
    expect(why(given)).toContain(expected);
  });

  it('says that names are lower case', () => {
    const parsed = parseReference('ghcr.io/Org/app');
    expect(parsed.ok ? '' : parsed.failure.hint).toContain('lower case');
  });

  it('is the same after it was written and read again, and always makes a URL', () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,6}(?:[._-][a-z0-9]{1,4}){0,2}$/);
    const host = fc.stringMatching(/^[a-z][a-z0-9-]{0,6}[a-z0-9]\.[a-z]{2,5}(?::[1-9][0-9]{0,3})?$/);
    const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,12}$/);
    fc.assert(
      fc.property(
        host,
        fc.array(part, { minLength: 1, maxLength: 4 }),
        fc.option(tag),
        fc.boolean(),
        (registry, path, name, pinned) => {
          const given = `${registry}/${path.join('/')}${name === null ? '' : `:${name}`}${pinned ? `@${digest}` : ''}`;
          const once = text(given);
          expect(text(once)).toBe(once);
          expect(URL.canParse(`https://${registry}/v2/${path.join('/')}`)).toBe(true);
        },
      ),
    );
  });

  it('never throws, and what it takes has no space, control character or leading dash', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60, unit: 'binary' }), (given) => {
        const parsed = parseReference(given);
        if (!parsed.ok) return;
        expect(formatReference(parsed.value)).toMatch(/^[A-Za-z0-9[][!-~]*$/);
        expect(URL.canParse(`https://${parsed.value.registry}/`)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('its parts', () => {
  it('a pinned one is told to tools without its tag', () => {
    const repository = parseRepository('ghcr.io/a/b');
    const parsed = parseDigest(digest);
    if (!repository.ok || parsed === undefined) throw new Error('both are valid');
    expect(formatPinned(pin(repository.value, parsed))).toBe(`ghcr.io/a/b@${digest}`);
    expect(sameRepository(repository.value, { registry: 'ghcr.io', path: 'a/b' })).toBe(true);
    expect(sameRepository(repository.value, { registry: 'ghcr.io', path: 'a/c' })).toBe(false);
  });
});
