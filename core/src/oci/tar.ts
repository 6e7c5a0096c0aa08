/**
 * TAR archives of image layers, byte for byte the same everywhere: no owner, no time, nothing of the machine.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06
 */
import { configFailure, fail, ok, type ConfigFailure, type Result } from '../failure.ts';

/** One member of a layer. `path` is relative to the image's root, `/` between parts, without one at either end. */
export type LayerMember =
  | {
      readonly type: 'file';
      readonly path: string;
      readonly content: Uint8Array | LayerFile;
      readonly executable?: boolean;
    }
  | { readonly type: 'folder'; readonly path: string }
  | { readonly type: 'link'; readonly path: string; readonly target: string };

/** Content that is read when its turn comes; exactly `size` bytes, or the archive is broken and writing it throws. */
export interface LayerFile {
  readonly size: number;
  readonly read: () => AsyncIterable<Uint8Array>;
}

const BLOCK = 512;
/** What eleven octal digits can hold. */
const MAX_OCTAL = 0o77777777777;

/**
 * The same members sorted, each folder above them added; a path that is no path in an image, or stands there twice, is a
 * failure.
 */
export function layerMembers(members: readonly LayerMember[]): Result<readonly LayerMember[], ConfigFailure> {
  const all = new Map<string, LayerMember>();
  for (const member of members) {
    const problem = pathProblem(member.path) ?? linkProblem(member);
    if (problem !== undefined) return fail(configFailure(`"${member.path}" ${problem}`));
    if (all.has(member.path) && !(member.type === 'folder' && all.get(member.path)?.type === 'folder')) {
      return fail(configFailure(`"${member.path}" is in the image twice`));
    }
    all.set(member.path, member);
  }
  for (const { path } of members) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end);
      const known = all.get(folder);
      if (known !== undefined && known.type !== 'folder') {
        return fail(configFailure(`"${folder}" is a ${known.type} in the image, and "${path}" would lie in it`));
      }
      all.set(folder, { type: 'folder', path: folder });
    }
  }
  return ok([...all.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1)));
}

function pathProblem(path: string): string | undefined {
  if (path.includes('\0')) return 'has a null character';
  const parts = path.split('/');
  return parts.some((part) => part === '' || part === '.' || part === '..') ? 'is no path in an image' : undefined;
}

function linkProblem(member: LayerMember): string | undefined {
  return member.type === 'link' && (member.target === '' || member.target.includes('\0'))
    ? 'is a link to nothing'
    : undefined;
}

/** The archive's bytes, of members as {@link layerMembers} gives them. */
export async function* tarBytes(members: readonly LayerMember[]): AsyncGenerator<Uint8Array, void> {
  for (const member of members) {
    const size = sizeOf(member);
    const target = member.type === 'link' ? member.target : '';
    const path = member.type === 'folder' ? `${member.path}/` : member.path;
    const records = paxRecords({ path, linkpath: target, size });
    if (records.length > 0) {
      yield header({ path: 'PaxHeader', target: '', size: records.length, mode: 0o644, flag: 'x' });
      yield records;
      yield padding(records.length);
    }
    yield header({ path, target, size, ...kindOf(member) });
    if (member.type !== 'file') continue;
    let written = 0;
    for await (const chunk of bytesOf(member.content)) {
      written += chunk.length;
      yield chunk;
    }
    if (written !== size) throw new Error(`${member.path} changed while it was read`);
    yield padding(size);
  }
  yield new Uint8Array(2 * BLOCK);
}

function sizeOf(member: LayerMember): number {
  if (member.type !== 'file') return 0;
  return member.content instanceof Uint8Array ? member.content.length : member.content.size;
}

async function* bytesOf(content: Uint8Array | LayerFile): AsyncGenerator<Uint8Array, void> {
  if (content instanceof Uint8Array) yield content;
  else yield* content.read();
}

function kindOf(member: LayerMember): { readonly mode: number; readonly flag: string } {
  switch (member.type) {
    case 'file':
      return { mode: member.executable === true ? 0o755 : 0o644, flag: '0' };
    case 'folder':
      return { mode: 0o755, flag: '5' };
    case 'link':
      return { mode: 0o777, flag: '2' };
  }
}

interface Header {
  readonly path: string;
  readonly target: string;
  readonly size: number;
  readonly mode: number;
  readonly flag: string;
}

/** What does not fit a field stands in the records before it, which win. */
function header({ path, target, size, mode, flag }: Header): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  block.write(path, 0, 100);
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(Math.min(size, MAX_OCTAL), 11), 124);
  block.write(octal(0, 11), 136);
  block.write(' '.repeat(8), 148);
  block.write(flag, 156);
  block.write(target, 157, 100);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function paxRecords({
  path,
  linkpath,
  size,
}: {
  readonly path: string;
  readonly linkpath: string;
  readonly size: number;
}): Uint8Array {
  const fits = (text: string): boolean => /^[\x20-\x7e]{0,100}$/.test(text);
  const records = [
    ...(fits(path) ? [] : [record('path', path)]),
    ...(fits(linkpath) ? [] : [record('linkpath', linkpath)]),
    ...(size <= MAX_OCTAL ? [] : [record('size', String(size))]),
  ];
  return Buffer.from(records.join(''));
}

/** `<length> key=value\n`, where the length counts its own digits. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + String(bytes).length;
  if (String(length).length > String(bytes).length) length = bytes + String(length).length;
  return `${length}${rest}`;
}

function padding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}
