/**
 * Which repositories have no referrers API, kept between runs, so that an unchanged image costs no request to be told so
 * again. Forgotten after a week: registries learn. Losing it costs one request a repository. It is read without a mark, though the
 * folder may have come with a checkout: it only says where to look for what is believed by its signature, and what a false line hides is
 * made, or refused, as what is not there.
 */
import { join } from 'node:path';
import { formatRepository } from '../reference.ts';
import { readNumbers, replaceFile } from './saved-files.ts';
import { createApiMemory, type ApiMemory } from '../registry/referrers.ts';

/** Milliseconds for which the absence of the API is believed. */
const WEEK = 7 * 24 * 3600 * 1000;
const MAX_KEPT = 100_000;
const MAX_BYTES = 64 * 1024 * 1024;

export interface ReferrersMemory extends ApiMemory {
  /** Writes what is known for the next run, if it can. */
  save(): void;
}

export function openReferrersMemory(folder: string, now: () => Date): ReferrersMemory {
  const file = join(folder, 'referrers-api.json');
  const since = now().getTime();
  const absent = new Map([...readNumbers(file, MAX_BYTES)].filter(([, told]) => told <= since && since - told < WEEK));
  const known = createApiMemory();
  let changed = false;
  return {
    get: (repository) => known.get(repository) ?? (absent.has(formatRepository(repository)) ? false : undefined),
    set(repository, present) {
      known.set(repository, present);
      const name = formatRepository(repository);
      if (present === !absent.has(name)) return;
      changed = true;
      if (present) absent.delete(name);
      else absent.set(name, since);
    },
    save() {
      if (!changed) return;
      replaceFile(file, JSON.stringify(Object.fromEntries([...absent].slice(-MAX_KEPT))));
    },
  };
}
