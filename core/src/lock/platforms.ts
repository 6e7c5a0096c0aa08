/** Which platforms an image has, as far as its index says so; a single image says it in its config. */
import { formatPlatform, isImageConfig, isUnknownPlatform, type ManifestContent } from '../oci/model.ts';
import { fail, ok, type Result } from '../failure.ts';
import { isManifestType, MAX_INDEX_DEPTH } from '../oci/parse.ts';
import { pin, type Digest, type Pinned } from '../reference.ts';
import type { Registry } from '../registry/model.ts';
import { absent } from '../run/absent.ts';
import { platformOf } from '../run/steps/image.ts';

/** Sorted and distinct; empty when it is no image. One request for an index: on Docker Hub a pull, unlike a HEAD. */
export async function readPlatforms(registry: Registry, image: Pinned): Promise<Result<readonly string[]>> {
  const found = await collect(registry, image, MAX_INDEX_DEPTH, new Set());
  return found.ok ? ok([...new Set(found.value.filter(isName))].sort()) : found;
}

/** Strangers write what an index says, and this goes into a file. */
function isName(platform: string): boolean {
  return /^[!-~]{1,128}$/.test(platform);
}

/** `seen`: each index is opened once, even if indexes name each other thousands of times. */
async function collect(
  registry: Registry,
  image: Pinned,
  depth: number,
  seen: Set<Digest>,
): Promise<Result<readonly string[]>> {
  if (seen.has(image.digest)) return ok([]);
  seen.add(image.digest);
  const read = await registry.manifest(image, 'source');
  if (!read.ok) return read;
  if (read.value === undefined) return fail(absent(image, 'source', 'its tag named it a moment ago; try again'));
  if (read.value.kind === 'manifest') return ofManifest(registry, image, read.value);
  const all = new Set<string>();
  for (const child of read.value.value.manifests) {
    if (isUnknownPlatform(child.platform)) continue;
    if (child.platform !== undefined) all.add(formatPlatform(child.platform));
    else if (depth > 0 && isManifestType(child.mediaType)) {
      const inner = await collect(registry, pin(image, child.digest), depth - 1, seen);
      if (!inner.ok) return inner;
      for (const platform of inner.value) all.add(platform);
    }
  }
  return ok([...all]);
}

async function ofManifest(
  registry: Registry,
  image: Pinned,
  { value }: Extract<ManifestContent, { readonly kind: 'manifest' }>,
): Promise<Result<readonly string[]>> {
  const { config } = value;
  if (!isImageConfig(config)) return ok([]);
  const bytes = await registry.readBlob(image, config, 'source');
  if (!bytes.ok) return bytes;
  const platform = platformOf(bytes.value);
  return ok(platform === undefined ? [] : [formatPlatform(platform)]);
}
