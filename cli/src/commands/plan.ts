/** `plan`: the graph as text, JSON, mermaid or dot; with `--resolve`, why each entry would run. */
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
import { findDrift } from '../drift.ts';
import type { Io } from '../io.ts';
import type { Options } from '../options.ts';
import { painter } from '../paint.ts';
import { prepare } from '../prepare.ts';
import { deadline, openCommandSession } from '../session.ts';

export interface PlanOptions extends Options {
  readonly format: 'text' | 'mermaid' | 'dot';
  readonly resolve: boolean;
  /** Only what is not in the registry as a run leaves it. */
  readonly against?: 'registry';
}

export async function planCommand(io: Io, options: PlanOptions): Promise<number> {
  if (options.against !== undefined) return planDrift(io, options);
  const { json, format } = options;
  const signal = deadline(io, options);
  const prepared = await prepare(io, options, 'plan', options.resolve ? signal : undefined);
  if (!prepared.ok) return refuse(io, json, 'plan', prepared.failures);
  for (const warning of prepared.value.warnings) io.stderr(`warning: ${warning}\n`);
  const { config, failed, planned } = prepared.value;
  const { plan } = planned;
  const body = planJson(plan, config.selections, config.folder);
  if (!options.resolve) {
    return answer(io, json, 'plan', EXIT.done, body, () =>
      format === 'text' ? formatPlanText(plan, config.selections) : formatPlan(plan, format),
    );
  }
  const opened = await openCommandSession(io, { prepared: prepared.value, purpose: 'run', looks: true, signal });
  if (!opened.ok) return refuse(io, json, 'plan', opened.failures);
  await using session = opened.value;
  const probes = [...(await probeAll(session.engine, signal)), ...failed.map(unknown)];
  if (signal.aborted) return refuse(io, json, 'plan', [cancelled]);
  const exitCode = probes.some(({ failure }) => failure !== undefined) ? EXIT.failed : EXIT.done;
  return answer(io, json, 'plan', exitCode, { ...body, probes }, () => formatProbes(plan, probes, painter(io)));
}

/** Nobody can say of a selection whose tags are not known that nothing is to be done for it. */
function unknown({ selection, failure }: FailedSelection): ProbeAnswer {
  return { id: selection.id, goal: false, why: failure.message, failure };
}

/** What has drifted, and the plan of a run of only that. */
async function planDrift(io: Io, options: PlanOptions): Promise<number> {
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
