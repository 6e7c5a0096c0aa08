/**
 * TAR and gzip written byte for byte the same on every machine, because a digest in config.yaml depends on them.
 * Formats: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html and https://www.rfc-editor.org/rfc/rfc1952
 */
import { crc32 } from 'node:zlib';

/** One member of an archive. Paths are relative, without a leading slash; directories end without one too. */
export type Member =
  | { readonly type: 'file'; readonly path: string; readonly content: Uint8Array; readonly mode?: number }
  | { readonly type: 'directory'; readonly path: string }
  | { readonly type: 'symlink'; readonly path: string; readonly target: string };

export interface TarOptions {
  /** Seconds since 1970, of every member. */
  readonly mtime: number;
  /** Records of a PAX header before the member, by its content. */
  readonly pax?: (member: Member) => Readonly<Record<string, string>>;
  /** Whether the two blocks of zeros end it; an APK's first stream must have none. */
  readonly end?: boolean;
}

const BLOCK = 512;

export function text(value: string): Uint8Array {
  return Buffer.from(value, 'utf8');
}

export function tar(members: readonly Member[], options: TarOptions): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const member of members) {
    const records = Object.entries(options.pax?.(member) ?? {});
    if (records.length > 0) {
      const body = text(records.map(([key, value]) => paxRecord(key, value)).join(''));
      parts.push(
        header({ name: 'PaxHeader', mode: 0o644, size: body.length, flag: 'x', mtime: options.mtime }),
        padded(body),
      );
    }
    parts.push(...memberBlocks(member, options.mtime));
  }
  if (options.end !== false) parts.push(new Uint8Array(2 * BLOCK));
  return Buffer.concat(parts);
}

function memberBlocks(member: Member, mtime: number): readonly Uint8Array[] {
  switch (member.type) {
    case 'file': {
      const { content, mode = 0o644 } = member;
      return [header({ name: member.path, mode, size: content.length, flag: '0', mtime }), padded(content)];
    }
    case 'directory':
      return [header({ name: `${member.path}/`, mode: 0o755, size: 0, flag: '5', mtime })];
    case 'symlink':
      return [header({ name: member.path, mode: 0o777, size: 0, flag: '2', mtime, target: member.target })];
  }
}

interface HeaderFields {
  readonly name: string;
  readonly mode: number;
  readonly size: number;
  readonly flag: string;
  readonly mtime: number;
  readonly target?: string;
}

function header(fields: HeaderFields): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  if (Buffer.byteLength(fields.name) > 100) throw new Error(`the path is too long for this writer: ${fields.name}`);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  block.write(fields.name, 0);
  block.write(octal(fields.mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(fields.size, 11), 124);
  block.write(octal(fields.mtime, 11), 136);
  block.write(' '.repeat(8), 148);
  block.write(fields.flag, 156);
  block.write(fields.target ?? '', 157);
  block.write('ustar\x0000', 257);
  block.write('root', 265);
  block.write('root', 297);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function padded(content: Uint8Array): Uint8Array {
  return Buffer.concat([content, new Uint8Array((BLOCK - (content.length % BLOCK)) % BLOCK)]);
}

/** `<length> key=value\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + String(bytes).length;
  if (String(length).length > String(bytes).length) length = bytes + String(length).length;
  return `${length}${rest}`;
}

/** Stored, not compressed: what zlib compresses to depends on its version and on the processor. */
export function gzipStored(content: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)];
  const largest = 0xffff;
  for (let start = 0; start === 0 || start < content.length; start += largest) {
    const block = content.subarray(start, start + largest);
    const head = Buffer.alloc(5);
    head[0] = start + largest >= content.length ? 1 : 0;
    head.writeUInt16LE(block.length, 1);
    head.writeUInt16LE(block.length ^ 0xffff, 3);
    parts.push(head, block);
  }
  const tail = Buffer.alloc(8);
  tail.writeUInt32LE(crc32(content), 0);
  tail.writeUInt32LE(content.length % 2 ** 32, 4);
  return Buffer.concat([...parts, tail]);
}
