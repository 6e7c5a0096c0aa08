/** `plan`: the graph as text, JSON, mermaid or dot; with `--resolve`, why each entry would run. */
import { formatPlan, formatPlanText, openSession, planJson, probeAll } from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import type { Io } from '../io.ts';
import type { Options } from '../options.ts';
import { prepare } from '../prepare.ts';
import { VERSION } from '../version.ts';

export interface PlanOptions extends Options {
  readonly format: 'text' | 'mermaid' | 'dot';
  readonly resolve: boolean;
}

export async function planCommand(io: Io, options: PlanOptions): Promise<number> {
  const prepared = await prepare(io, options, 'plan');
  if (!prepared.ok) return refuse(io, options.json, 'plan', prepared.failures);
  const { config, settings, host, planned, finder, signing, warnings } = prepared.value;
  for (const warning of warnings) io.stderr(`warning: ${warning}\n`);
  const { plan } = planned;
  if (!options.resolve) {
    return answer(io, options.json, 'plan', EXIT.done, planJson(plan), () => (options.format === 'text' ? formatPlanText(plan) : formatPlan(plan, options.format)));
  }
  await using session = await openSession({
    config,
    settings,
    planned,
    host,
    finder,
    env: io.env,
    version: VERSION,
    purpose: 'run',
    ...(signing === undefined ? {} : { signing }),
    signal: io.interrupt,
    report: () => {},
  });
  const probes = await probeAll(session.engine, io.interrupt);
  const failures = probes.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  const body = { ...planJson(plan), probes };
  const text = (): string => probes.map(({ id, goal, why }) => `${goal ? 'done' : 'run '}  ${id}: ${why}\n`).join('');
  return answer(io, options.json, 'plan', failures.length === 0 ? EXIT.done : EXIT.failed, body, text);
}
