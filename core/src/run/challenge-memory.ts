/**
 * How registries want people to log in, kept between runs, so that the first request to one is not in vain. Losing it costs
 * a request a registry. What is in it only says where to ask for a token: `registry/auth.ts` sends no password to a place
 * that only this file names, for the folder may have come with a checkout.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Challenge, ChallengeMemory } from '../registry/challenge.ts';
import { property } from '../registry/refusal.ts';
import { replaceFile } from './saved-files.ts';

/** Milliseconds for which it is believed. */
const MONTH = 30 * 24 * 3600 * 1000;
const MAX_KEPT = 1000;
const MAX_BYTES = 1024 * 1024;
/** What of a challenge is worth keeping: its scope is of one repository. */
const PARAMETERS = ['realm', 'service'];

interface Kept extends Challenge {
  /** Milliseconds since the epoch. */
  readonly since: number;
}

export interface ChallengeFile extends ChallengeMemory {
  /** Writes what is known for the next run, if it can. */
  save(): void;
}

export function openChallengeMemory(folder: string, now: () => Date): ChallengeFile {
  const file = join(folder, 'registry-challenges.json');
  const since = now().getTime();
  const known = read(file, since);
  let changed = false;
  return {
    get: (registry) => known.get(registry),
    set(registry, { scheme, parameters }) {
      const own = new Map(
        PARAMETERS.flatMap((name) => {
          const value = parameters.get(name);
          return value === undefined ? [] : [[name, value] as const];
        }),
      );
      const before = known.get(registry);
      if (before?.scheme === scheme && PARAMETERS.every((name) => before.parameters.get(name) === own.get(name)))
        return;
      known.set(registry, { scheme, parameters: own, since });
      changed = true;
    },
    save() {
      if (!changed) return;
      const rows = [...known]
        .slice(-MAX_KEPT)
        .map(([registry, { scheme, parameters, since: at }]) => [
          registry,
          { scheme, ...Object.fromEntries(parameters), since: at },
        ]);
      replaceFile(file, JSON.stringify(Object.fromEntries(rows)));
    },
  };
}

function read(file: string, now: number): Map<string, Kept> {
  const kept = new Map<string, Kept>();
  for (const [registry, value] of Object.entries(readOwn(file))) {
    const [scheme, since] = [property(value, 'scheme'), property(value, 'since')];
    if (scheme !== 'bearer' && scheme !== 'basic') continue;
    if (typeof since !== 'number' || since > now || now - since > MONTH) continue;
    const parameters = new Map<string, string>();
    for (const name of PARAMETERS) {
      const text = property(value, name);
      if (typeof text === 'string' && text.length <= 2048) parameters.set(name, text);
    }
    kept.set(registry, { scheme, parameters, since });
  }
  return kept;
}

/** Only a file that nobody else could have written, as those are that we write. */
function readOwn(file: string): object {
  let handle: number | undefined;
  try {
    handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = fstatSync(handle);
    const { mode, uid, size } = status;
    if (!status.isFile()) return {};
    if ((mode & 0o077) !== 0 || uid !== (process.getuid?.() ?? uid) || size > MAX_BYTES) return {};
    const data: unknown = JSON.parse(readFileSync(handle, 'utf8'));
    return typeof data === 'object' && data !== null ? data : {};
  } catch {
    return {};
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}
