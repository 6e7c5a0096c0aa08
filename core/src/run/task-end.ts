/** What a step's result means for the loop, and for the journal. */
import { cancelled, type Failure } from '../failure.ts';
import { formatPinned, pin, type Digest } from '../reference.ts';
import type { Probed, StepContext } from './engine.ts';
import type { NotOk, TaskEnd } from './loop.ts';
import { isProbe } from './nodes.ts';

export function endOf({ task, entry }: Pick<StepContext, 'task' | 'entry'>, output: unknown): TaskEnd {
  if (!isProbe(task)) return { state: 'ok', output };
  const probed = output as Probed;
  const { goal, why } = probed;
  const reuse = probed.kind === 'build' && probed.digest !== undefined;
  const end = { state: 'ok', output, goal, why, reuse } as const;
  const digest = workedOn(probed);
  return digest === undefined ? end : { ...end, subject: formatPinned(pin(entry.targets[0].destination, digest)) };
}

/** The image that a chain will work on; of a build only its chain will know. */
function workedOn(probed: Probed): Digest | undefined {
  if (probed.kind === 'build') return undefined;
  return probed.kind === 'sync' ? probed.wanted : probed.digest;
}

export function notOk(failure: Failure, signal: AbortSignal): NotOk {
  if (failure.class === 'cancelled' || (signal.aborted && failure.class === 'transient'))
    return { state: 'cancelled', failure: cancelled };
  if (failure.reason === 'need' || failure.reason === 'wait') return { state: 'skipped', failure };
  return { state: failure.class === 'policy' ? 'refused' : 'failed', failure };
}

/** What the journal keeps of an output: the digest and the reason; scans and documents are in the registry. */
export function summary(output: unknown): { readonly [key: string]: string } | undefined {
  if (typeof output !== 'object' || output === null) return undefined;
  const kept: Record<string, string> = {};
  for (const key of ['digest', 'why']) {
    const value = (output as Readonly<Record<string, unknown>>)[key];
    if (typeof value === 'string') kept[key] = value;
  }
  return Object.keys(kept).length === 0 ? undefined : kept;
}
