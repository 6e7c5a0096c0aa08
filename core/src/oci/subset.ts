/**
 * Some platforms of an image, as a new index over unaltered children: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md
 * The bytes follow from the source's and the platforms alone, so that every run and every machine makes the same digest.
 */
import { ok, type Result } from '../failure.ts';
import type { Digest } from '../reference.ts';
import { sha256 } from './digest.ts';
import type { IndexContent } from './join-index.ts';
import { formatPlatform, isUnknownPlatform, type Descriptor, type ManifestContent, type Platform } from './model.ts';
import { parseJson, parseManifest } from './parse.ts';

/** On an attestation that stands in an index beside the image it is about: the image's digest. */
const ABOUT = 'vnd.docker.reference.digest';
/** How deep indexes may hold indexes. */
const MAX_DEPTH = 8;

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
}

export type Found =
  | { readonly found: true; readonly subset: Subset }
  | { readonly found: false; readonly lacking: Lacking };

/** `platforms` without a variant stand for every variant, as linux/arm for v6 and v7. */
export async function subsetOf(
  root: ManifestContent,
  platforms: readonly Platform[],
  reader: SubsetReader,
): Promise<Result<Found>> {
  const present = new Set<string>();
  const matched = new Set<Platform>();
  const indexes: IndexContent[] = [];
  const kept: Digest[] = [];

  function wanted(platform: Platform): boolean {
    present.add(formatPlatform(platform));
    const matches = platforms.filter((asked) => covers(asked, platform));
    for (const asked of matches) matched.add(asked);
    return matches.length > 0;
  }

  /** The descriptor to keep in its place; `undefined` leaves it out. */
  async function keepChild(child: Descriptor, raw: unknown, depth: number): Promise<Result<unknown>> {
    const { platform } = child;
    if (platform !== undefined) return ok(wanted(platform) ? keepWhole(child, raw) : undefined);
    const content = await reader.manifest(child);
    if (!content.ok) return content;
    if (content.value.kind === 'manifest') {
      const own = await reader.platform(content.value);
      if (!own.ok) return own;
      return ok(own.value !== undefined && wanted(own.value) ? keepWhole(child, raw) : undefined);
    }
    if (depth >= MAX_DEPTH) return ok(undefined);
    const inner = await narrow(content.value, depth + 1);
    if (!inner.ok || inner.value === undefined) return inner;
    const { digest, size } = inner.value;
    return ok({ ...(raw as object), digest, size });
  }

  function keepWhole(child: Descriptor, raw: unknown): unknown {
    kept.push(child.digest);
    return raw;
  }

  async function narrow(
    index: IndexContent,
    depth: number,
  ): Promise<Result<Pick<Descriptor, 'digest' | 'size'> | undefined>> {
    const { json, raw } = entriesOf(index);
    const entries: { readonly child: Descriptor; readonly raw: unknown; keep: unknown }[] = [];
    for (const [at, child] of index.value.manifests.entries()) {
      const keep = isUnknownPlatform(child.platform) ? ok(undefined) : await keepChild(child, raw[at], depth);
      if (!keep.ok) return keep;
      entries.push({ child, raw: raw[at], keep: keep.value });
    }
    const images = new Set<string>(entries.filter(({ keep }) => keep !== undefined).map(({ child }) => child.digest));
    for (const entry of entries) {
      const about = isUnknownPlatform(entry.child.platform) ? entry.child.annotations?.[ABOUT] : undefined;
      if (about !== undefined && images.has(about)) entry.keep = keepWhole(entry.child, entry.raw);
    }
    const remaining = entries.filter(({ keep }) => keep !== undefined);
    if (remaining.length === 0) return ok(undefined);
    if (entries.every(({ keep, raw: before }) => keep === before)) {
      // Nothing is left out here: what was noted of its children is covered by the whole.
      for (const { child } of entries) kept.splice(kept.lastIndexOf(child.digest), 1);
      kept.push(index.descriptor.digest);
      return ok(index.descriptor);
    }
    const made = newIndex(
      index,
      json,
      remaining.map(({ keep }) => keep),
    );
    indexes.push(made);
    return ok(made.descriptor);
  }

  if (root.kind === 'manifest') {
    const own = await reader.platform(root);
    if (!own.ok) return own;
    if (own.value !== undefined && wanted(own.value)) kept.push(root.descriptor.digest);
  }
  const top = root.kind === 'index' ? await narrow(root, 0) : ok(root.descriptor);
  if (!top.ok) return top;
  const absent = platforms.filter((platform) => !matched.has(platform));
  if (absent.length > 0 || top.value === undefined) {
    return ok({ found: false, lacking: { absent, present: [...present].sort() } });
  }
  return ok({ found: true, subset: { digest: top.value.digest, kept: [...new Set(kept)], indexes } });
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
