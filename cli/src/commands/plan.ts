/** `plan`: the graph as text, JSON, mermaid or dot; with `--resolve`, why each entry would run. */
import { formatFailure, formatPlan, formatPlanText, planJson } from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import { deadline } from '../deadline.ts';
import type { Io } from '../io.ts';
import type { Options } from '../options.ts';
import { prepare } from '../prepare.ts';

export interface PlanOptions extends Options {
  readonly format: 'text' | 'mermaid' | 'dot';
  readonly resolve: boolean;
  /** Only what is not in the registry as a run leaves it. */
  readonly against?: 'registry';
}

export async function planCommand(io: Io, options: PlanOptions): Promise<number> {
  // Whoever only plans does not wait for what asks registries to be loaded.
  if (options.against !== undefined) return (await import('./plan-look.ts')).planDrift(io, options);
  const { json, format } = options;
  const signal = options.resolve ? deadline(io, options) : undefined;
  const prepared = await prepare(io, options, 'plan', signal);
  if (!prepared.ok) return refuse(io, json, 'plan', prepared.failures);
  for (const warning of prepared.value.warnings) io.stderr(`warning: ${warning}\n`);
  if (signal !== undefined) return (await import('./plan-look.ts')).planResolved(io, options, prepared.value, signal);
  const { config, planned, failed } = prepared.value;
  const { plan } = planned;
  // Those of a lock, which asks nobody.
  for (const { failure } of failed) io.stderr(`${formatFailure(failure, undefined, io.cwd)}\n`);
  const body = planJson(plan, config.selections, config.folder);
  return answer(io, json, 'plan', failed.length > 0 ? EXIT.failed : EXIT.done, body, () =>
    format === 'text' ? formatPlanText(plan, config.selections) : formatPlan(plan, format),
  );
}
