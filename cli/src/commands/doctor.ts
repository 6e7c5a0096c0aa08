/** `doctor`: tools and their versions, registries, referrers, credentials, identity; each with what mends it. */
import { diagnose, openSession, type Diagnosis } from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import type { Io } from '../io.ts';
import type { Options } from '../options.ts';
import { preflight, prepare, type Prepared } from '../prepare.ts';
import { VERSION } from '../version.ts';

export async function doctorCommand(io: Io, options: Options): Promise<number> {
  const prepared = await prepare(io, options, 'run');
  if (!prepared.ok) return refuse(io, options.json, 'doctor', prepared.failures);
  const { config, settings, host, planned, finder, signing } = prepared.value;
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
  const identity = await preflight(io, { ...prepared.value, host: withoutTools(host) }, options.to !== undefined);
  const findings: readonly Diagnosis[] = [
    ...(await tools(prepared.value)),
    ...(await diagnose(session.engine)),
    ...identity.map(({ message, hint }): Diagnosis => ({ what: 'identity', state: 'failed', detail: message, ...(hint === undefined ? {} : { hint }) })),
  ];
  const exitCode = findings.some(({ state }) => state === 'failed') ? EXIT.failed : EXIT.done;
  return answer(io, options.json, 'doctor', exitCode, { findings }, () =>
    findings.map(({ what, state, detail, hint }) => `${state.padEnd(7)} ${what}: ${detail}\n${hint === undefined ? '' : `        → ${hint}\n`}`).join(''),
  );
}

/** Every tool that a plugin which has something to do here declares. */
async function tools({ planned, host, finder }: Prepared): Promise<readonly Diagnosis[]> {
  const contracts = new Set(planned.plan.tasks.map(({ contract }) => contract));
  const needs = new Map([...contracts].flatMap((contract) => host.toolNeeds(contract)).map((need) => [need.name, need]));
  return Promise.all(
    [...needs.values()].map(async (need): Promise<Diagnosis> => {
      const what = `tool ${need.name}`;
      const found = await finder.find(need);
      if (found.ok) return { what, state: 'ok', detail: `${found.value.version} (${need.range}) ${found.value.path}` };
      const { message, hint } = found.failure;
      return { what, state: 'failed', detail: message, ...(hint === undefined ? {} : { hint }) };
    }),
  );
}

/** Tools have their own lines here: the preflight is asked about the identity only. */
function withoutTools(host: Prepared['host']): Prepared['host'] {
  return { ...host, toolNeeds: () => [] };
}
