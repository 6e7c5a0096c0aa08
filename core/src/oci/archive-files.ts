/**
 * The files of an image layout in a TAR archive, read where they lie: the headers are read once, the contents when they are asked for.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06 and GNU's long names,
 * https://www.gnu.org/software/tar/manual/html_node/Standard.html
 */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { ok, type Result } from '../failure.ts';
import { readable, type Broken, type LayoutFiles } from './layout-files.ts';

interface Member {
  readonly offset: number;
  readonly size: number;
}

const BLOCK = 512;
const CHUNK = 256 * 1024;
/** Members of one archive; each blob is one. */
const MAX_MEMBERS = 1_000_000;
/** Bytes of a long name, or of the records before a member. */
const MAX_RECORDS = 64 * 1024;

/** `undefined`: there is no such archive. What the archive holds is settled now: one that is replaced later is not seen. */
export async function filesInArchive(file: string, broken: Broken): Promise<Result<LayoutFiles | undefined>> {
  const opened = await openArchive(file, broken);
  if (!opened.ok || opened.value === undefined) return opened as Result<undefined>;
  await using handle = opened.value;
  const before = await handle.stat();
  const members = await listMembers(handle, before.size, broken);
  if (!members.ok) return members;

  const at = async (path: string): Promise<Result<{ handle: FileHandle; member: Member } | undefined>> => {
    const member = members.value.get(path);
    if (member === undefined) return ok(undefined);
    const again = await openArchive(file, broken);
    if (!again.ok) return again;
    const now = await again.value?.stat();
    if (
      again.value !== undefined &&
      now?.ino === before.ino &&
      now.size === before.size &&
      now.mtimeMs === before.mtimeMs
    )
      return ok({ handle: again.value, member });
    await again.value?.close();
    return broken('was replaced while it was read');
  };

  return ok({
    async open(path) {
      const found = await at(path);
      if (!found.ok || found.value === undefined) return found as Result<undefined>;
      const { handle: own, member } = found.value;
      const { offset, size } = member;
      return ok({
        size,
        // An end before the start is no range; an empty file is read from nowhere.
        stream: () =>
          size === 0
            ? nothing(own)
            : readable(
                own.createReadStream({ start: offset, end: offset + size - 1, highWaterMark: CHUNK }),
                path,
                broken,
              ),
        close: () => own.close(),
      });
    },
    async read(path, limit) {
      const found = await at(path);
      if (!found.ok || found.value === undefined) return found as Result<undefined>;
      await using own = found.value.handle;
      const { offset, size } = found.value.member;
      if (size > limit) return broken(`has a file ${path} of more than ${limit} bytes`);
      return await whole(own, offset, size, broken);
    },
  });
}

async function openArchive(file: string, broken: Broken): Promise<Result<FileHandle | undefined>> {
  try {
    // Without O_NONBLOCK, opening a named pipe would wait for ever.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    if ((await handle.stat()).isFile()) return ok(handle);
    await handle.close();
    return broken('is not a regular file');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ENOENT' ? ok(undefined) : broken(`cannot be read (${String(code)})`);
  }
}

async function* nothing(handle: FileHandle): AsyncGenerator<Uint8Array> {
  await handle.close();
  yield* [];
}

async function whole(handle: FileHandle, offset: number, size: number, broken: Broken): Promise<Result<Uint8Array>> {
  const bytes = new Uint8Array(size);
  const { bytesRead } = await handle.read(bytes, 0, size, offset);
  return bytesRead === size ? ok(bytes) : broken('ends in the middle of a file');
}

/** Regular files only: what is a link or a device in the archive is not there. */
async function listMembers(
  handle: FileHandle,
  length: number,
  broken: Broken,
): Promise<Result<ReadonlyMap<string, Member>>> {
  const members = new Map<string, Member>();
  let next: { path?: string; size?: number } = {};
  for (let offset = 0; offset + BLOCK <= length;) {
    const read = await whole(handle, offset, BLOCK, broken);
    if (!read.ok) return read;
    const block = Buffer.from(read.value.buffer);
    if (block.every((byte) => byte === 0)) break;
    if (offset === 0 && block[0] === 0x1f && block[1] === 0x8b)
      return broken('is compressed: unpack it with gunzip first');
    if (!hasChecksum(block)) return broken('is not a TAR archive');
    const flag = String.fromCharCode(block[156] ?? 0);
    const isRecord = flag === 'x' || flag === 'L';
    const size = (isRecord ? undefined : next.size) ?? sizeField(block);
    const start = offset + BLOCK;
    if (size === undefined || start + size > length) return broken('ends in the middle of a file');
    if (isRecord) {
      if (size > MAX_RECORDS) return broken('has a name that is too long');
      const records = await whole(handle, start, size, broken);
      if (!records.ok) return records;
      next = { ...next, ...(flag === 'L' ? { path: text(records.value) } : paxRecords(records.value)) };
    } else {
      const path = plain(next.path ?? nameField(block));
      if (flag === '0' || flag === '\0') {
        // Two readers could take two different ones.
        if (members.has(path)) return broken(`has the file ${JSON.stringify(path)} twice`);
        if (members.size >= MAX_MEMBERS) return broken(`has more than ${MAX_MEMBERS} files`);
        members.set(path, { offset: start, size });
      }
      if (flag !== 'g') next = {};
    }
    offset = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return ok(members);
}

function plain(path: string): string {
  return path.replace(/^(?:\.\/)+/, '');
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
    return block.subarray(125, 130).every((byte) => byte === 0) ? size : undefined;
  }
  const digits = text(block.subarray(124, 136)).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

/** `<length> key=value\n` each, where the length counts its own digits. */
function paxRecords(bytes: Uint8Array): { path?: string; size?: number } {
  const found: { path?: string; size?: number } = {};
  const buffer = Buffer.from(bytes);
  for (let at = 0; at < buffer.length;) {
    const length = Number.parseInt(buffer.toString('latin1', at, at + 12), 10);
    if (!(length > 0)) break;
    const [, key, value = ''] = /^\d+ ([^=]+)=([^]*)\n$/.exec(buffer.toString('utf8', at, at + length)) ?? [];
    if (key === 'path') found.path = value;
    if (key === 'size' && /^\d{1,15}$/.test(value)) found.size = Number(value);
    at += length;
  }
  return found;
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
}
