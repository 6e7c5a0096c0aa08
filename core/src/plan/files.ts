/**
 * The config's folder as the planner and modes may see it: to read, and nothing outside of it. Small files are read at once: handing
 * each of the calls for them to another thread, and being woken for its answer, takes many times as long as the call itself.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { configFailure, errorCode, fail, ok, type ConfigFailure, type Result } from '../failure.ts';
import type { Files, ListOptions } from '../plugin/api.ts';

/** In bytes. Sources of images are text that people write; more is a mistake, or an attack on the memory. */
const MAX_FILE = 8 * 1024 * 1024;
const MAX_FILES = 100_000;
/** Bytes; what has more is read in pieces, while others get their turn. */
const READ_AT_ONCE = 256 * 1024;
/** Neither a link that appeared since it was looked at nor a named pipe without a writer may be opened. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Git's own data and ours never decide a build: logins lie in both. */
const LEFT_OUT = new Set(['.git', '.slipway']);

/**
 * `root` is absolute. Paths are relative to it with `/` between parts. Symbolic links are followed only to what is inside
 * the root. `list` gives regular files, and links to such; links to folders are not followed, so that it always ends.
 */
export function folderFiles(root: string): Files {
  return {
    read: (path) => readInside(root, path),
    list: (folder, options = {}) => listInside(root, folder, options),
  };
}

export interface FileState {
  /** Hex digits of the SHA-256 of its bytes. */
  readonly sha256: string;
  /** For its owner, as Git has it. */
  readonly executable: boolean;
  /** Where it leads, as it is written, if it is a symbolic link; one that leads to no file in the root has no bytes. */
  readonly link?: string;
}

/** What a build sees of a file, of any size and kind of content. */
export async function fileState(root: string, path: string): Promise<Result<FileState, ConfigFailure>> {
  const link = linkInside(root, path);
  const opened = openInside(root, path);
  if (!opened.ok) {
    return link === undefined ? opened : ok({ sha256: createHash('sha256').digest('hex'), executable: false, link });
  }
  using file = opened.value;
  const hash = createHash('sha256');
  try {
    if (file.size <= READ_AT_ONCE) hash.update(readFileSync(file.fd));
    else {
      for await (const chunk of createReadStream('', { fd: file.fd, autoClose: false }))
        hash.update(chunk as Uint8Array);
    }
  } catch (error) {
    return fail(configFailure(`"${path}" cannot be read: ${reason(error)}`));
  }
  return ok({
    sha256: hash.digest('hex'),
    executable: file.executable,
    ...(link === undefined ? {} : { link }),
  });
}

/** Milliseconds since the epoch of the last change of a file, whatever changed of it; `Infinity`: nobody can say. */
export function touchedAt(root: string, path: string): number {
  const at = join(root, path);
  try {
    return Math.max(lstatSync(at).ctimeMs, statSync(at).ctimeMs);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** The text of a symbolic link whose folder is in the root; what cannot be looked at is told by whoever opens it. */
function linkInside(root: string, path: string): string | undefined {
  const place = resolve(root, path);
  try {
    return lstatSync(place).isSymbolicLink() && insideRoot(root, dirname(path)).ok ? readlinkSync(place) : undefined;
  } catch {
    return undefined;
  }
}

async function readInside(root: string, path: string): Promise<Result<string, ConfigFailure>> {
  const opened = openInside(root, path);
  if (!opened.ok) return opened;
  using file = opened.value;
  if (file.size > MAX_FILE) return fail(configFailure(`"${path}" is larger than ${MAX_FILE / 1024 / 1024} MiB`));
  try {
    return ok(new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file.fd)));
  } catch (error) {
    return fail(configFailure(`"${path}" cannot be read: ${reason(error)}`));
  }
}

interface OpenFile extends Disposable {
  readonly fd: number;
  /** Bytes. */
  readonly size: number;
  readonly executable: boolean;
}

/** A regular file, and nothing else. */
function openInside(root: string, path: string): Result<OpenFile, ConfigFailure> {
  const real = insideRoot(root, path);
  if (!real.ok) return real;
  try {
    const fd = openSync(real.value, FLAGS);
    const about = fstatSync(fd);
    if (!about.isFile()) {
      closeSync(fd);
      return fail(configFailure(`"${path}" is not a file`));
    }
    return ok({
      ...{ fd, size: about.size, executable: (about.mode & 0o100) !== 0 },
      [Symbol.dispose]: () => closeSync(fd),
    });
  } catch (error) {
    return fail(configFailure(`"${path}" cannot be read: ${reason(error)}`));
  }
}

async function listInside(
  root: string,
  folder: string,
  { links = false, skip = () => false }: ListOptions,
): Promise<Result<readonly string[], ConfigFailure>> {
  const real = insideRoot(root, folder);
  if (!real.ok) return real;
  const prefix = folder
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
  const found: string[] = [];
  const folders = [{ path: prefix, real: real.value }];
  try {
    for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
      for (const item of readdirSync(next.real, { withFileTypes: true })) {
        if (LEFT_OUT.has(item.name)) continue;
        const path = next.path === '' ? item.name : `${next.path}/${item.name}`;
        if (item.isDirectory()) {
          if (!skip(path)) folders.push({ path, real: join(next.real, item.name) });
        } else if (item.isFile() || (item.isSymbolicLink() && (links || isFileInside(root, path)))) found.push(path);
        if (found.length + folders.length > MAX_FILES) {
          return fail(
            configFailure(
              `"${folder}" holds more than ${MAX_FILES} files`,
              'a smaller folder, as with dockerOptions.context, is faster too',
            ),
          );
        }
      }
    }
  } catch (error) {
    return fail(configFailure(`"${folder}" cannot be listed: ${reason(error)}`));
  }
  return ok(found.sort());
}

function isFileInside(root: string, path: string): boolean {
  const real = insideRoot(root, path);
  return real.ok && statSync(real.value).isFile();
}

/** The real path, once all links in it are followed; a failure when that leaves the root, or nothing is there. */
function insideRoot(root: string, path: string): Result<string, ConfigFailure> {
  const outside = configFailure(
    `"${path}" is outside of the config's folder`,
    'paths are relative to the folder of config.yaml, and stay in it',
  );
  if (path.includes('\0') || isAbsolute(path)) return fail(outside);
  const top = resolve(root);
  if (!isWithin(resolve(top, path), top)) return fail(outside);
  try {
    const real = realpathSync.native(resolve(top, path));
    // What has no links in it and begins with the root says that the root has none either.
    const base = isWithin(real, top) ? top : realpathSync.native(top);
    if (!isWithin(real, base)) return fail(outside);
    const left = relative(base, real)
      .split(sep)
      .find((part) => LEFT_OUT.has(part));
    return left === undefined ? ok(real) : fail(configFailure(`"${path}" is in ${left}, which no build may read`));
  } catch (error) {
    const missing = reason(error) === 'ENOENT';
    return fail(
      configFailure(
        missing ? `there is no "${path}"` : `"${path}" cannot be read: ${reason(error)}`,
        missing ? 'paths are relative to the folder of config.yaml' : undefined,
      ),
    );
  }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** `EACCES`, or a word; never the system's message, which has absolute paths in it. */
function reason(error: unknown): string {
  if (error instanceof TypeError) return 'it is not UTF-8 text';
  return errorCode(error);
}
