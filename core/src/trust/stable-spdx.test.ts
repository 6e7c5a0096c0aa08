import { expect, it } from 'vitest';
import { stableSpdx } from './stable-spdx.ts';

const digest = `sha256:${'a'.repeat(64)}`;

/** As trivy writes it; everything that `run` is part of differs between two runs. */
function document(run: string): unknown {
  const purl = (locator: string) => ({
    referenceCategory: 'PACKAGE-MANAGER',
    referenceType: 'purl',
    referenceLocator: locator,
  });
  const note = (comment: string) => ({
    annotationDate: `2026-01-0${run}T00:00:00Z`,
    annotator: 'Tool: trivy',
    comment,
  });
  const cpe = {
    referenceCategory: 'SECURITY',
    referenceType: 'cpe23Type',
    referenceLocator: 'cpe:2.3:a:musl:musl:1:*:*:*:*:*:*:*',
  };
  const advisory = { referenceCategory: 'SECURITY', referenceLocator: `https://advisories.example/${run}` };
  const packages = [
    {
      SPDXID: `SPDXRef-ContainerImage-${run}`,
      name: `registry-${run}.example/a@${digest}`,
      primaryPackagePurpose: 'CONTAINER',
      externalRefs: [purl(`pkg:oci/a@${digest}?arch=arm64&repository_url=registry-${run}.example`)],
      annotations: [note('Size: 1'), note(`Reference: registry-${run}.example/a@${digest}`)],
    },
    {
      SPDXID: 'SPDXRef-Package-1',
      name: 'musl',
      externalRefs: [purl('pkg:apk/alpine/musl@1'), cpe, advisory],
      annotations: [note('PkgType: alpine')],
    },
  ];
  return {
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `registry-${run}.example/a@${digest}`,
    documentNamespace: `https://trivy.example/${run}`,
    creationInfo: { created: `2026-01-0${run}T00:00:00Z`, creators: ['Tool: trivy'] },
    packages: run === '1' ? packages : packages.toReversed(),
    relationships: [
      {
        spdxElementId: `SPDXRef-ContainerImage-${run}`,
        relatedSpdxElement: 'SPDXRef-Package-1',
        relationshipType: 'CONTAINS',
      },
    ],
  };
}

it('is the same after every run, and still says what is in the image', () => {
  const first = stableSpdx(document('1'), digest, '2025-01-01T00:00:00Z');
  expect(stableSpdx(document('2'), digest, '2025-01-01T00:00:00Z')).toEqual(first);
  expect(first).toMatchObject({
    creationInfo: { created: '2025-01-01T00:00:00Z', creators: ['Tool: trivy'] },
    relationships: [{ spdxElementId: 'SPDXRef-ContainerImage', relatedSpdxElement: 'SPDXRef-Package-1' }],
  });
  const text = JSON.stringify(first);
  expect(text).toContain('pkg:apk/alpine/musl@1');
  expect(text).toContain('cpe:2.3:a:musl');
  expect(text).toContain(`pkg:oci/image@${encodeURIComponent(digest)}?arch=arm64`);
  expect(text).not.toMatch(/registry-|advisories/);
});

it.each([
  ['2026-01-02T03:04:05.678901234Z', '2026-01-02T03:04:05Z'],
  ['0001-01-01T00:00:00Z', '1970-01-01T00:00:00Z'],
  ['yesterday', '1970-01-01T00:00:00Z'],
  [undefined, '1970-01-01T00:00:00Z'],
])('takes %s as %s', (created, expected) => {
  expect(stableSpdx(document('1'), digest, created)).toMatchObject({ creationInfo: { created: expected } });
});
