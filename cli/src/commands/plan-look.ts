/** `plan --resolve`, which asks why each entry would run, and `plan --against registry`, which looks for drift. */
import {
  cancelled,
  formatPlan,
  formatPlanText,
  formatProbes,
  formatVerified,
  planJson,
  probeAll,
  type FailedSelection,
  type ProbeAnswer,
} from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import { deadline } from '../deadline.ts';
import { findDrift } from '../drift.ts';
import type { Io } from '../io.ts';
import { painter } from '../paint.ts';
import { prepare, type Prepared } from '../prepare.ts';
import { openCommandSession } from '../session.ts';
import type { PlanOptions } from './plan.ts';

export async function planResolved(
  io: Io,
  { json }: PlanOptions,
  prepared: Prepared,
  signal: AbortSignal,
): Promise<number> {
  const { config, failed, planned } = prepared;
  const { plan } = planned;
  const opened = await openCommandSession(io, { prepared, purpose: 'run', looks: true, signal });
  if (!opened.ok) return refuse(io, json, 'plan', opened.failures);
  await using session = opened.value;
  const probes = [...(await probeAll(session.engine, signal)), ...failed.map(unknown)];
  if (signal.aborted) return refuse(io, json, 'plan', [cancelled]);
  const exitCode = probes.some(({ failure }) => failure !== undefined) ? EXIT.failed : EXIT.done;
  const body = { ...planJson(plan, config.selections, config.folder), probes };
  return answer(io, json, 'plan', exitCode, body, () => formatProbes(plan, probes, painter(io)));
}

/** Nobody can say of a selection whose tags are not known that nothing is to be done for it. */
function unknown({ selection, failure }: FailedSelection): ProbeAnswer {
  return { id: selection.id, goal: false, why: failure.message, failure };
}

/** What has drifted, and the plan of a run of only that. */
export async function planDrift(io: Io, options: PlanOptions): Promise<number> {
  const { json, format } = options;
  const signal = deadline(io, options);
  const prepared = await prepare(io, options, 'run', signal);
  if (!prepared.ok) return refuse(io, json, 'plan', prepared.failures);
  const drift = await findDrift(io, options, prepared.value, signal);
  if (!drift.ok) return refuse(io, json, 'plan', drift.failures);
  const { targets } = drift.value;
  const drifted = targets.map(({ id, destination, digest, missing }) => ({ id, destination, digest, missing }));
  if (targets.length === 0) {
    const none = { entries: [], tasks: [], selections: [], drift: drifted };
    return answer(io, json, 'plan', EXIT.done, none, () => 'nothing has drifted\n');
  }
  const narrowed = await prepare(io, drift.value.options, 'run', signal);
  if (!narrowed.ok) return refuse(io, json, 'plan', narrowed.failures);
  const { config, planned } = narrowed.value;
  const body = { ...planJson(planned.plan, config.selections, config.folder), drift: drifted };
  return answer(io, json, 'plan', EXIT.done, body, () =>
    format === 'text'
      ? `${formatVerified(targets, painter(io))}\n${formatPlanText(planned.plan, config.selections)}`
      : formatPlan(planned.plan, format),
  );
}
