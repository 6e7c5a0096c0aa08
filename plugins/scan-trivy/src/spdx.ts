/**
 * Trivy's SPDX document without what differs between two runs on the same image: a random namespace, the clock, the
 * registry it was read from, and advisories, which come from the database and not from the image.
 * https://spdx.github.io/spdx-spec/v2.3/
 */
type Data = Readonly<Record<string, unknown>>;

/** Annotations that name where the image was read. */
const PLACE = /^(?:Reference|RepoDigest|RepoTag|ReportID): /;

/** `created` is the image's own time; see `createdOf`. The result depends on nothing but the image and trivy's version. */
export function stableSpdx(document: unknown, digest: string, created: string): unknown {
  if (!isRecord(document)) return document;
  const root = list(document['packages']).find(
    (item) => isRecord(item) && item['primaryPackagePurpose'] === 'CONTAINER',
  );
  const rootId = isRecord(root) ? root['SPDXID'] : undefined;
  const rename = (id: unknown): unknown => (id === rootId && rootId !== undefined ? 'SPDXRef-ContainerImage' : id);
  const packages = list(document['packages']).map((item) => {
    if (!isRecord(item)) return item;
    const own =
      item === root
        ? { name: digest, versionInfo: digest, externalRefs: [ociPurl(item, digest)] }
        : { externalRefs: references(item) };
    return { ...item, ...own, SPDXID: rename(item['SPDXID']), annotations: annotations(item, created) };
  });
  const relationships = list(document['relationships']).map((item) =>
    isRecord(item)
      ? {
          ...item,
          spdxElementId: rename(item['spdxElementId']),
          relatedSpdxElement: rename(item['relatedSpdxElement']),
        }
      : item,
  );
  const creation = document['creationInfo'];
  return {
    ...document,
    name: digest,
    documentNamespace: `https://slipway.example/spdx/${digest.replace(':', '-')}`,
    creationInfo: { ...(isRecord(creation) ? creation : {}), created },
    packages: sorted(packages),
    relationships: sorted(relationships),
    ...(Array.isArray(document['files']) ? { files: sorted(document['files']) } : {}),
  };
}

/** https://github.com/package-url/purl-spec/blob/main/types-doc/oci-definition.md, without the optional repository. */
function ociPurl(item: Data, digest: string): Data {
  const written = references(item).map((reference) =>
    isRecord(reference) ? reference['referenceLocator'] : undefined,
  );
  const arch = written
    .map((locator) => (typeof locator === 'string' ? /[?&]arch=([^&]+)/.exec(locator)?.[1] : undefined))
    .find(Boolean);
  const locator = `pkg:oci/image@${encodeURIComponent(digest)}${arch === undefined ? '' : `?arch=${arch}`}`;
  return { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: locator };
}

function references(item: Data): readonly unknown[] {
  return list(item['externalRefs']).filter(
    (reference) => !isRecord(reference) || reference['referenceCategory'] !== 'SECURITY',
  );
}

function annotations(item: Data, created: string): readonly unknown[] {
  const kept = list(item['annotations']).filter((note) => !isRecord(note) || !PLACE.test(String(note['comment'])));
  return kept.map((note) => (isRecord(note) ? { ...note, annotationDate: created } : note));
}

function sorted(items: readonly unknown[]): readonly unknown[] {
  return items
    .map((item) => [JSON.stringify(item), item] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, item]) => item);
}

function isRecord(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
