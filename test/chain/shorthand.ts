/** What the chain's tests say often: images to start from, and what a registry shows. */
import { alpineImage, AMD64, ARM64 } from '../../demo/world/images.ts';
import { imageLayout, type Layout } from '../../demo/world/image.ts';
import { crane, cosign, freshPath, push, world } from '../world.ts';

const MUSL = { name: 'musl', version: '1.2.5-r0' };

/** An image for two platforms that no other test has: `label` is in it. */
export function image(label: string, packages = [MUSL]): Layout {
  return imageLayout([alpineImage(AMD64, packages, label), alpineImage(ARM64, packages, label)]);
}

export function leakyImage(label: string): Layout {
  return image(label, [{ name: 'leaky', version: '1.0.0-r0' }]);
}

/** Pushes an image to a repository of its own in the source registry; its path. */
export async function source(
  label: string,
  layout: Layout = image(label),
): Promise<{ readonly path: string; readonly digest: string }> {
  const path = freshPath(label);
  return { path, digest: await push(layout, `${world().source.host}/${path}:1`) };
}

/** The digest that a tag names now; undefined: there is no such tag. */
export async function digestOf(reference: string): Promise<string | undefined> {
  const { code, stdout, stderr } = await crane('digest', reference);
  if (code === 0) return stdout.trim();
  if (/MANIFEST_UNKNOWN|NAME_UNKNOWN|404/.test(stderr)) return undefined;
  throw new Error(stderr);
}

/** Whether a consumer with this public key believes the image. */
export async function verifies(reference: string, publicKey: string): Promise<boolean> {
  return (await cosign(['verify', '--insecure-ignore-tlog', '--key', publicKey, reference])).code === 0;
}
