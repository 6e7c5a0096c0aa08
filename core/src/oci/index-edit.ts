/**
 * What names mean in a layout's `index.json`, and changes of it. Pure; what others wrote there is kept as it was read, with fields that
 * Slipway does not know.
 */
import { parseReference, parseTag, type Digest, type Tag } from '../reference.ts';
import { property } from '../registry/refusal.ts';
import { REF_NAME, type IndexFile } from './layout.ts';
import { mediaType, type Descriptor } from './model.ts';
import { parseJson } from './parse.ts';

export function named(index: IndexFile, tag: Tag): Descriptor | undefined {
  return index.value.manifests.find(({ annotations }) => annotations?.[REF_NAME] === tag);
}

/**
 * The tags of a layout that is a source. Some tools name an image in full (`docker.io/library/alpine:3.20`): the tag in that counts, if no
 * other image has it.
 */
export function sourceTags({ value: { manifests } }: IndexFile): ReadonlyMap<Tag, Digest> {
  const plain = new Map<Tag, Digest>();
  const inFull = new Map<Tag, Set<Digest>>();
  for (const { annotations, digest } of manifests) {
    const name = annotations?.[REF_NAME] ?? '';
    const tag = parseTag(name);
    if (tag !== undefined && !plain.has(tag)) plain.set(tag, digest);
    const long = tag === undefined && name !== '' ? parseReference(name) : undefined;
    if (long?.ok !== true || long.value.kind !== 'tagged') continue;
    inFull.set(long.value.tag, (inFull.get(long.value.tag) ?? new Set()).add(digest));
  }
  for (const [tag, [digest, ...others]] of inFull) {
    if (digest !== undefined && others.length === 0 && !plain.has(tag)) plain.set(tag, digest);
  }
  return plain;
}

/**
 * The image of a layout that holds only one, whatever its tag: the only image with a name, the only descriptor, or `index.json` itself
 * where it lists the platforms of one image, as apko writes it. Undefined: there are several.
 */
export function onlyImage(index: IndexFile): Digest | undefined {
  const { manifests } = index.value;
  const names = new Set(
    manifests.filter(({ annotations }) => isImageName(annotations?.[REF_NAME])).map(({ digest }) => digest),
  );
  const [named, ...more] = names;
  if (named !== undefined) return more.length === 0 ? named : undefined;
  const [first, ...others] = manifests;
  if (first === undefined || others.length === 0) return first?.digest;
  return manifests.every(({ platform }) => platform !== undefined) ? index.descriptor.digest : undefined;
}

/** Lists of what is attached have names too. */
function isImageName(name: string | undefined): boolean {
  return name !== undefined && !/^sha(?:256|512)-[0-9a-f]{64}/.test(name);
}

export interface Entry {
  readonly descriptor: Pick<Descriptor, 'mediaType' | 'digest' | 'size' | 'artifactType'>;
  /** The tag that names it; without one it is only listed. */
  readonly name?: Tag;
}

/** The bytes with `added` and without the unnamed entries of `dropped`; undefined: it is so already. A name has one entry. */
export function editIndex(
  index: IndexFile | undefined,
  added: readonly Entry[],
  dropped: ReadonlySet<Digest> = new Set(),
): Uint8Array | undefined {
  const json = index === undefined ? undefined : parseJson(index.bytes);
  const before = json?.ok === true ? rawEntries(json.value['manifests']) : [];
  const names = new Map<unknown, Digest>(
    added.flatMap(({ name, descriptor }) => (name === undefined ? [] : [[name, descriptor.digest] as const])),
  );
  const nowNamed = new Set<unknown>(names.values());
  const kept = before.filter((entry) => {
    const [name, digest] = [nameOf(entry), property(entry, 'digest')];
    if (name !== undefined) return !names.has(name) || names.get(name) === digest;
    return !nowNamed.has(digest) && !(dropped as ReadonlySet<unknown>).has(digest);
  });
  const [keptNames, keptDigests] = [new Set(kept.map(nameOf)), new Set(kept.map((entry) => property(entry, 'digest')))];
  const missing = added.filter(
    ({ name, descriptor }) => !(name === undefined ? keptDigests.has(descriptor.digest) : keptNames.has(name)),
  );
  if (missing.length === 0 && kept.length === before.length && index !== undefined) return undefined;
  const edited = {
    ...(json?.ok === true ? json.value : {}),
    schemaVersion: 2,
    mediaType: mediaType.ociIndex,
    manifests: [...kept, ...missing.map(rawOf)],
  };
  return new TextEncoder().encode(JSON.stringify(edited));
}

/** The manifest's own annotations are left out: among them could be a name that belongs to another image. */
function rawOf({ descriptor, name }: Entry): unknown {
  const { mediaType: type, digest, size, artifactType } = descriptor;
  return {
    mediaType: type,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(name === undefined ? {} : { annotations: { [REF_NAME]: name } }),
  };
}

/** The bytes without what `name` names; undefined: it names nothing. */
export function withoutName(index: IndexFile, name: Tag): Uint8Array | undefined {
  const json = parseJson(index.bytes);
  const before = json.ok ? rawEntries(json.value['manifests']) : [];
  const manifests = before.filter((entry) => nameOf(entry) !== name);
  if (!json.ok || manifests.length === before.length) return undefined;
  return new TextEncoder().encode(JSON.stringify({ ...json.value, manifests }));
}

function nameOf(entry: unknown): unknown {
  return property(property(entry, 'annotations'), REF_NAME);
}

function rawEntries(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}
