/**
 * apko lists in its SBOM only the packages that carry an SBOM of their own, as melange's do; Alpine's do not. The lock knows
 * every package that was installed, so what is missing is added: an SBOM that leaves packages out says something untrue.
 * https://spdx.github.io/spdx-spec/v2.3/package-information/
 */
import { createHash } from 'node:crypto';
import { purlOf, type LockedPackage } from './lock.ts';

type Json = Readonly<Record<string, unknown>>;

/** The document with a package for each of `packages`, all of one architecture; what it lists already stays as it is. */
export function completeSbom(spdx: unknown, packages: readonly LockedPackage[]): unknown {
  const document = record(spdx);
  const listed = items(document['packages']);
  const known = new Set(listed.map(({ name, versionInfo }) => `${String(name)} ${String(versionInfo)}`));
  const missing = packages.filter(({ name, version }) => !known.has(`${name} ${version}`));
  if (missing.length === 0) return spdx;
  const root = rootOf(document);
  const added = missing.map((item) => ({ id: idOf(item), item })).sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    ...document,
    packages: [...listed, ...added.map(({ id, item }) => packageOf(id, item))],
    relationships: [
      ...items(document['relationships']),
      ...added.map(({ id }) => ({ spdxElementId: root, relationshipType: 'CONTAINS', relatedSpdxElement: id })),
    ],
  };
}

function packageOf(id: string, item: LockedPackage): Json {
  return {
    SPDXID: id,
    name: item.name,
    versionInfo: item.version,
    downloadLocation: item.url === '' || !URL.canParse(item.url) ? 'NOASSERTION' : item.url,
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: 'NOASSERTION',
    copyrightText: 'NOASSERTION',
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purlOf(item) }],
  };
}

/** Letters, digits, dots and dashes are all that an id may have; the hash keeps apart what that makes equal. */
function idOf({ name, version }: LockedPackage): string {
  const hash = createHash('sha256').update(`${name} ${version}`).digest('hex').slice(0, 8);
  return `SPDXRef-Package-apk-${`${name}-${version}`.replaceAll(/[^A-Za-z0-9.-]/g, '-')}-${hash}`;
}

/** What the document describes: the image. */
function rootOf(document: Json): string {
  const [described] = Array.isArray(document['documentDescribes']) ? (document['documentDescribes'] as unknown[]) : [];
  if (typeof described === 'string') return described;
  const relation = items(document['relationships']).find(({ relationshipType }) => relationshipType === 'DESCRIBES');
  return typeof relation?.['relatedSpdxElement'] === 'string' ? relation['relatedSpdxElement'] : 'SPDXRef-DOCUMENT';
}

function items(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(record) : [];
}

function record(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}
