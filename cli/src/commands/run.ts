/** `run`, `sync`, `build` and `scan`: everything that is not done, with progress on stderr and the table on stdout. */
import { execute, formatCounts, formatFailures, formatTable, openSession, planScans, type Event } from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import type { Io } from '../io.ts';
import type { Options } from '../options.ts';
import { preflight, prepare } from '../prepare.ts';
import { createReporter } from '../reporters/index.ts';
import { VERSION } from '../version.ts';

export async function runCommand(io: Io, options: Options, command: 'run' | 'sync' | 'build' | 'scan'): Promise<number> {
  const prepared = await prepare(io, options, command === 'scan' ? 'run' : command);
  if (!prepared.ok) return refuse(io, options.json, command, prepared.failures);
  const { config, settings, host, finder, signing, warnings } = prepared.value;
  const planned = command === 'scan' ? planScans(prepared.value.planned) : prepared.value.planned;
  const failures = await preflight(io, { ...prepared.value, planned }, options.to !== undefined);
  if (failures.length > 0) return refuse(io, options.json, command, failures);

  const started = performance.now();
  const signal = options.timeout === undefined ? io.interrupt : AbortSignal.any([io.interrupt, AbortSignal.timeout(options.timeout)]);
  const reporter = createReporter(io, options.progress);
  for (const message of warnings) reporter.event({ t: Date.now(), type: 'warning', message });
  await using session = await openSession({
    config,
    settings,
    planned,
    host,
    finder,
    env: io.env,
    version: VERSION,
    purpose: command === 'scan' ? 'scan' : 'run',
    ...(signing === undefined ? {} : { signing }),
    signal,
    report: (event: Event) => reporter.event(event),
  });
  const { rows, exitCode } = await execute({ engine: session.engine, command, version: VERSION, fail: options.fail, interrupt: signal });
  await host.done({ exitCode });
  reporter.close();
  const seconds = (performance.now() - started) / 1000;
  if (exitCode === EXIT.interrupted) io.stderr('interrupted: what was published before stays published; the next run finishes the rest\n');
  const body = { run: session.engine.run, entries: rows, tools: session.tools().map(({ name, version, started: times }) => ({ name, version, started: times })) };
  return answer(io, options.json, command, exitCode, body, () => `${formatTable(rows)}\n${formatFailures(rows)}${formatCounts(rows, seconds)}\n`);
}
