/** Exclusion between processes that write one layout, by a lock in the file system that a killed process loses after a while. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Result } from '../failure.ts';
import { codeOf } from './error-code.ts';
import type { Broken } from './layout-files.ts';

/** Milliseconds without a sign of life after which a lock counts as left behind, and between two such signs. */
const STALE = 10_000;
const UPDATE = 2_000;
/** Milliseconds that an update of an index is waited for; it takes a few. */
const PATIENCE = 60_000;
const PAUSE = 20;

export interface Lock {
  readonly release: () => Promise<void>;
  /** False: it was lost meanwhile, as by a machine that slept, and somebody else may have it. */
  readonly isHeld: () => boolean;
}

/** Takes away the lock that a killed process has left on `path`; nothing when there is none, or somebody is at work. */
export async function removeLeftLock(path: string): Promise<void> {
  if ((await signOfLife(path)) !== undefined) await (await lock(path))?.release();
}

/**
 * The lock; `undefined`: somebody else is at work, as signs of life show. A lock without any, as a killed process
 * leaves it, is waited for. `path` must be there.
 */
export async function lock(path: string): Promise<Lock | undefined> {
  const end = performance.now() + PATIENCE;
  let seen: number | undefined;
  for (;;) {
    const taken = await tryLock(path);
    if (taken !== undefined) return taken;
    const sign = await signOfLife(path);
    const isRenewed = seen !== undefined && sign !== undefined && sign !== seen;
    if (isRenewed || performance.now() > end) return undefined;
    seen = sign;
    await sleep(PAUSE + Math.random() * PAUSE);
  }
}

/** Whoever holds a lock renews its time. */
async function signOfLife(path: string): Promise<number | undefined> {
  return stat(`${path}.lock`).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}

/** `undefined`: somebody has it, or has left it behind less than {@link STALE} ago. */
async function tryLock(path: string): Promise<Lock | undefined> {
  // Loaded only where a layout is written: most runs write none.
  const { default: lockfile } = await import('proper-lockfile');
  try {
    let held = true;
    const release = await lockfile.lock(path, { stale: STALE, update: UPDATE, onCompromised: () => (held = false) });
    // Once lost there is nothing to release.
    return { release: () => release().catch(() => undefined), isHeld: () => held };
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
  let taken: Lock | undefined;
  while (taken === undefined) {
    try {
      taken = await tryLock(join(base, file));
    } catch (error) {
      return broken(`cannot be locked (${codeOf(error)})`);
    }
    if (taken !== undefined) break;
    if (performance.now() > end)
      return broken(`is locked by another process; if there is none, remove ${file}.lock in it`);
    await sleep(PAUSE + Math.random() * PAUSE);
  }
  try {
    return await work();
  } finally {
    await taken.release();
  }
}
