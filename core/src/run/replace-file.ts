/** Small files in `.slipway` that only save time. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * Another process reads the old text or the new one. Where it cannot be written, the old one stays: the next run asks anew.
 * `drafts`: a folder in which a sweep takes what a killed process leaves (`exec/tmp.ts`): `tmp` beside the file unless told.
 */
export function replaceFile(file: string, text: string, drafts = join(dirname(file), 'tmp')): void {
  const temporary = join(drafts, `${basename(file)}.${process.pid}`);
  try {
    mkdirSync(dirname(file), { recursive: true });
    mkdirSync(drafts, { recursive: true, mode: 0o700 });
    // What lies there was left by a process with our pid, or is a link that came with the checkout: it is not written through.
    rmSync(temporary, { force: true });
    writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, file);
  } catch {
    try {
      rmSync(temporary, { force: true });
    } catch {
      // Nothing was written then.
    }
  }
}
