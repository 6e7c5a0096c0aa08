/** SBOMs are SPDX 2.3 documents and are attested as they are: https://spdx.github.io/spdx-spec/v2.3/ */
import { formatPlatform } from '../../oci/model.ts';
import type { Digest } from '../../reference.ts';
import { countPackages, purposeOf, rootsOf, spdxPackages } from '../spdx.ts';
import type { Child } from '../model.ts';
import { asDigest, asList, asRecord, asText, asTime } from '../strict.ts';

/** What is remembered of an SBOM: the document itself is read again when it is shown. */
export interface SbomSummary {
  readonly name: string;
  readonly packages: number;
  /** Of an index's SBOM: the platform images that it lists. */
  readonly children: readonly Digest[];
  /** RFC 3339, when the document says. */
  readonly created?: string;
}

/** The document is passed on as it is: its maker knows more of the image than Slipway does. */
export function sbomPredicate(document: unknown): unknown {
  return document;
}

export function readSbom(predicate: unknown): SbomSummary | undefined {
  const document = asRecord(predicate);
  const version = asText(document?.['spdxVersion']);
  if (document === undefined || version === undefined || !version.startsWith('SPDX-2.')) return undefined;
  const created = asTime(asRecord(document['creationInfo'])?.['created']);
  return {
    name: asText(document['name']) ?? '',
    packages: countPackages(document),
    children: listedImages(document),
    ...(created === undefined ? {} : { created }),
  };
}

/** Images in the document other than the one that it describes. */
function listedImages(document: Readonly<Record<string, unknown>>): readonly Digest[] {
  const roots = rootsOf(document);
  const digests = spdxPackages(document)
    .filter((item) => purposeOf(item) === 'CONTAINER' && !roots.has(asText(item['SPDXID']) ?? ''))
    .flatMap((item) => asList(item['checksums'], 16, asChecksum) ?? [])
    .flatMap((text) => asDigest(text) ?? []);
  return [...new Set(digests)].sort();
}

function asChecksum(value: unknown): string | undefined {
  const record = asRecord(value);
  const algorithm = asText(record?.['algorithm']);
  const hex = asText(record?.['checksumValue']);
  return algorithm === undefined || hex === undefined ? undefined : `${algorithm.toLowerCase()}:${hex}`;
}

export interface IndexSbom {
  readonly subject: Digest;
  readonly children: readonly Child[];
  /** The repository, as `ghcr.io/a/b`. */
  readonly name: string;
  /** RFC 3339, UTC, whole seconds: the specification allows no fractions. */
  readonly created: string;
}

/** The SBOM of an index: the index, and each platform image with its digest, under which its own SBOM is attached. */
export function indexSbom({ subject, children, name, created }: IndexSbom): Readonly<Record<string, unknown>> {
  const images = byDigest(children);
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name,
    documentNamespace: `https://slipway.example/spdx/${subject.replace(':', '-')}`,
    creationInfo: { created, creators: ['Tool: slipway'] },
    packages: [
      imagePackage(subject, name, name, ''),
      ...images.map(({ digest, platforms }) => {
        const [first] = platforms;
        const qualifiers =
          first === undefined
            ? ''
            : `?arch=${encodeURIComponent(first.architecture)}&os=${encodeURIComponent(first.os)}`;
        return imagePackage(digest, name, `${name} (${platforms.map(formatPlatform).join(', ')})`, qualifiers);
      }),
    ],
    relationships: [
      relationship('SPDXRef-DOCUMENT', 'DESCRIBES', packageId(subject)),
      ...images.map(({ digest }) => relationship(packageId(subject), 'CONTAINS', packageId(digest))),
    ],
  };
}

/** An index may list one manifest for several platforms, and SPDX wants each package once. */
function byDigest(
  children: readonly Child[],
): readonly { readonly digest: Digest; readonly platforms: readonly Child['platform'][] }[] {
  const digests = [...new Set(children.map((child) => child.digest))].sort();
  return digests.map((digest) => {
    const platforms = children.filter((child) => child.digest === digest).map((child) => child.platform);
    return { digest, platforms: platforms.sort((a, b) => (formatPlatform(a) < formatPlatform(b) ? -1 : 1)) };
  });
}

function imagePackage(
  digest: Digest,
  repository: string,
  name: string,
  qualifiers: string,
): Readonly<Record<string, unknown>> {
  const [algorithm = '', hex = ''] = digest.split(':');
  const last = encodeURIComponent(repository.slice(repository.lastIndexOf('/') + 1).toLowerCase());
  return {
    SPDXID: packageId(digest),
    name,
    versionInfo: digest,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    primaryPackagePurpose: 'CONTAINER',
    checksums: [{ algorithm: algorithm.toUpperCase(), checksumValue: hex }],
    externalRefs: [
      {
        referenceCategory: 'PACKAGE-MANAGER',
        referenceType: 'purl',
        referenceLocator: `pkg:oci/${last}@${encodeURIComponent(digest)}${qualifiers}`,
      },
    ],
  };
}

function packageId(digest: Digest): string {
  return `SPDXRef-Package-${digest.replace(':', '-')}`;
}

function relationship(from: string, type: string, to: string): Readonly<Record<string, unknown>> {
  return { spdxElementId: from, relationshipType: type, relatedSpdxElement: to };
}
