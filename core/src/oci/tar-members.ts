/**
 * The headers of a TAR archive from elsewhere, taken apart. Readers of such archives disagree wherever the formats leave something open, so
 * that one archive could be one image to us and another to those who load it. All that others may read differently is refused; tools that
 * make images write none of it: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06 and
 * https://www.gnu.org/software/tar/manual/html_node/Standard.html
 */
import { ok, type Result } from '../failure.ts';
import type { Broken } from './layout-files.ts';

export interface Header {
  readonly flag: string;
  readonly path: string;
  readonly size: number;
}

/** What the members before a member say of it. */
export interface Records {
  readonly path?: string;
  readonly size?: number;
}

/** Bytes of a long name, or of the records before a member. */
export const MAX_RECORDS = 64 * 1024;

/**
 * Members that describe others: `x` the next one and `g` all that follow (POSIX), `L` a long name and `K` a long target of a link (GNU).
 */
const RECORDS = /^[xLKg]$/;
const FILE = /^[0\0]$/;
/** Links, devices, folders and pipes: some readers skip the content that their header announces, others see headers in it. */
const WITHOUT_CONTENT = /^[1-6]$/;

const otherwise = (what: string): string => `has ${what}, which others read in another way`;

/** Undefined: no header of a TAR archive. */
export function parseHeader(block: Buffer): Header | undefined {
  const size = sizeField(block);
  if (!hasChecksum(block) || size === undefined) return undefined;
  return { flag: String.fromCharCode(block[156] ?? 0), path: nameField(block), size };
}

export function isRecord({ flag }: Header): boolean {
  return RECORDS.test(flag);
}

/** `before`: the flags of the records that stand before this one and belong to the same member. */
export function parseRecords(flag: string, before: string, bytes: Uint8Array, broken: Broken): Result<Records> {
  // Of several one wins, and readers differ in which.
  if (flag === 'x' || flag === 'g' ? before !== '' : before.includes('x') || before.includes(flag))
    return broken(otherwise('several records before one member'));
  if (flag === 'K') return ok({});
  if (flag === 'L') return ok({ path: text(bytes) });
  const records = paxRecords(bytes);
  if (records === undefined) return broken(otherwise('records that are not well-formed'));
  if (flag === 'g' && (records.path ?? records.size) !== undefined)
    return broken(otherwise('a name or a size for all members'));
  return ok(records);
}

/** The names of an archive's members, each of which must be one file, or none, for everybody. */
export function memberNames(broken: Broken) {
  /** Files, links and the like. We skip all but files, but for other readers a link may replace a file, or lead elsewhere. */
  const leaves = new Set<string>();
  const folders = new Set<string>();

  return {
    /** The file's name; undefined: not a file. */
    add({ flag, path, size }: Header): Result<string | undefined> {
      const parts = path.split('/').filter((part) => part !== '' && part !== '.');
      if (parts.includes('..')) return broken(otherwise(`the name ${JSON.stringify(path)}`));
      const name = parts.join('/');
      const isFolder = flag === '5' || (FILE.test(flag) && path.endsWith('/'));
      if (size > 0 && (isFolder || WITHOUT_CONTENT.test(flag)))
        return broken(otherwise(`a link or folder ${JSON.stringify(path)} with content`));
      if (isFolder) {
        if (name !== '') folders.add(name);
        return ok(undefined);
      }
      if (name === '' || !(FILE.test(flag) || WITHOUT_CONTENT.test(flag)))
        return broken(otherwise(`a member ${JSON.stringify(path)} of type ${JSON.stringify(flag)}`));
      if (leaves.has(name)) return broken(`has the file ${JSON.stringify(name)} twice`);
      leaves.add(name);
      return ok(FILE.test(flag) ? name : undefined);
    },
    /** When all are added: links may come after what they would lead elsewhere. */
    check(): Result<void> {
      for (const name of folders) if (leaves.has(name)) return broken(`has the file ${JSON.stringify(name)} twice`);
      for (const name of leaves) {
        for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) {
          if (leaves.has(name.slice(0, end)))
            return broken(otherwise(`${JSON.stringify(name)} below what is no folder`));
        }
      }
      return ok(undefined);
    },
  };
}

function hasChecksum(block: Buffer): boolean {
  const stated = Number.parseInt(text(block.subarray(148, 156)).trim(), 8);
  let sum = 0;
  for (const [position, byte] of block.entries()) sum += position >= 148 && position < 156 ? 0x20 : byte;
  return sum === stated;
}

function nameField(block: Buffer): string {
  const name = text(block.subarray(0, 100));
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? text(block.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Octal digits, or GNU's binary numbers for what does not fit those. */
function sizeField(block: Buffer): number | undefined {
  if (((block[124] ?? 0) & 0x80) !== 0) {
    const size = block.readUIntBE(130, 6);
    return block[124] === 0x80 && block.subarray(125, 130).every((byte) => byte === 0) ? size : undefined;
  }
  const digits = text(block.subarray(124, 136)).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

/** `<length> key=value\n` each, where the length counts its own digits. Undefined: not such, or of a file with holes. */
function paxRecords(bytes: Uint8Array): Records | undefined {
  let found: Records = {};
  const buffer = Buffer.from(bytes);
  for (let at = 0; at < buffer.length;) {
    const [, length = ''] = /^(\d{1,6}) /.exec(buffer.toString('latin1', at, at + 7)) ?? [];
    const end = at + Number(length);
    const [, key, value = ''] = /^\d+ ([^=]+)=([^]*)\n$/.exec(buffer.toString('utf8', at, end)) ?? [];
    if (key === undefined || end > buffer.length || key.startsWith('GNU.sparse.')) return undefined;
    if (key === 'path') {
      if (value === '' || value.includes('\0')) return undefined;
      found = { ...found, path: value };
    } else if (key === 'size') {
      if (!/^\d{1,15}$/.test(value)) return undefined;
      found = { ...found, size: Number(value) };
    }
    at = end;
  }
  return found;
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
}
