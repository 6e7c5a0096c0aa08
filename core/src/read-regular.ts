/**
 * Files that may have come with a checkout: Git keeps links, and one to a device never ends; for a named pipe nobody may ever come to
 * write into it.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** Undefined: it is no regular file, has more than `limit` bytes, or cannot be read, for whatever reason. */
export function readRegular(file: string, limit: number): string | undefined {
  let handle: number | undefined;
  try {
    handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = fstatSync(handle);
    return status.isFile() && status.size <= limit ? readFileSync(handle, 'utf8') : undefined;
  } catch {
    return undefined;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}
