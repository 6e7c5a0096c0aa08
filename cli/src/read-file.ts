/** Files that may not be there. */
import { readFileSync } from 'node:fs';

/** Undefined: it cannot be read, for whatever reason. */
export function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
