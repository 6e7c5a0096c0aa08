/**
 * Uploads that are under way, in `.slipway/uploads`: after a run was killed the next one goes on with them. The address of an
 * upload is a secret, so nobody else may read the files. Losing them costs time only. One that came with a checkout could have the
 * bytes sent to its author: what this user's runs did not write is not believed.
 */
import { createHmac } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isRunningStill, isThisProcess, thisProcess, type Owner } from '../exec/owner.ts';
import { sha256 } from '../oci/digest.ts';
import type { Descriptor } from '../oci/model.ts';
import { readRegular } from '../read-regular.ts';
import { formatPinned, pin, type Repository } from '../reference.ts';
import type { UploadRecords } from '../registry/upload-records.ts';
import { replaceFile } from './saved-files.ts';

/** Milliseconds after which a registry has cleaned up, most likely. */
const DAY = 24 * 3600 * 1000;
const MAX_RECORD = 16 * 1024;

interface Written {
  /** `registry/path@sha256:…` */
  readonly blob: string;
  readonly size: number;
  readonly url: string;
  /** As somebody has written it. */
  readonly owner: Partial<Owner>;
  /** Shows that whoever wrote the rest knows this user's mark. */
  readonly proof: string;
}

/** `mark`: see `own-mark.ts`. Undefined: nothing is believed, and nothing kept. */
export function openUploadFiles(folder: string, mark: string | undefined): UploadRecords {
  const drafts = join(dirname(folder), 'tmp');
  let swept: Promise<void> | undefined;
  const fileOf = (repository: Repository, { digest }: Descriptor): string =>
    join(folder, `${sha256(formatPinned(pin(repository, digest))).slice('sha256:'.length)}.json`);

  return {
    async take(repository, descriptor) {
      swept ??= sweep(folder);
      await swept;
      const file = fileOf(repository, descriptor);
      const found = await read(file);
      if (found === undefined || found.blob !== formatPinned(pin(repository, descriptor.digest))) return undefined;
      if (mark === undefined || found.proof !== proofOf(mark, found)) return undefined;
      if (found.size !== descriptor.size || (await isRunningStill(found.owner, found.written))) return undefined;
      // Of two runs that find it only one can move it away, to where it goes also if we are killed now.
      const own = join(drafts, `${basename(file)}.${process.pid}`);
      try {
        await mkdir(drafts, { recursive: true, mode: 0o700 });
        await rename(file, own);
        await rm(own, { force: true });
        return found.url;
      } catch {
        return undefined;
      }
    },
    async put(repository, descriptor, url) {
      if (mark === undefined) return;
      const file = fileOf(repository, descriptor);
      const blob = formatPinned(pin(repository, descriptor.digest));
      const said = { blob, size: descriptor.size, url };
      const record: Written = { ...said, owner: await thisProcess(), proof: proofOf(mark, said) };
      // A full or read-only disk takes the resuming, not the upload.
      await mkdir(folder, { mode: 0o700 }).catch(() => {});
      replaceFile(file, JSON.stringify(record), drafts);
    },
    async remove(repository, descriptor) {
      const file = fileOf(repository, descriptor);
      const found = await read(file);
      // Another run may have begun the same upload meanwhile, and written down its own.
      if (found !== undefined && (await isThisProcess(found.owner))) await rm(file, { force: true }).catch(() => {});
    },
  };
}

async function read(file: string): Promise<(Written & { readonly written: number }) | undefined> {
  try {
    const { mtimeMs } = await stat(file);
    const data: unknown = JSON.parse(readRegular(file, MAX_RECORD) ?? '');
    return isWritten(data) ? { ...data, written: mtimeMs } : undefined;
  } catch {
    return undefined;
  }
}

function isWritten(data: unknown): data is Written {
  if (typeof data !== 'object' || data === null) return false;
  const { blob, size, url, owner, proof } = data as Partial<Record<keyof Written, unknown>>;
  const isOwner = typeof owner === 'object' && owner !== null;
  const isText = [blob, url, proof].every((text) => typeof text === 'string');
  return isText && typeof size === 'number' && isOwner;
}

function proofOf(mark: string, { blob, size, url }: Pick<Written, 'blob' | 'size' | 'url'>): string {
  return createHmac('sha256', mark)
    .update(JSON.stringify([blob, size, url]))
    .digest('hex');
}

async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch((): string[] => [])) {
    const file = join(folder, name);
    const age = await stat(file).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > DAY) await rm(file, { force: true }).catch(() => {});
  }
}
