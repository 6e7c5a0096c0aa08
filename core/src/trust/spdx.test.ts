import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countPackages, outline } from './spdx.ts';

const item = (id: string, name: string, more: object = {}): object => ({ SPDXID: id, name, versionInfo: '1', ...more });
const link = (from: string, type: string, to: string): object => ({
  spdxElementId: from,
  relationshipType: type,
  relatedSpdxElement: to,
});

const document = {
  spdxVersion: 'SPDX-2.3',
  name: 'ghcr.io/a/b',
  creationInfo: { created: '2026-11-23T10:00:00Z' },
  packages: [
    item('image', 'ghcr.io/a/b', { primaryPackagePurpose: 'CONTAINER' }),
    item('os', 'alpine', { primaryPackagePurpose: 'OPERATING-SYSTEM' }),
    item('musl', 'musl'),
    item('busybox', 'busybox'),
    item('layer', 'layer', { externalRefs: [{ referenceLocator: 'pkg:oci/b@sha256%3Aaa' }] }),
    item('stray', 'stray'),
  ],
  relationships: [
    link('SPDXRef-DOCUMENT', 'DESCRIBES', 'image'),
    link('image', 'CONTAINS', 'os'),
    link('os', 'CONTAINS', 'musl'),
    link('busybox', 'CONTAINED_BY', 'os'),
    link('musl', 'DEPENDS_ON', 'os'),
    link('musl', 'OTHER', 'stray'),
  ],
};

test('only what is installed counts as a package', () => {
  expect(countPackages(document)).toBe(3);
});

describe('the outline', () => {
  test('is a tree with each package once, in a cycle too', () => {
    expect(outline(document)).toBe(
      [
        'ghcr.io/a/b (SPDX-2.3, 3 packages, made 2026-11-23T10:00:00Z)',
        '  ghcr.io/a/b 1',
        '    alpine 1',
        '      busybox 1',
        '      musl 1',
        '  layer 1',
        '  stray 1',
        '',
      ].join('\n'),
    );
  });

  test('prints no control character of the document', () => {
    const text = outline({
      name: '\u001b[2Jx\r\ny\u202e',
      packages: [item('a', 'a\nb\u0007', { versionInfo: '\u009b1' })],
    });
    expect(text.replaceAll('\n', '')).toMatch(/^[^\p{Cc}\p{Cf}]*$/u);
    expect(text.split('\n')).toHaveLength(3);
  });

  test('of a huge document is bounded and says how much is left out', () => {
    const packages = Array.from({ length: 20_000 }, (_, at) => item(`p${at}`, 'x'.repeat(3000)));
    const relationships = packages.map((_, at) => link(`p${at}`, 'CONTAINS', `p${at + 1}`));
    const lines = outline({ packages, relationships }).split('\n');
    expect(lines.length).toBeLessThan(5010);
    expect(lines.at(-2)).toBe('… and 15001 more packages');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(500);
  });

  test('never throws, whatever the document', () => {
    const part = fc.anything();
    fc.assert(
      fc.property(part, part, part, (garbage, packages, relationships) => {
        expect(typeof outline(garbage)).toBe('string');
        expect(typeof outline({ packages: [packages], relationships: [relationships] })).toBe('string');
        expect(countPackages({ packages: [packages], documentDescribes: relationships })).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
