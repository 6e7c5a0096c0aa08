import { expect, test } from 'vitest';
import { completeSbom } from './complete-sbom.ts';
import type { LockedPackage } from './lock.ts';

const busybox: LockedPackage = {
  name: 'busybox',
  version: '1.36.1-r2',
  architecture: 'x86_64',
  url: 'https://apk.example/v3.20/main/x86_64/busybox-1.36.1-r2.apk',
  checksum: '',
};
const document = {
  spdxVersion: 'SPDX-2.3',
  documentDescribes: ['SPDXRef-image'],
  packages: [
    { SPDXID: 'SPDXRef-image', name: 'image' },
    { SPDXID: 'SPDXRef-hello', name: 'hello', versionInfo: '1.0-r0' },
  ],
  relationships: [],
};

test('adds the packages that apko leaves out, below the image', () => {
  const completed = completeSbom(document, [busybox]) as typeof document;
  expect(completed.packages).toHaveLength(3);
  expect(completed.packages[2]).toMatchObject({
    name: 'busybox',
    versionInfo: '1.36.1-r2',
    externalRefs: [{ referenceLocator: 'pkg:apk/alpine/busybox@1.36.1-r2?arch=x86_64' }],
  });
  expect(completed.relationships).toEqual([
    {
      spdxElementId: 'SPDXRef-image',
      relationshipType: 'CONTAINS',
      relatedSpdxElement: completed.packages[2]?.SPDXID,
    },
  ]);
});

test('leaves what is listed, whatever the order of the lock', () => {
  const hello: LockedPackage = { ...busybox, name: 'hello', version: '1.0-r0' };
  const musl: LockedPackage = { ...busybox, name: 'musl' };
  expect(completeSbom(document, [hello])).toBe(document);
  expect(completeSbom(document, [musl, busybox, hello])).toEqual(completeSbom(document, [hello, busybox, musl]));
});

test('names that are alike as ids stay apart, and no name breaks out of its id', () => {
  const odd = ['a+b', 'a b', 'a/../b'].map((name): LockedPackage => ({ ...busybox, name }));
  const { packages } = completeSbom(document, odd) as typeof document;
  const ids = packages.map(({ SPDXID }) => SPDXID);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^SPDXRef-[A-Za-z0-9.-]+$/);
});

test('takes anything for a document', () => {
  expect(completeSbom(null, [busybox])).toMatchObject({ packages: [{ name: 'busybox' }] });
});
