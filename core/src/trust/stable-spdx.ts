/**
 * An SPDX 2.3 document as a tool wrote it, without what differs between two runs on the same image: a random namespace, the
 * clock, the registry it was read from, and advisories, which come from a database and not from the image.
 * https://spdx.github.io/spdx-spec/v2.3/
 */
import { isFields, items, type Fields } from '../config/fields.ts';
import { sha256 } from '../oci/digest.ts';

/** Annotations that name where the image was read. */
const PLACE = /^(?:Reference|RepoDigest|RepoTag|ReportID): /;

/**
 * `created` is when the image says it was made, RFC 3339; the epoch stands for what cannot be read. The result depends on
 * nothing but the image and the tool's version. What is no document is given back as it is.
 */
export function stableSpdx(document: unknown, digest: string, created: string | undefined): unknown {
  if (!isFields(document)) return document;
  const time = wholeSeconds(created);
  const root = items(document['packages']).find(
    (item) => isFields(item) && item['primaryPackagePurpose'] === 'CONTAINER',
  );
  const rootId = isFields(root) ? root['SPDXID'] : undefined;
  const rename = (id: unknown): unknown => (id === rootId && rootId !== undefined ? 'SPDXRef-ContainerImage' : id);
  const packages = items(document['packages']).map((item) => {
    if (!isFields(item)) return item;
    const own =
      item === root
        ? { name: digest, versionInfo: digest, externalRefs: [ociPurl(item, digest)] }
        : { externalRefs: references(item) };
    const notes = Array.isArray(item['annotations']) ? { annotations: annotations(item, time) } : {};
    return { ...item, ...own, SPDXID: rename(item['SPDXID']), ...notes };
  });
  const relationships = items(document['relationships']).map((item) =>
    isFields(item)
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
    creationInfo: { ...(isFields(creation) ? creation : {}), created: time },
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
function ociPurl(item: Fields, digest: string): Fields {
  const written = references(item).map((reference) =>
    isFields(reference) ? reference['referenceLocator'] : undefined,
  );
  const arch = written
    .map((locator) => (typeof locator === 'string' ? /[?&]arch=([^&]+)/.exec(locator)?.[1] : undefined))
    .find(Boolean);
  const locator = `pkg:oci/image@${encodeURIComponent(digest)}${arch === undefined ? '' : `?arch=${arch}`}`;
  return { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: locator };
}

/** Of the references about security only CPEs stay, which name the package; the others may change with every database. */
function references(item: Fields): readonly unknown[] {
  return items(item['externalRefs']).filter(
    (reference) =>
      !isFields(reference) ||
      reference['referenceCategory'] !== 'SECURITY' ||
      /^cpe2[23]Type$/.test(String(reference['referenceType'])),
  );
}

function annotations(item: Fields, created: string): readonly unknown[] {
  const kept = items(item['annotations']).filter((note) => !isFields(note) || !PLACE.test(String(note['comment'])));
  return kept.map((note) => (isFields(note) ? { ...note, annotationDate: created } : note));
}

/** https://spdx.github.io/spdx-spec/v2.3/document-creation-information/#69-created-field has no fractions. */
function wholeSeconds(created: string | undefined): string {
  const time = created === undefined ? Number.NaN : Date.parse(created);
  return new Date(Number.isNaN(time) || time < 0 ? 0 : time).toISOString().replace(/\.\d+Z$/, 'Z');
}

function sorted(all: readonly unknown[]): readonly unknown[] {
  return all
    .map((item) => [JSON.stringify(item), item] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, item]) => item);
}
