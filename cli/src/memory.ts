/** A long run in little memory: V8 lets garbage grow to as much as is in use, unless it is told otherwise before it has. */
import { statSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

/** Fewer need no saving, and take a tenth longer with it. */
const MANY = 2_500;
/** Of an entry that is written out, at least. */
const BYTES = 100;

/** As soon as it is known that there are so many. */
export function saveMemoryFor(entries: number): void {
  // V8 looks at this one at each collection, so that it can be told while it runs.
  if (entries > MANY) setFlagsFromString('--heap-growing-percent=30');
}

/** Before the config is read, when garbage comes first. */
export function saveMemoryForConfig(file: string): void {
  try {
    saveMemoryFor(statSync(file).size / BYTES);
  } catch {
    // Whoever reads it says why it cannot be read.
  }
}
