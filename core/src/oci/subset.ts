/**
 * Some platforms of an image, as a new index over unaltered children: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md
 * The bytes follow from the source's and the platforms alone, so that every run and every machine makes the same digest.
 */
import { ok, type Result } from '../failure.ts';
import type { Digest } from '../reference.ts';
import { sha256 } from './digest.ts';
import type { IndexContent } from './join-index.ts';
import { formatPlatform, isUnknownPlatform, type Descriptor, type ManifestContent, type Platform } from './model.ts';
import { isManifestType, MAX_INDEX_DEPTH, parseJson, parseManifest } from './parse.ts';

/** On an attestation that stands in an index beside the image it is about: the image's digest. */
const ABOUT = 'vnd.docker.reference.digest';

export interface SubsetReader {
  /** A manifest that the index names; a failure when it is not there. */
  manifest(descriptor: Descriptor): Promise<Result<ManifestContent>>;
  /** Whose platform an image is, by its config; `undefined` for what is no image. */
  platform(image: Extract<ManifestContent, { readonly kind: 'manifest' }>): Promise<Result<Platform | undefined>>;
}

export interface Subset {
  /** What the destination's tag is to name. */
  readonly digest: Digest;
  /** To be copied as they are, with all they hold. */
  readonly kept: readonly Digest[];
  /** New ones, each after those that it names; none when nothing was left out. */
  readonly indexes: readonly IndexContent[];
}

export interface Lacking {
  /** Those that were asked for and are not there. */
  readonly absent: readonly Platform[];
  /** Every platform that there is, sorted; empty when it is no image. */
  readonly present: readonly string[];
  /** The subset of the platforms that are there, if any is. */
  readonly rest?: Subset;
}

export type Found =
  | { readonly found: true; readonly subset: Subset }
  | { readonly found: false; readonly lacking: Lacking };

/** What became of an index, or of one of its entries. */
interface Part {
  /** As it stands in the index above it. */
  readonly raw: unknown;
  readonly digest: Digest;
  readonly kept: readonly Digest[];
  readonly indexes: readonly IndexContent[];
}

/** `platforms` without a variant stand for every variant, as linux/arm for v6 and v7. */
export async function subsetOf(
  root: ManifestContent,
  platforms: readonly Platform[],
  reader: SubsetReader,
): Promise<Result<Found>> {
  const present = new Set<string>();
  const matched = new Set<Platform>();
  /** Indexes that name each other a thousand times would else be opened a billion times. */
  const opened = new Map<Digest, { readonly part: Part | undefined }>();
  const top = await narrow(root, { raw: undefined, digest: root.descriptor.digest }, 0);
  if (!top.ok) return top;
  const absent = platforms.filter((platform) => !matched.has(platform));
  const lacking = { absent, present: [...present].sort() };
  if (top.value === undefined) return ok({ found: false, lacking });
  const { digest, kept, indexes } = top.value;
  const subset = { digest, kept: [...new Set(kept)], indexes };
  return ok(absent.length > 0 ? { found: false, lacking: { ...lacking, rest: subset } } : { found: true, subset });

  function wanted(platform: Platform | undefined): boolean {
    if (platform === undefined) return false;
    present.add(formatPlatform(platform));
    const matches = platforms.filter((asked) => covers(asked, platform));
    for (const asked of matches) matched.add(asked);
    return matches.length > 0;
  }

  /** `undefined`: nothing of it is kept. */
  async function narrow(
    content: ManifestContent,
    as: Pick<Part, 'raw' | 'digest'>,
    depth: number,
  ): Promise<Result<Part | undefined>> {
    if (content.kind === 'index') return depth > MAX_INDEX_DEPTH ? ok(undefined) : narrowIndex(content, as, depth);
    const platform = await reader.platform(content);
    if (!platform.ok) return platform;
    return ok(wanted(platform.value) ? whole(as) : undefined);
  }

  async function narrowIndex(
    index: IndexContent,
    as: Pick<Part, 'raw' | 'digest'>,
    depth: number,
  ): Promise<Result<Part | undefined>> {
    const { json, raw } = entriesOf(index);
    const entries = index.value.manifests.map((child, at) => ({ child, raw: raw[at], digest: child.digest }));
    const parts = new Map<number, Part>();
    for (const [at, entry] of entries.entries()) {
      const part = await narrowEntry(entry.child, entry, depth);
      if (!part.ok) return part;
      if (part.value !== undefined) parts.set(at, part.value);
    }
    const images = new Set<string>([...parts.keys()].flatMap((at) => entries[at]?.digest ?? []));
    for (const [at, entry] of entries.entries()) {
      const about = isUnknownPlatform(entry.child.platform) ? entry.child.annotations?.[ABOUT] : undefined;
      if (about !== undefined && images.has(about)) parts.set(at, whole(entry));
    }
    const remaining = entries.flatMap((_, at) => parts.get(at) ?? []);
    if (remaining.length === 0) return ok(undefined);
    if (entries.every((entry, at) => parts.get(at)?.raw === entry.raw && parts.has(at))) return ok(whole(as));
    const made = newIndex(
      index,
      json,
      remaining.map((part) => part.raw),
    );
    const { digest, size } = made.descriptor;
    return ok({
      raw: { ...(as.raw as object), digest, size },
      digest,
      kept: [...new Set(remaining.flatMap(({ kept: own }) => own))],
      indexes: [...new Set(remaining.flatMap((part) => part.indexes)), made],
    });
  }

  async function narrowEntry(
    child: Descriptor,
    as: Pick<Part, 'raw' | 'digest'>,
    depth: number,
  ): Promise<Result<Part | undefined>> {
    if (isUnknownPlatform(child.platform)) return ok(undefined);
    if (child.platform !== undefined) return ok(wanted(child.platform) ? whole(as) : undefined);
    if (!isManifestType(child.mediaType)) return ok(undefined);
    const before = opened.get(child.digest);
    if (before !== undefined) return ok(before.part === undefined ? undefined : namedBy(as, before.part));
    const content = await reader.manifest(child);
    if (!content.ok) return content;
    const part = await narrow(content.value, as, depth + 1);
    if (part.ok) opened.set(child.digest, { part: part.value });
    return part;
  }
}

function whole({ raw, digest }: Pick<Part, 'raw' | 'digest'>): Part {
  return { raw, digest, kept: [digest], indexes: [] };
}

/** The same part, for another entry that names what it is of. */
function namedBy(as: Pick<Part, 'raw' | 'digest'>, part: Part): Part {
  if (part.digest === as.digest) return whole(as);
  const { digest, size } = part.raw as Descriptor;
  return { ...part, raw: { ...(as.raw as object), digest, size } };
}

/** 64-bit ARM is v8 whether it is said or not: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#platform-variants */
function covers(asked: Platform, { os, architecture, variant, 'os.version': version }: Platform): boolean {
  if (asked.os !== os || asked.architecture !== architecture) return false;
  if (asked.variant !== undefined && asked.variant !== variant) return false;
  return asked['os.version'] === undefined || asked['os.version'] === version;
}

/** As they were written, with fields that Slipway does not know. */
function entriesOf(index: IndexContent): { readonly json: object; readonly raw: readonly unknown[] } {
  const json = parseJson(index.bytes);
  const raw = json.ok ? json.value['manifests'] : undefined;
  if (!json.ok) throw new Error(`the bytes of ${index.descriptor.digest} are no index`);
  return { json: json.value, raw: Array.isArray(raw) ? (raw as readonly unknown[]) : [] };
}

function newIndex({ descriptor }: IndexContent, json: object, manifests: readonly unknown[]): IndexContent {
  const bytes = new TextEncoder().encode(JSON.stringify({ ...json, manifests }));
  const parsed = parseManifest(bytes, sha256(bytes), descriptor.mediaType);
  if (!parsed.ok || parsed.value.kind !== 'index') throw new Error('a part of an index is no index');
  return parsed.value;
}
