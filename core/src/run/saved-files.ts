/** Small files in `.slipway` that only save time. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fields } from '../config/fields.ts';
import { errorCode } from '../failure.ts';
import { readRegular } from '../read-regular.ts';

/** A number for each name. Nothing where the file is missing, has more than `limit` bytes, or is no such file. */
export function readNumbers(file: string, limit: number): Map<string, number> {
  try {
    const data: unknown = JSON.parse(readRegular(file, limit) ?? '{}');
    const pairs: readonly (readonly [string, unknown])[] = Object.entries(fields(data));
    return new Map(pairs.filter((pair): pair is [string, number] => Number.isFinite(pair[1]) && Number(pair[1]) >= 0));
  } catch {
    return new Map();
  }
}

/**
 * Writes the whole file or, where that fails, leaves the old one: then the next run only has to ask again. Another process that reads it
 * meanwhile sees the old text or the new one, never a part. `drafts`: the folder for the text until it is whole, from which what a killed
 * process leaves is removed later (`exec/tmp.ts`); `tmp` beside the file unless told.
 */
export function replaceFile(file: string, text: string, drafts = join(dirname(file), 'tmp')): void {
  const temporary = join(drafts, `${basename(file)}.${process.pid}`);
  try {
    makeIn(dirname(file));
    makeIn(drafts, 0o700);
    // A file of this name was left by an earlier process with our pid, or came with the checkout and may be a link: never write through it.
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

/**
 * Not with the folders above it: if the checkout was renamed while this runs, making them again would leave half of a checkout under its
 * old name.
 */
function makeIn(folder: string, mode?: number): void {
  try {
    mkdirSync(folder, { mode });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}
