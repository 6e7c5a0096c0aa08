/** Sessions for who only looks: their state is in a folder that goes with them, and nothing beside the config is written. */
import { copyFile, lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { claimElsewhere } from '../exec/tmp.ts';
import { fail, ok, type ConfigFailure, type Result } from '../failure.ts';
import { openSession, type Session, type SessionOptions } from './session.ts';
import { temporaryFailure } from './state-failure.ts';

/** What runs remember of registries, as files in the state's folder: it saves requests, and decides nothing. */
const MEMORIES = ['syncs.ndjson', 'referrers-api.json', 'registry-challenges.json'];
const MAX_MEMORY = 64 * 1024 * 1024;

/** How their folders begin. */
const ELSEWHERE = 'slipway-look-';

/**
 * A session whose state is in a folder of its own, which is gone afterwards: for looking where nothing can be written. `known`: a
 * state folder whose memories are looked at, and left as they are. Fails where no folder can be made.
 */
export async function openElsewhere(
  options: Omit<SessionOptions, 'stateFolder'>,
  known?: string,
): Promise<Result<Session, ConfigFailure>> {
  try {
    return ok(await open(options, known));
  } catch (error) {
    const failure = temporaryFailure(error);
    if (failure === undefined) throw error;
    return fail(failure);
  }
}

async function open(options: Omit<SessionOptions, 'stateFolder'>, known: string | undefined): Promise<Session> {
  const claimed = await claimElsewhere(ELSEWHERE);
  const stateFolder = claimed.path;
  if (known !== undefined)
    await Promise.all(MEMORIES.map((name) => takeAlong(join(known, name), join(stateFolder, name))));
  const session = await openSession({ ...options, stateFolder });
  return {
    ...session,
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await claimed.release();
    },
  };
}

/** With its permissions: whoever reads it goes by them. */
async function takeAlong(from: string, to: string): Promise<void> {
  const status = await lstat(from).catch(() => undefined);
  if (status?.isFile() === true && status.size <= MAX_MEMORY) await copyFile(from, to).catch(() => {});
}

/** A session without a config, for looking at one image. */
export function openLookup(
  options: Omit<SessionOptions, 'config' | 'planned' | 'purpose' | 'report'> & { readonly folder: string },
): Promise<Result<Session, ConfigFailure>> {
  const none = new Map<string, never>();
  return openElsewhere({
    ...options,
    config: { file: '', folder: options.folder, entries: [], selections: [] },
    planned: { plan: { entries: [], tasks: [] }, inputs: none, entries: none, origins: none, packages: none },
    purpose: 'run',
    report: () => {},
  });
}
