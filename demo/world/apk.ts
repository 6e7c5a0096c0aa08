/**
 * Alpine packages (APK v2) made by hand: a gzip stream with `.PKGINFO`, then one with the files.
 * Format: https://wiki.alpinelinux.org/wiki/Apk_spec
 */
import { createHash } from 'node:crypto';
import { gzipStored, tar, text, type Member } from './archive.ts';

/** Every package's date; apko dates an image by its newest package, so this ends up in digests. */
export const BUILD_DATE = 1_767_225_600;

/** Alpine's name of a processor, as folders of its repositories have it. */
export type Architecture = 'x86_64' | 'aarch64';

export interface Package {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly depends?: readonly string[];
  /** In the order of the archive: a folder before what is in it. */
  readonly members: readonly Member[];
}

/** The file's name in a repository. */
export function fileName(description: Pick<Package, 'name' | 'version'>): string {
  return `${description.name}-${description.version}.apk`;
}

/** The bytes of an unsigned package. */
export function apk(description: Package, architecture: Architecture): Uint8Array {
  const data = gzipStored(tar(description.members, { mtime: BUILD_DATE, pax: checksum }));
  const info = text(packageInfo(description, architecture, createHash('sha256').update(data).digest('hex')));
  // The end-of-archive blocks must be missing here: to a reader both streams are one archive.
  const control = tar([{ type: 'file', path: '.PKGINFO', content: info }], { mtime: BUILD_DATE, end: false });
  return Buffer.concat([gzipStored(control), data]);
}

function packageInfo(description: Package, architecture: Architecture, datahash: string): string {
  const size = description.members.reduce(
    (total, member) => total + (member.type === 'file' ? member.content.length : 0),
    0,
  );
  const fields: readonly (readonly [string, string | number])[] = [
    ['pkgname', description.name],
    ['pkgver', description.version],
    ['arch', architecture],
    ['size', size],
    ['origin', description.name],
    ['pkgdesc', description.description],
    ['url', 'https://slipway.example'],
    ['license', 'Apache-2.0'],
    ['builddate', BUILD_DATE],
    ...(description.depends ?? []).map((name) => ['depend', name] as const),
    ['datahash', datahash],
  ];
  return fields.map(([key, value]) => `${key} = ${value}\n`).join('');
}

/** Package managers want the SHA-1 of every file's content and of every link's target. */
function checksum(member: Member): Readonly<Record<string, string>> {
  if (member.type === 'directory') return {};
  const content = member.type === 'file' ? member.content : text(member.target);
  return { 'APK-TOOLS.checksum.SHA1': createHash('sha1').update(content).digest('hex') };
}
