/** The images that the world's source registry offers, as `hub.slipway.example` does in config.yaml. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text, type Member } from './archive.ts';
import { imageLayout, writeLayout, type Layout, type PlatformImage, type PlatformName } from './image.ts';
import { OS_RELEASE } from './packages.ts';
import type { Runner } from './processes.ts';

interface InstalledPackage {
  readonly name: string;
  readonly version: string;
}

export const AMD64: PlatformName = { os: 'linux', architecture: 'amd64' };
export const ARM64: PlatformName = { os: 'linux', architecture: 'arm64' };

/** An image as a distribution's: it names the distribution and lists its packages, which is what scanners read. */
export function alpineImage(
  platform: PlatformName,
  packages: readonly InstalledPackage[],
  label: string,
): PlatformImage {
  const base: readonly Member[] = [
    ...['etc', 'lib', 'lib/apk', 'lib/apk/db'].map((path): Member => ({ type: 'directory', path })),
    { type: 'file', path: 'etc/os-release', content: text(OS_RELEASE) },
    {
      type: 'file',
      path: 'lib/apk/db/installed',
      content: text(packages.map((each) => record(each, platform)).join('')),
    },
  ];
  const top: readonly Member[] = [
    { type: 'file', path: 'label', content: text(`${label} ${platform.architecture}\n`) },
  ];
  return { platform, layers: [base, top] };
}

/** https://wiki.alpinelinux.org/wiki/Apk_spec#Installed_Database_V2 */
function record({ name, version }: InstalledPackage, platform: PlatformName): string {
  const architecture = platform.architecture === 'amd64' ? 'x86_64' : 'aarch64';
  return `P:${name}\nV:${version}\nA:${architecture}\nL:MIT\no:${name}\nT:${name} of the demo\n\n`;
}

const musl = { name: 'musl', version: '1.2.5-r0' };
const busybox = { name: 'busybox', version: '1.36.1-r29' };

/** Repository and tag in the source registry → image. config.yaml names the digest of `library/busybox:1.36`. */
export const sourceImages: ReadonlyMap<string, Layout> = new Map([
  ['library/alpine:3.20', bothPlatforms([musl, busybox], 'alpine')],
  ['library/busybox:1.36', bothPlatforms([busybox], 'busybox')],
  // Its CRITICAL finding is upstream's to mend: a sync reports it and publishes.
  ['library/legacy:1', bothPlatforms([musl, { name: 'leaky', version: '1.0.0-r0' }], 'legacy')],
  ['library/single:1', imageLayout([alpineImage(AMD64, [musl], 'single')])],
]);

function bothPlatforms(packages: readonly InstalledPackage[], label: string): Layout {
  return imageLayout([alpineImage(AMD64, packages, label), alpineImage(ARM64, packages, label)]);
}

/** Pushes to `HOST:PORT/repository:tag`; answers with the digest. */
export async function pushLayout(layout: Layout, reference: string, crane: string, run: Runner): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-layout-'));
  try {
    await writeLayout(layout, folder);
    await run(crane, ['push', folder, reference]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return layout.root.digest;
}
