/** The files of an image layout in a TAR archive, read where they lie: the headers are read once, the contents when they are asked for. */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { errorCode, ok, type Result } from '../failure.ts';
import { readable, type Broken, type LayoutFiles } from './layout-files.ts';
import { isRecord, MAX_RECORDS, memberNames, parseHeader, parseRecords, type Records } from './tar-members.ts';

interface Member {
  readonly offset: number;
  readonly size: number;
}

const BLOCK = 512;
const CHUNK = 256 * 1024;
/** Members of one archive; each blob is one. */
const MAX_MEMBERS = 1_000_000;

/** `undefined`: there is no such archive. The members are listed now; to read from an archive that was replaced since is a failure. */
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
    const code = errorCode(error);
    return code === 'ENOENT' ? ok(undefined) : broken(`cannot be read (${code})`);
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
  const names = memberNames(broken);
  let next: Records & { readonly flags: string } = { flags: '' };
  for (let offset = 0; offset + BLOCK <= length;) {
    const read = await whole(handle, offset, BLOCK, broken);
    if (!read.ok) return read;
    const block = Buffer.from(read.value.buffer);
    if (isEmpty(block)) {
      if (offset + 2 * BLOCK > length) break;
      const second = await whole(handle, offset + BLOCK, BLOCK, broken);
      if (!second.ok) return second;
      // Two such blocks are the end. After one, some read on.
      if (!isEmpty(second.value)) return broken('goes on after its end');
      break;
    }
    if (offset === 0 && block[0] === 0x1f && block[1] === 0x8b)
      return broken('is compressed', 'unpack it with gunzip, and name what comes of it');
    const header = parseHeader(block);
    if (header === undefined) return broken('is not a TAR archive');
    const { flag } = header;
    const size = (isRecord(header) ? undefined : next.size) ?? header.size;
    const start = offset + BLOCK;
    if (start + size > length) return broken('ends in the middle of a file');
    if (isRecord(header)) {
      if (size > MAX_RECORDS) return broken('has a name that is too long');
      const bytes = await whole(handle, start, size, broken);
      if (!bytes.ok) return bytes;
      const records = parseRecords(flag, next.flags, bytes.value, broken);
      if (!records.ok) return records;
      if (flag !== 'g') next = { ...next, ...records.value, flags: next.flags + flag };
    } else {
      const added = names.add({ flag, path: next.path ?? header.path, size });
      if (!added.ok) return added;
      if (members.size >= MAX_MEMBERS) return broken(`has more than ${MAX_MEMBERS} files`);
      if (added.value !== undefined) members.set(added.value, { offset: start, size });
      next = { flags: '' };
    }
    offset = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  const checked = names.check();
  return checked.ok ? ok(members) : checked;
}

function isEmpty(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}
