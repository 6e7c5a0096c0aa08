/** A folder, and those above it. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from './failure.ts';

/** Level by level: where the system says of every new folder that it is not there, as in /proc, `recursive` goes on for ever. */
export function makeFolder(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    makeFolder(dirname(path), mode);
    mkdirSync(path, { mode });
  }
}
