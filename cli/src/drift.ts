/** `--against registry`: the entries whose tags or attachments are not as a run leaves them, whatever their sources are now. */
import { cancelled, verifyAll, type Checked, type VerifiedTarget } from '@slipway/core';
import type { Io } from './io.ts';
import type { Options } from './options.ts';
import { whyNobodyCounts } from './preflight.ts';
import type { Prepared } from './prepare.ts';
import { openCommandSession } from './session.ts';

export interface Drift {
  /** Those that are not as they should be. */
  readonly targets: readonly VerifiedTarget[];
  /** The same command, for their entries alone. */
  readonly options: Options;
}

/** Nothing that an earlier run remembered is believed: what the registry shows now counts. */
export async function findDrift(
  io: Io,
  options: Options,
  prepared: Prepared,
  signal: AbortSignal,
): Promise<Checked<Drift>> {
  const unsigned = whyNobodyCounts(prepared);
  if (unsigned !== undefined) return { ok: false, failures: [unsigned] };
  const opened = await openCommandSession(io, { prepared, purpose: 'run', remember: false, signal });
  if (!opened.ok) return opened;
  await using session = opened.value;
  const checked = await verifyAll(session.engine, { deep: true, signal });
  if (signal.aborted) return { ok: false, failures: [cancelled] };
  const failures = checked.flatMap(({ id, failure }) => {
    const at = prepared.planned.entries.get(id)?.at;
    return failure === undefined ? [] : [at === undefined ? failure : { at, ...failure }];
  });
  if (failures.length > 0) return { ok: false, failures };
  const targets = checked.filter(({ ok, backup }) => !ok && backup === undefined);
  // An id is taken as it is, also where a character of it would mean something in a pattern.
  return { ok: true, value: { targets, options: { ...options, only: [...new Set(targets.map(({ id }) => id))] } } };
}
