import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseLocation, parsePlace, settleLocation } from './location.ts';
import { formatReference, parseReference, type Reference } from './reference.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;

function read(text: string): Reference {
  const parsed = parseLocation(text);
  if (!parsed.ok) throw new Error(parsed.failure.message);
  return parsed.value;
}

function refusal(text: string): string | undefined {
  const parsed = parseLocation(text);
  return parsed.ok ? undefined : parsed.failure.message;
}

describe('a location', () => {
  test.each([
    ['oci:./mirror/alpine:3.20', 'oci:', 'mirror/alpine', '3.20'],
    ['oci:mirror//./alpine/:3.20', 'oci:', 'mirror/alpine', '3.20'],
    ['oci:dir:tag', 'oci:', 'dir', 'tag'],
    ['oci:dir', 'oci:', 'dir', 'latest'],
    ['oci:.:tag', 'oci:', '.', 'tag'],
    ['oci:./:tag', 'oci:', '.', 'tag'],
    ['oci:/mnt/usb stick/a/c', 'oci:', '/mnt/usb stick/a/c', 'latest'],
    ['oci-archive:./images.tar:3.20', 'oci-archive:', 'images.tar', '3.20'],
    ['oci-archive:/mnt/images.tar', 'oci-archive:', '/mnt/images.tar', 'latest'],
  ])('%s', (text, registry, path, tag) => {
    expect(read(text)).toEqual({ kind: 'tagged', registry, path, tag });
  });

  test('has a digest as any reference has', () => {
    expect(read(`oci:./a:1@${DIGEST}`)).toEqual({
      kind: 'pinned',
      registry: 'oci:',
      path: 'a',
      tag: '1',
      digest: DIGEST,
    });
  });

  test.each([
    ['oci:../a:1', '".."'],
    ['oci:./a/../../b:1', '".."'],
    ['oci:/mnt/../etc:1', '".."'],
    ['oci:', 'names no folder'],
    ['oci::tag', 'names no folder'],
    ['oci:/', 'root'],
    ['oci:./a\n:1', 'control'],
    ['oci:./a\ud800b:1', 'control'],
    ['oci:./a:b:1', '":"'],
    ['oci:./a:b/c:1', '":"'],
    ['oci:./a@b:1', 'digest'],
    ['oci:./a:not a tag', 'valid tag'],
    ['oci:./a@sha256:1', 'valid digest'],
    ['oci-archive:./:1', 'not a file'],
  ])('%j is refused', (text, why) => {
    expect(refusal(text)).toContain(why);
    expect(refusal(text)).not.toContain('stand.in');
  });

  test('is never what a reader of references gets, and a host with a port is a host', () => {
    expect(read('oci:5000/a:1')).toMatchObject({ registry: 'oci:5000', path: 'a' });
    for (const text of ['oci:./a:1', 'oci:a/b', 'oci-archive:./a.tar']) expect(parseReference(text).ok).toBe(false);
    expect(read('alpine')).toMatchObject({ registry: 'docker.io' });
  });

  test('has one name, however the place was written', () => {
    const settled = (text: string) => formatReference(settleLocation(read(text), '/home/me/images'));
    expect(settled('oci:/home/me/images/mirror/a:1')).toBe('oci:./mirror/a:1');
    expect(settled('oci:/home/me/images:1')).toBe('oci:.:1');
    expect(settled('oci:/home/me/images2/a:1')).toBe('oci:/home/me/images2/a:1');
    expect(settled('ghcr.io/a/b:1')).toBe('ghcr.io/a/b:1');
  });
});

const part = fc.stringMatching(/^[a-zA-Z0-9 ._äß+-]{1,12}$/).filter((text) => text !== '.' && text !== '..');
const location = fc
  .record({
    scheme: fc.constantFrom('oci:', 'oci-archive:'),
    absolute: fc.boolean(),
    parts: fc.array(part, { minLength: 1, maxLength: 4 }),
    tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/), { nil: '' }),
    pinned: fc.boolean(),
  })
  .map(({ scheme, absolute, parts, tag, pinned }) => {
    const named = tag === '' ? '' : `:${tag}`;
    return `${scheme}${absolute ? '/' : './'}${parts.join('/')}${named}${pinned ? `@${DIGEST}` : ''}`;
  });

describe('properties', () => {
  test('what is formatted is read as the same', () => {
    fc.assert(
      fc.property(location, (text) => {
        const reference = read(text);
        expect(read(formatReference(reference))).toEqual(reference);
      }),
    );
  });

  test('any text is read or refused, and what is read never leaves its folder by ".."', () => {
    fc.assert(
      fc.property(fc.constantFrom('oci:', 'oci-archive:'), fc.string({ unit: 'binary' }), (scheme, text) => {
        const parsed = parseLocation(`${scheme}${text}`);
        if (!parsed.ok) return;
        expect(parsed.value.path.split('/')).not.toContain('..');
        expect(read(formatReference(parsed.value))).toEqual(parsed.value);
        const { registry, path } = parsed.value;
        expect(parsePlace(`${registry}${path}`)).toMatchObject({ ok: true });
      }),
    );
  });
});
