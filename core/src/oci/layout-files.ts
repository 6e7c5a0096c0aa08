/** The files of an image layout, read as if a stranger wrote them: in a folder here, in a TAR archive in `archive-files.ts`. */
import { constants } from 'node:fs';
import { lstat, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { errorCode, ok, type Failed, type Result } from '../failure.ts';
import { StreamFailure } from './digest.ts';

/**
 * Makes a problem with the layout a failure. The problem is a phrase that goes after the layout's name: "has no file …". `hint`: what helps
 * where the layout is a source.
 */
export type Broken = (problem: string, hint?: string) => Failed;

/** Its stream closes the file when it ends or is left; a file that is not streamed must be closed. */
export interface LayoutFile {
  /** Bytes. */
  readonly size: number;
  stream(): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Paths are relative to the layout, `/` between parts. `undefined`: no such file. */
export interface LayoutFiles {
  open(path: string): Promise<Result<LayoutFile | undefined>>;
  /** A whole small file; more than `limit` bytes is a failure. */
  read(path: string, limit: number): Promise<Result<Uint8Array | undefined>>;
}

const CHUNK = 256 * 1024;

/** `base` is a real path. A link could lead out of the folder, so none is followed, neither file nor folder. */
export function filesInFolder(base: string, broken: Broken): LayoutFiles {
  async function openHandle(path: string): Promise<Result<FileHandle | undefined>> {
    const parts = path.split('/');
    let handle: FileHandle | undefined;
    try {
      for (let depth = 1; depth < parts.length; depth += 1) {
        const folder = await lstat(join(base, ...parts.slice(0, depth)));
        if (!folder.isDirectory()) return broken(`has no real folder at ${parts.slice(0, depth).join('/')}`);
      }
      // Without O_NONBLOCK, opening a named pipe would wait for ever.
      handle = await open(join(base, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      if ((await handle.stat()).isFile()) return ok(handle);
      await handle.close();
      return broken(`has no regular file at ${path}`);
    } catch (error) {
      await handle?.close();
      const code = errorCode(error);
      if (code === 'ENOENT') return ok(undefined);
      if (code === 'ELOOP') return broken(`has a symbolic link at ${path}`);
      return broken(`cannot be read at ${path} (${code})`);
    }
  }

  return {
    async open(path) {
      const opened = await openHandle(path);
      if (!opened.ok || opened.value === undefined) return opened as Result<undefined>;
      const handle = opened.value;
      const { size } = await handle.stat();
      return ok({
        size,
        stream: () => readable(handle.createReadStream({ highWaterMark: CHUNK }), path, broken),
        close: () => handle.close(),
      });
    },
    async read(path, limit) {
      const opened = await openHandle(path);
      if (!opened.ok || opened.value === undefined) return opened as Result<undefined>;
      await using handle = opened.value;
      const { size } = await handle.stat();
      if (size > limit) return broken(`has a file ${path} of more than ${limit} bytes`);
      const bytes = new Uint8Array(size);
      const { bytesRead } = await handle.read(bytes, 0, size, 0);
      return bytesRead === size ? ok(bytes) : broken(`changed while ${path} was read`);
    },
  };
}

/** A medium that fails while it is read is an expected failure. Who stops reading before the first chunk closes the file too. */
export function readable(stream: Readable, path: string, broken: Broken): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
      return {
        async next() {
          try {
            return await chunks.next();
          } catch (error) {
            throw new StreamFailure(broken(`cannot be read at ${path} (${errorCode(error)})`).failure);
          }
        },
        async return() {
          await chunks.return?.();
          stream.destroy();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** What `first` has, and else `second`. */
export function layered(first: LayoutFiles, second: LayoutFiles): LayoutFiles {
  return {
    async open(path) {
      const found = await first.open(path);
      return found.ok && found.value === undefined ? second.open(path) : found;
    },
    async read(path, limit) {
      const found = await first.read(path, limit);
      return found.ok && found.value === undefined ? second.read(path, limit) : found;
    },
  };
}
