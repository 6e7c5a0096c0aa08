/** `update`: looks up what the sources name, and writes it into the lock and into pinned entries of the config. */
import {
  cancelled,
  concernedBy,
  configFailure,
  emptyLock,
  formatFailure,
  formatUpdate,
  loadLock,
  lockName,
  openLookup,
  sameLock,
  saveLock,
  saveRepins,
  selectEach,
  tagsFromRegistry,
  updateLock,
  verifyWith,
  type Config,
} from '@slipway/core';
import { createToolFinder } from '@slipway/tools';
import { answer, EXIT, refuse } from '../answer.ts';
import { deadline } from '../deadline.ts';
import type { Io } from '../io.ts';
import type { Options } from '../options.ts';
import { loadInputs } from '../prepare.ts';
import { VERSION } from '../version.ts';

/** How often it is looked up anew because the lock has changed meanwhile. */
const MAX_ROUNDS = 3;

export interface UpdateOptions extends Options {
  /** Only say whether something would change. */
  readonly check: boolean;
}

export async function updateCommand(io: Io, options: UpdateOptions): Promise<number> {
  const { json, check } = options;
  const inputs = await loadInputs(io, options);
  if (!inputs.ok) return refuse(io, json, 'update', inputs.failures);
  const { config, folder, settings, host, warnings } = inputs.value;
  for (const warning of warnings) io.stderr(`warning: ${warning}\n`);
  let lock = await loadLock(folder);
  if (!lock.ok) return refuse(io, json, 'update', lock.failures);
  const concern = concernedBy(config, options);
  if (!concern.ok) return refuse(io, json, 'update', concern.failures);
  const signal = deadline(io, options);
  const finder = createToolFinder({ env: io.env });
  const opened = await openLookup({ settings, host, finder, env: io.env, version: VERSION, folder, signal });
  if (!opened.ok) return refuse(io, json, 'update', [opened.failure]);
  await using lookup = opened.value;
  const { engine } = lookup;
  const asked: Config = { ...config, selections: config.selections.filter(concern.value.selection) };
  // Whether their destinations clash is for the run to say: with the lock it may know that two tags are one image.
  const expansions = await selectEach(asked, tagsFromRegistry(engine.registry));
  const look = (known: typeof emptyLock | undefined) =>
    updateLock({
      config,
      expansions,
      ...(known === undefined ? {} : { lock: known }),
      concerned: concern.value.entry,
      registry: engine.registry,
      verify: verifyWith(engine, signal),
      signal,
    });
  let updated = await look(lock.value);
  for (let round = 1; !check && !signal.aborted; round += 1) {
    // Another update, or a merge, may have written it meanwhile: what it has of other entries stays.
    const now = await loadLock(folder);
    if (!now.ok) return refuse(io, json, 'update', now.failures);
    if (sameLock(now.value ?? emptyLock, lock.value ?? emptyLock)) break;
    if (round === MAX_ROUNDS) {
      const busy = configFailure(`${lockName} changes all the time; it was left as it is`, 'run one update at a time');
      return refuse(io, json, 'update', [busy]);
    }
    lock = now;
    updated = await look(now.value);
  }
  if (signal.aborted) return refuse(io, json, 'update', [cancelled]);
  const { changes, failures, repins, stale } = updated;
  if (stale && !check) {
    const saved = await saveRepins(config.file, repins);
    const written = saved.ok ? await saveLock(folder, updated.lock) : saved;
    if (!written.ok) return refuse(io, json, 'update', [written.failure]);
  }
  for (const { failure } of failures) io.stderr(`${formatFailure(failure, undefined, io.cwd)}\n`);
  const exitCode = failures.length > 0 || (check && stale) ? EXIT.failed : EXIT.done;
  const body = { lock: lockName, changes, failed: failures, stale, written: stale && !check };
  return answer(io, json, 'update', exitCode, body, () =>
    formatUpdate({ changes, failed: failures.length, check, stale }),
  );
}
