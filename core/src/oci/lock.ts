/** Exclusion between processes that write one layout, by a lock in the file system that a killed process loses after a while. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Result } from '../failure.ts';
import type { Broken } from './layout-files.ts';
import { codeOf } from './medium.ts';

/** Milliseconds without a sign of life after which a lock counts as left behind, and between two such signs. */
const STALE = 10_000;
const UPDATE = 2_000;
/** Milliseconds that an update of an index is waited for; it takes a few. */
const PATIENCE = 60_000;
const PAUSE = 20;

/** The lock's release; `undefined`: somebody else has it. `path` must be there. */
export async function lock(path: string): Promise<(() => Promise<void>) | undefined> {
  // Loaded by who writes a layout: most runs do not.
  const { default: lockfile } = await import('proper-lockfile');
  try {
    const release = await lockfile.lock(path, { stale: STALE, update: UPDATE, onCompromised: () => {} });
    // Lost meanwhile, as by a machine that slept: then there is nothing to release.
    return () => release().catch(() => undefined);
  } catch (error) {
    if (codeOf(error) === 'ELOCKED') return undefined;
    throw error;
  }
}

/** `file` of `base` is what is locked: it must be there. */
export async function withLock<T>(
  base: string,
  file: string,
  broken: Broken,
  work: () => Promise<Result<T>>,
): Promise<Result<T>> {
  const end = performance.now() + PATIENCE;
  let release: (() => Promise<void>) | undefined;
  while (release === undefined) {
    try {
      release = await lock(join(base, file));
    } catch (error) {
      return broken(`cannot be locked (${codeOf(error)})`);
    }
    if (release !== undefined) break;
    if (performance.now() > end)
      return broken(`is locked by another process; if there is none, remove ${file}.lock in it`);
    await sleep(PAUSE + Math.random() * PAUSE);
  }
  try {
    return await work();
  } finally {
    await release();
  }
}
