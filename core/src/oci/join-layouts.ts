/** Image layouts of one platform each, seen as one layout: nothing is copied. */
import { fail, ok, type Failed, type Result, type ToolFailure } from '../failure.ts';
import type { Content } from '../registry/model.ts';
import { readWhole } from '../registry/whole.ts';
import type { Digest } from '../reference.ts';
import { joinIndex } from './join-index.ts';
import type { Layout } from './layout.ts';
import { formatPlatform, isImageConfig, isUnknownPlatform, type ManifestContent, type Platform } from './model.ts';
import { parseJson } from './parse.ts';

export interface PlatformLayout {
  readonly platform: Platform;
  readonly content: Content;
  readonly manifest: Extract<ManifestContent, { readonly kind: 'manifest' }>;
}

/** Bytes; the config of an image lists its settings and layers only. */
const MAX_CONFIG = 4 * 1024 * 1024;

/**
 * The one image of a layout that was made for `platform`; an index with one entry is unwrapped. A `tool` failure when there are
 * several, or when the image says that it is for another platform: the joined index would then lie.
 */
export async function platformLayout({ root, content }: Layout, platform: Platform): Promise<Result<PlatformLayout>> {
  let digest: Digest = root.digest;
  for (;;) {
    const found = await content.manifest(digest);
    if (!found.ok) return found;
    if (found.value === undefined) return wrong(`the image layout does not hold its image ${digest}`);
    if (found.value.kind === 'manifest') return checked({ platform, content, manifest: found.value });
    const [only, ...others] = found.value.value.manifests;
    if (only === undefined || others.length > 0) {
      return wrong(`the image layout holds an index of ${found.value.value.manifests.length}, not one image`);
    }
    digest = only.digest;
  }
}

async function checked(part: PlatformLayout): Promise<Result<PlatformLayout>> {
  const said = await configPlatform(part.content, part.manifest);
  if (!said.ok) return said;
  const { os, architecture } = part.platform;
  if (said.value === undefined || said.value === `${os}/${architecture}`) return ok(part);
  return wrong(`the image says that it is for ${said.value}`);
}

/** As `linux/amd64`, by the config of an image; `undefined`: it is no image that could be run. */
async function configPlatform(
  content: Content,
  { value: { config } }: PlatformLayout['manifest'],
): Promise<Result<string | undefined>> {
  if (!isImageConfig(config)) return ok(undefined);
  if (config.size > MAX_CONFIG) return wrong(`the image's config is larger than ${MAX_CONFIG} bytes`);
  const stream = await content.blob(config);
  if (!stream.ok) return stream;
  const bytes = await readWhole(stream.value);
  if (!bytes.ok) return bytes;
  const json = parseJson(bytes.value);
  if (!json.ok) return wrong(`the image's config ${json.problem}`);
  return ok(`${String(json.value['os'])}/${String(json.value['architecture'])}`);
}

/** Fails unless a layout's images are those of `platforms`, and no others; variants are not looked at, since tools leave some out. */
export async function checkPlatforms({ root, content }: Layout, platforms: readonly Platform[]): Promise<Result<void>> {
  const found = await content.manifest(root.digest);
  if (!found.ok) return found;
  if (found.value === undefined) return wrong(`the image layout does not hold its image ${root.digest}`);
  const made = await madePlatforms(content, found.value);
  if (!made.ok) return made;
  const asked = platforms.map(({ os, architecture }) => `${os}/${architecture}`);
  const isSame = asked.every((one) => made.value.includes(one)) && made.value.every((one) => asked.includes(one));
  if (isSame || made.value.length === 0) return ok(undefined);
  return wrong(
    `it was asked for ${platforms.map(formatPlatform).join(', ')}, and made an image for ${made.value.join(', ')}`,
    'change "platforms" of the entry, or report it to whoever wrote its build mode',
  );
}

/** The platforms of an image, as far as it names them. */
async function madePlatforms(content: Content, image: ManifestContent): Promise<Result<readonly string[]>> {
  if (image.kind === 'manifest') {
    const said = await configPlatform(content, image);
    return said.ok ? ok(said.value === undefined ? [] : [said.value]) : said;
  }
  const named = image.value.manifests.flatMap(({ platform }) =>
    platform === undefined || isUnknownPlatform(platform) ? [] : [`${platform.os}/${platform.architecture}`],
  );
  return ok([...new Set(named)]);
}

/** A layout whose root is the index of all. Throws when a platform comes twice. */
export function joinLayouts(parts: readonly [PlatformLayout, ...PlatformLayout[]]): Layout {
  const index = joinIndex(parts.map(({ platform, manifest }) => ({ platform, manifest: manifest.descriptor })));
  const owners = new Map<Digest, Content>();
  for (const { content, manifest } of parts) {
    for (const { digest } of [manifest.descriptor, manifest.value.config, ...manifest.value.layers]) {
      owners.set(digest, content);
    }
  }
  const content: Content = {
    async manifest(digest) {
      if (digest === index.descriptor.digest) return ok(index);
      return owners.get(digest)?.manifest(digest) ?? ok(undefined);
    },
    // One that no image has is missing in the first as in any other, which says so.
    blob: (descriptor) => (owners.get(descriptor.digest) ?? parts[0].content).blob(descriptor),
  };
  return { content, root: index.descriptor };
}

function wrong(
  message: string,
  hint = 'a build for one platform must leave one image of that platform',
): Failed<ToolFailure> {
  return fail({
    reason: 'tool',
    class: 'permanent',
    tool: 'image layout',
    message,
    hint,
  });
}
