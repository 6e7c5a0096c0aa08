/** Small files in `.slipway` that only save time. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errorCode } from '../failure.ts';

/**
 * Another process reads the old text or the new one. Where it cannot be written, the old one stays: the next run asks anew.
 * `drafts`: a folder in which a sweep takes what a killed process leaves (`exec/tmp.ts`): `tmp` beside the file unless told.
 */
export function replaceFile(file: string, text: string, drafts = join(dirname(file), 'tmp')): void {
  const temporary = join(drafts, `${basename(file)}.${process.pid}`);
  try {
    makeIn(dirname(file));
    makeIn(drafts, 0o700);
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

/** Where it is to be in is never made: a checkout that was renamed meanwhile would have half of one in its place. */
function makeIn(folder: string, mode?: number): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}
