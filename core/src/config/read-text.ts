/** Reads one file of the user's as text: a regular file, of bounded size, in UTF-8. */
import { readFile, stat } from 'node:fs/promises';
import { configFailure, fail, ok, type ConfigFailure, type Result } from '../failure.ts';

/** Of a file that is named in another one. */
export const FROM_HERE = 'paths are relative to the folder of the file that names them';

/** `limit` in bytes. The failure names the file and has a position only when the content is to blame. */
export async function readText(file: string, limit: number): Promise<Result<string, ConfigFailure>> {
  let bytes: Uint8Array;
  try {
    const status = await stat(file);
    if (!status.isFile()) return fail(configFailure(`${file} is not a regular file`));
    if (status.size > limit) {
      return fail(configFailure(`${file} is larger than ${limit} bytes`, undefined, { file, line: 1, column: 1 }));
    }
    bytes = await readFile(file);
  } catch (error) {
    return fail(configFailure(`${file} ${whyUnreadable(error)}`));
  }
  const text = new TextDecoder('utf-8').decode(bytes);
  const broken = text.indexOf('\uFFFD');
  // A replacement character that is really in the file is fine; only a decoder that never replaces can tell.
  if (broken >= 0 && !isUtf8(bytes)) {
    const before = text.slice(0, broken).split('\n');
    const at = { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    return fail(configFailure('the file is not UTF-8 text', 'save it in UTF-8', at));
  }
  return ok(text);
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** The end of a sentence that starts with the file's name. */
export function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist';
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by this user';
  if (code === 'ELOOP') return 'is a symbolic link to itself';
  return typeof code === 'string' ? `cannot be read (${code})` : 'cannot be read';
}
