/** Reading SPDX 2.3 documents that anybody may have made: https://spdx.github.io/spdx-spec/v2.3/ */
import type { ListedPackage } from '../journal/events.ts';
import { asRecord, asText, plainText } from './strict.ts';

type Item = Readonly<Record<string, unknown>>;

/** Lines of an outline, and its deepest level: more is for a program, not for a terminal. */
const MAX_LINES = 5000;
const MAX_LEVEL = 16;
/** What a tree of packages is made of; the rest (files, licences, variants) would only blur it. */
const DOWN: ReadonlySet<unknown> = new Set(['CONTAINS', 'DEPENDS_ON']);
const UP: ReadonlySet<unknown> = new Set(['CONTAINED_BY', 'DEPENDENCY_OF']);

/** The document's packages; what is not one is left out. */
export function spdxPackages(document: unknown): readonly Item[] {
  return items(document, 'packages');
}

/** `primaryPackagePurpose`; tools disagree whether it has `_` or `-`. */
export function purposeOf(item: Item): string | undefined {
  return asText(item['primaryPackagePurpose'])?.replace('_', '-');
}

/** SPDX ids of what the document is about. */
export function rootsOf(document: unknown): ReadonlySet<string> {
  const listed = asRecord(document)?.['documentDescribes'];
  const roots = new Set(Array.isArray(listed) ? listed.filter((id): id is string => typeof id === 'string') : []);
  for (const link of items(document, 'relationships')) {
    const [from, type, to] = ends(link);
    if (type === 'DESCRIBES' && from === 'SPDXRef-DOCUMENT') roots.add(to);
    if (type === 'DESCRIBED_BY' && to === 'SPDXRef-DOCUMENT') roots.add(from);
  }
  return roots;
}

/**
 * How many packages are installed in the image: the image itself, its layers and its operating system, which tools list
 * as packages too, are not counted.
 */
export function countPackages(document: unknown): number {
  const roots = rootsOf(document);
  return spdxPackages(document).filter((item) => !isFrame(item, roots)).length;
}

/**
 * The installed packages, as purls without qualifiers and subpath, which each tool fills in its own way; as `name@version`
 * where there is no purl. https://github.com/package-url/purl-spec
 */
export function installedPackages(document: unknown): readonly string[] {
  const roots = rootsOf(document);
  return spdxPackages(document)
    .filter((item) => !isFrame(item, roots))
    .map((item) => purlOf(item) ?? `${asText(item['name']) ?? ''}@${asText(item['versionInfo']) ?? ''}`);
}

/** Packages that are listed of one image at most: a browser has to show them. */
const MAX_LISTED = 20_000;

/** The installed packages for people to search in. What a hostile document holds is cut and cleaned. */
export function listPackages(document: unknown): readonly ListedPackage[] {
  const roots = rootsOf(document);
  return spdxPackages(document)
    .filter((item) => !isFrame(item, roots))
    .slice(0, MAX_LISTED)
    .map((item) => {
      const purl = purlOf(item);
      const license = asText(item['licenseDeclared']) ?? asText(item['licenseConcluded']);
      return {
        name: plainText(asText(item['name']) ?? ''),
        version: plainText(asText(item['versionInfo']) ?? ''),
        ...(purl === undefined ? {} : { purl: plainText(purl) }),
        ...(license === undefined || license === 'NOASSERTION' ? {} : { license: plainText(license) }),
      };
    });
}

function purlOf(item: Item): string | undefined {
  const references = items(item, 'externalRefs').filter((reference) => reference['referenceType'] === 'purl');
  const purl = references.map((reference) => asText(reference['referenceLocator'])).find((text) => text !== undefined);
  return purl
    ?.replace(/[?#].*$/s, '')
    .replaceAll('%40', '@')
    .replaceAll('%2B', '+')
    .replaceAll('%3A', ':');
}

function isFrame(item: Item, roots: ReadonlySet<string>): boolean {
  const purpose = purposeOf(item);
  if (purpose === 'CONTAINER' || purpose === 'OPERATING-SYSTEM') return true;
  if (roots.has(asText(item['SPDXID']) ?? '')) return true;
  return items(item, 'externalRefs').some((ref) => /^pkg:(?:oci|docker)\//.test(asText(ref['referenceLocator']) ?? ''));
}

/**
 * A tree for people: what the document describes, and below it what that contains or depends on, each package once.
 * Packages that nothing leads to come last. Safe to print whatever the document holds, and at most 5000 lines.
 */
export function outline(document: unknown): string {
  const packages = new Map(spdxPackages(document).map((item) => [asText(item['SPDXID']) ?? '', item] as const));
  const below = links(document, packages);
  const lines = [title(document)];
  const seen = new Set<string>();
  const starts = [...[...rootsOf(document)].filter((id) => packages.has(id)), ...packages.keys()];
  for (const start of starts) {
    // A stack of our own: a chain of a hostile document may be longer than JavaScript's.
    const open: [id: string, level: number][] = [[start, 1]];
    for (let next = open.pop(); next !== undefined && lines.length < MAX_LINES; next = open.pop()) {
      const [id, level] = next;
      const item = packages.get(id);
      if (item === undefined || seen.has(id)) continue;
      seen.add(id);
      lines.push(`${'  '.repeat(Math.min(level, MAX_LEVEL))}${label(item)}`);
      for (const child of (below.get(id) ?? []).toReversed()) open.push([child, level + 1]);
    }
  }
  const left = packages.size - seen.size;
  if (left > 0) lines.push(`… and ${left} more packages`);
  return `${lines.join('\n')}\n`;
}

function title(document: unknown): string {
  const record = asRecord(document);
  const name = plainText(asText(record?.['name']) ?? '') || 'unnamed document';
  const version = plainText(asText(record?.['spdxVersion']) ?? 'no SPDX version', 20);
  const created = asText(asRecord(record?.['creationInfo'])?.['created']);
  const made = created === undefined ? '' : `, made ${plainText(created, 40)}`;
  return `${name} (${version}, ${countPackages(document)} packages${made})`;
}

function label(item: Item): string {
  const name = plainText(asText(item['name']) ?? '') || 'unnamed package';
  const version = plainText(asText(item['versionInfo']) ?? '');
  return version === '' || version === name ? name : `${name} ${version}`;
}

/** Package id → ids below it, sorted by what is printed. */
function links(document: unknown, packages: ReadonlyMap<string, Item>): ReadonlyMap<string, readonly string[]> {
  const below = new Map<string, Set<string>>();
  for (const link of items(document, 'relationships')) {
    const [from, type, to] = ends(link);
    const [parent, child] = UP.has(type) ? [to, from] : [from, to];
    if (!(DOWN.has(type) || UP.has(type)) || !packages.has(parent) || !packages.has(child)) continue;
    const known = below.get(parent);
    if (known === undefined) below.set(parent, new Set([child]));
    else known.add(child);
  }
  const order = new Map([...packages].map(([id, item]) => [id, label(item)] as const));
  return new Map(
    [...below].map(([id, children]) => {
      return [id, [...children].sort((a, b) => ((order.get(a) ?? '') < (order.get(b) ?? '') ? -1 : 1))] as const;
    }),
  );
}

function ends(link: Item): readonly [from: string, type: string, to: string] {
  return [
    asText(link['spdxElementId']) ?? '',
    asText(link['relationshipType']) ?? '',
    asText(link['relatedSpdxElement']) ?? '',
  ];
}

function items(value: unknown, key: string): readonly Item[] {
  const list = asRecord(value)?.[key];
  return Array.isArray(list) ? list.filter((item): item is Item => asRecord(item) !== undefined) : [];
}
