/** A small image with an operating system and packages that scanners can read, for a scripted registry. */
import { createHash } from 'node:crypto';
import { mediaType, type Descriptor, type Platform } from '../oci/model.ts';
import type { ScriptedRegistry } from './scripted-registry.ts';

const RELEASE = 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.0\nPRETTY_NAME="Alpine Linux v3.20"\n';
const ARCHITECTURES: Readonly<Record<string, string>> = { amd64: 'x86_64', arm64: 'aarch64' };

/** Each platform with the packages it has, as name and version: versions with known vulnerabilities, as of Alpine 3.20.0. */
const PLATFORMS: readonly (readonly [Platform, readonly (readonly [name: string, version: string])[]])[] = [
  [{ os: 'linux', architecture: 'amd64' }, [['musl', '1.2.5-r0']]],
  [
    { os: 'linux', architecture: 'arm64' },
    [
      ['musl', '1.2.5-r0'],
      ['busybox', '1.36.1-r28'],
    ],
  ],
];

/** Puts an index of two platforms with different packages; the same bytes every time. */
export function seedPackages(registry: ScriptedRegistry, repository: string): Descriptor {
  const blob = (type: string, content: Uint8Array | string): Descriptor => ({
    mediaType: type,
    digest: registry.putBlob(repository, content),
    size: Buffer.byteLength(content),
  });
  const manifests = PLATFORMS.map(([platform, packages]) => {
    const database = packages.map(([name, version]) => entryOf(name, version, platform)).join('\n');
    const layer = archive({ 'etc/os-release': RELEASE, 'lib/apk/db/installed': database });
    const config = JSON.stringify({
      created: '2026-01-01T00:00:00Z',
      ...platform,
      rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(layer).digest('hex')}`] },
    });
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaType.ociManifest,
      config: blob(mediaType.ociConfig, config),
      layers: [blob('application/vnd.oci.image.layer.v1.tar', layer)],
    };
    return { ...registry.putManifest(repository, manifest), platform };
  });
  return registry.putManifest(repository, { schemaVersion: 2, mediaType: mediaType.ociIndex, manifests });
}

/** https://wiki.alpinelinux.org/wiki/Apk_spec#Installed_Database_V2 */
function entryOf(name: string, version: string, { architecture }: Platform): string {
  return `P:${name}\nV:${version}\nA:${ARCHITECTURES[architecture] ?? architecture}\no:${name}\nL:MIT\nT:a sample\n`;
}

/** https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06: ustar, files only. */
function archive(files: Readonly<Record<string, string>>): Uint8Array {
  const parts = Object.entries(files).flatMap(([path, content]) => {
    const bytes = Buffer.from(content);
    return [header(path, bytes.byteLength), bytes, Buffer.alloc((512 - (bytes.byteLength % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

function header(path: string, size: number): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  block.write(path, 0);
  block.write(octal(0o644, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136);
  block.write('        ', 148);
  block.write('0', 156);
  block.write('ustar\u000000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\u0000 `, 148);
  return block;
}
