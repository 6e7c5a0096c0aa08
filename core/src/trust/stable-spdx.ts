/**
 * An SPDX 2.3 document as a tool wrote it, without what differs between two runs on the same image: a random namespace, the
 * clock, the registry it was read from, and advisories, which come from a database and not from the image.
 * https://spdx.github.io/spdx-spec/v2.3/
 */
import { sha256 } from '../oci/digest.ts';

type Data = Readonly<Record<string, unknown>>;

/** Annotations that name where the image was read. */
const PLACE = /^(?:Reference|RepoDigest|RepoTag|ReportID): /;

/**
 * `created` is when the image says it was made, RFC 3339; the epoch stands for what cannot be read. The result depends on
 * nothing but the image and the tool's version. What is no document is given back as it is.
 */
export function stableSpdx(document: unknown, digest: string, created: string | undefined): unknown {
  if (!isRecord(document)) return document;
  const time = wholeSeconds(created);
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
    const notes = Array.isArray(item['annotations']) ? { annotations: annotations(item, time) } : {};
    return { ...item, ...own, SPDXID: rename(item['SPDXID']), ...notes };
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
  const stable = {
    ...document,
    name: digest,
    creationInfo: { ...(isRecord(creation) ? creation : {}), created: time },
    packages: sorted(packages),
    relationships: sorted(relationships),
    ...(Array.isArray(document['files']) ? { files: sorted(document['files']) } : {}),
  };
  // A namespace belongs to one document: two tools, or two versions of one, describe the same image differently.
  const content = sha256(JSON.stringify({ ...stable, documentNamespace: undefined })).slice('sha256:'.length);
  const documentNamespace = `https://slipway.example/spdx/${digest.replace(':', '-')}/${content.slice(0, 16)}`;
  return { ...stable, documentNamespace };
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

/** A CPE names the package itself; what else is about security may change with every database. */
function references(item: Data): readonly unknown[] {
  return list(item['externalRefs']).filter(
    (reference) =>
      !isRecord(reference) ||
      reference['referenceCategory'] !== 'SECURITY' ||
      /^cpe2[23]Type$/.test(String(reference['referenceType'])),
  );
}

function annotations(item: Data, created: string): readonly unknown[] {
  const kept = list(item['annotations']).filter((note) => !isRecord(note) || !PLACE.test(String(note['comment'])));
  return kept.map((note) => (isRecord(note) ? { ...note, annotationDate: created } : note));
}

/** https://spdx.github.io/spdx-spec/v2.3/document-creation-information/#69-created-field has no fractions. */
function wholeSeconds(created: string | undefined): string {
  const time = created === undefined ? Number.NaN : Date.parse(created);
  return new Date(Number.isNaN(time) || time < 0 ? 0 : time).toISOString().replace(/\.\d+Z$/, 'Z');
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
