/**
 * Bytes of a manifest or index → {@link ManifestContent}. The bytes come from strangers: every field that Slipway reads is
 * checked, and what two readers could understand differently is refused.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md, image-index.md
 */
import { parseDigest, type Digest } from '../reference.ts';
import { digestLike } from './digest.ts';
import { isTooDeep, repeatedKey } from './json-text.ts';
import { mediaType, type Descriptor, type Index, type Manifest, type ManifestContent, type Platform } from './model.ts';

/** Bytes; registries should accept manifests of this size, and nobody should send larger ones. */
export const MAX_MANIFEST = 4 * 1024 * 1024;

/** How deep indexes may hold indexes. A deeper one is refused: what is copied must also be looked into. */
export const MAX_INDEX_DEPTH = 8;

/** A problem is a phrase that goes after a name: "is not valid JSON". */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

const MANIFESTS: ReadonlySet<string> = new Set([mediaType.ociManifest, mediaType.dockerManifest]);
const INDEXES: ReadonlySet<string> = new Set([mediaType.ociIndex, mediaType.dockerList]);
const MEDIA_TYPE =
  /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}(?:;[\x20-\x7e]{0,255})?$/;

/** Whether this is a manifest or an index: Slipway looks into nothing else that a descriptor names. */
export function isManifestType(type: string): boolean {
  return MANIFESTS.has(type) || INDEXES.has(type);
}

export function isIndexType(type: string): boolean {
  return INDEXES.has(type);
}

/** The fields that are read here, of all kinds of objects. */
const FIELDS: ReadonlySet<string> = new Set([
  ...['schemaVersion', 'mediaType', 'artifactType', 'config', 'layers', 'manifests', 'subject', 'annotations'],
  ...['digest', 'size', 'platform', 'urls', 'data'],
  ...['os', 'architecture', 'variant', 'os.version', 'os.features'],
]);
const FOLDED: ReadonlySet<string> = new Set([...FIELDS].map(fold));

/** The longest that a part of a platform may be; all that anybody writes are words as `windows` and `10.0.17763.6775`. */
const PLATFORM_PART = /^[\x20-\x7e]{0,128}$/;

class Malformed extends Error {}

type Json = { readonly [key: string]: unknown };

/** Docker's first image format, which has no config and signs itself: Slipway does not read it. */
export function isSchema1(type: string | undefined): boolean {
  return type?.startsWith('application/vnd.docker.distribution.manifest.v1+') === true;
}

/**
 * Reads the bytes of a manifest or index. `digest` must be the digest of these bytes; the caller has hashed them.
 * `contentType` is what the registry called them: it must not contradict the media type that the bytes give themselves.
 * `shared`: many clients write to this index, and entries that one of them got wrong are left out.
 */
export function parseManifest(
  bytes: Uint8Array,
  digest: Digest,
  contentType?: string,
  { shared } = { shared: false },
): Parsed<ManifestContent> {
  if (bytes.byteLength > MAX_MANIFEST) return problem(`is larger than ${MAX_MANIFEST} bytes`);
  const json = parseJson(bytes);
  if (!json.ok) return json;
  const type = contentType?.split(';')[0]?.trim().toLowerCase();
  return wellFormed(() => content(json.value, bytes, digest, type, shared));
}

/** A descriptor as it stands in an index, for those who read an index entry by entry. */
export function parseDescriptor(value: unknown): Parsed<Descriptor> {
  return wellFormed(() => descriptor(value, 'the descriptor'));
}

function wellFormed<T>(read: () => T): Parsed<T> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    if (error instanceof Malformed) return problem(error.message);
    throw error;
  }
}

/** JSON text in UTF-8 whose top is an object, of sane depth, and with each key once. */
export function parseJson(bytes: Uint8Array): Parsed<Json> {
  try {
    // A byte order mark stays, and is no JSON: readers in Go refuse it.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (isTooDeep(text)) return problem('is nested too deeply');
    const value: unknown = JSON.parse(text);
    const repeated = repeatedKey(text);
    if (repeated !== undefined) return problem(`names ${printable(repeated)} twice in one object`);
    if (isObject(value)) return { ok: true, value };
    return problem('is not a JSON object');
  } catch {
    return problem('is not valid JSON');
  }
}

function content(
  json: Json,
  bytes: Uint8Array,
  digest: Digest,
  contentType: string | undefined,
  shared: boolean,
): ManifestContent {
  if (isSchema1(contentType) || json['schemaVersion'] === 1) {
    throw new Malformed("has Docker's schema 1, which is obsolete and not supported");
  }
  fielded(json, 'its top');
  if (json['schemaVersion'] !== 2) throw new Malformed('has no schemaVersion 2');
  const type = typeOf(json, contentType);
  const common = { bytes, descriptor: { mediaType: type, digest, size: bytes.byteLength } };
  if (INDEXES.has(type)) return { kind: 'index', ...common, value: index(json, shared) };
  return { kind: 'manifest', ...common, value: manifest(json) };
}

/** The one media type that body, header and structure agree on. */
function typeOf(json: Json, contentType: string | undefined): string {
  const own = optional(json, 'mediaType', text);
  const looksLikeIndex = json['manifests'] !== undefined;
  const looksLikeManifest = json['config'] !== undefined || json['layers'] !== undefined;
  // The same bytes read as image by one and as index by another: https://github.com/advisories/GHSA-mc8v-mgrf-8f4m
  if (looksLikeIndex && looksLikeManifest) throw new Malformed('is a manifest and an index at once');
  const known =
    contentType !== undefined && (MANIFESTS.has(contentType) || INDEXES.has(contentType)) ? contentType : undefined;
  if (own !== undefined && known !== undefined && own !== known) {
    throw new Malformed(`says that it is ${printable(own)}, but was sent as ${known}`);
  }
  const type = own ?? known ?? (looksLikeIndex ? mediaType.ociIndex : mediaType.ociManifest);
  if (!MANIFESTS.has(type) && !INDEXES.has(type)) {
    throw new Malformed(`has the media type ${printable(type)}, which is neither manifest nor index`);
  }
  if (INDEXES.has(type) ? looksLikeManifest : looksLikeIndex) {
    throw new Malformed(`is not what its media type ${type} says`);
  }
  return type;
}

function manifest(json: Json): Manifest {
  return {
    schemaVersion: 2,
    ...head(json),
    config: descriptor(json['config'], 'config'),
    layers: list(json, 'layers').map((layer, at) => descriptor(layer, `layers[${at}]`)),
  };
}

function index(json: Json, shared: boolean): Index {
  const good = (child: unknown) => {
    const parsed = parseDescriptor(child);
    return parsed.ok ? [parsed.value] : [];
  };
  const children = list(json, 'manifests');
  return {
    schemaVersion: 2,
    ...head(json),
    manifests: shared ? children.flatMap(good) : children.map((child, at) => descriptor(child, `manifests[${at}]`)),
  };
}

function head(json: Json) {
  return {
    ...field('mediaType', optional(json, 'mediaType', text)),
    ...field('artifactType', optional(json, 'artifactType', text)),
    ...field('subject', optional(json, 'subject', descriptor)),
    ...field('annotations', optional(json, 'annotations', strings)),
  };
}

function descriptor(value: unknown, where: string): Descriptor {
  if (!isObject(value)) throw new Malformed(`has no descriptor at ${where}`);
  const { mediaType: type, digest, size, data } = fielded(value, where);
  if (typeof type !== 'string' || !MEDIA_TYPE.test(type)) throw new Malformed(`has no valid mediaType at ${where}`);
  const parsed = typeof digest === 'string' ? parseDigest(digest) : undefined;
  if (parsed === undefined) throw new Malformed(`has no valid sha256 or sha512 digest at ${where}`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new Malformed(`has no valid size at ${where}`);
  }
  if (data !== undefined && !isContent(data, parsed, size)) {
    throw new Malformed(`has data that is not what its digest says at ${where}`);
  }
  return {
    mediaType: type,
    digest: parsed,
    size,
    ...field('artifactType', optional(value, 'artifactType', text)),
    ...field('platform', isEmpty(value['platform']) ? undefined : optional(value, 'platform', platform)),
    ...field('annotations', optional(value, 'annotations', strings)),
    ...field('urls', optional(value, 'urls', texts)),
  };
}

/**
 * The content of a descriptor may stand in it, for readers that then fetch nothing:
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#embedded-content
 */
function isContent(data: unknown, digest: Digest, size: number): boolean {
  // Readers in Go take an empty text for none.
  if (data === null || data === '') return true;
  if (typeof data !== 'string') return false;
  const bytes = Buffer.from(data, 'base64');
  return bytes.byteLength === size && digestLike(digest, bytes) === digest;
}

/** Readers in Go take a field whose name differs in case for the same, and the later of the two counts. */
function fielded(json: Json, where: string): Json {
  for (const key of Object.keys(json)) {
    if (!FIELDS.has(key) && FOLDED.has(fold(key))) {
      throw new Malformed(`has a field ${printable(key)} at ${where}, which not all read alike`);
    }
  }
  return json;
}

/** As Go compares: the long s and the sign for Kelvin are letters like others. */
function fold(key: string): string {
  return key.toLowerCase().toUpperCase();
}

function platform(value: unknown, where: string): Platform {
  if (!isObject(value)) throw new Malformed(`has no object at ${where}`);
  fielded(value, where);
  return {
    os: platformPart(value['os'], `${where}.os`),
    architecture: platformPart(value['architecture'], `${where}.architecture`),
    ...field('variant', optional(value, 'variant', platformPart)),
    ...field('os.version', optional(value, 'os.version', platformPart)),
  };
}

function platformPart(value: unknown, where: string): string {
  const part = text(value, where);
  if (!isPlatformPart(part)) throw new Malformed(`has no short printable text at ${where}`);
  return part;
}

/** Platforms become names in statements, tables and messages: only what is short and printable is one. */
export function isPlatformPart(value: unknown): value is string {
  return typeof value === 'string' && PLATFORM_PART.test(value);
}

function text(value: unknown, where: string): string {
  if (typeof value !== 'string') throw new Malformed(`has no text at ${where}`);
  return value;
}

function texts(value: unknown, where: string): readonly string[] {
  if (!Array.isArray(value)) throw new Malformed(`has no list at ${where}`);
  return value.map((item, at) => text(item, `${where}[${at}]`));
}

function strings(value: unknown, where: string): Readonly<Record<string, string>> {
  if (!isObject(value)) throw new Malformed(`has no object at ${where}`);
  // `fromEntries` defines properties, so that a key named __proto__ stays a key. Readers in Go take `null` for an empty text.
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, text(item ?? '', where)]));
}

/** Writers in Go say `null` for an empty list. */
function list(json: Json, key: string): readonly unknown[] {
  const value = json[key];
  if (value === null) return [];
  if (!Array.isArray(value)) throw new Malformed(`has no list "${key}"`);
  return value;
}

function optional<T>(json: Json, key: string, read: (value: unknown, where: string) => T): T | undefined {
  const value = json[key];
  // An empty text is what writers in Go leave of a field that they do not set.
  return value === undefined || value === null || value === '' ? undefined : read(value, key);
}

function field<K extends string, T>(key: K, value: T | undefined): { readonly [key in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [key in K]?: T };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A platform that a writer in Go left unset. */
function isEmpty(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((part) => part === '');
}

function printable(value: string): string {
  return JSON.stringify(value.slice(0, 100));
}

function problem(text: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: text };
}
