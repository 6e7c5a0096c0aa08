/** `run`, `sync`, `build` and `scan`: everything that is not done, with progress on stderr and the table on stdout. */
import { resolve } from 'node:path';
import { execute, formatCounts, formatFailures, formatTable, planScans, taskLogs, type Session } from '@slipway/core';
import { answer, refuse } from '../answer.ts';
import type { Io } from '../io.ts';
import type { Options } from '../options.ts';
import { painter } from '../paint.ts';
import { preflight, prepare } from '../prepare.ts';
import { createReporter } from '../reporters/index.ts';
import { deadline, openCommandSession } from '../session.ts';
import { VERSION } from '../version.ts';

export interface RunOptions extends Options {
  /** Folder of a report; none is written when absent. */
  readonly report?: string;
}

export async function runCommand(
  io: Io,
  options: RunOptions,
  command: 'run' | 'sync' | 'build' | 'scan',
): Promise<number> {
  const signal = deadline(io, options);
  const prepared = await prepare(io, options, command === 'scan' ? 'run' : command, signal);
  if (!prepared.ok) return refuse(io, options.json, command, prepared.failures);
  const { host, warnings } = prepared.value;
  const planned = command === 'scan' ? planScans(prepared.value.planned) : prepared.value.planned;
  const failures = await preflight(io, { ...prepared.value, planned }, options.to !== undefined);
  if (failures.length > 0) return refuse(io, options.json, command, failures);

  const started = performance.now();
  const logs = taskLogs();
  let durations: Session['engine']['durations'] | undefined;
  const reporter = await createReporter(io, options.progress, (task) => durations?.of(task));
  const opened = await openCommandSession(io, {
    prepared: prepared.value,
    planned,
    purpose: command === 'scan' ? 'scan' : 'run',
    signal,
    report: (event) => {
      logs.event(event);
      reporter.event(event);
    },
  });
  if (!opened.ok) {
    reporter.close();
    return refuse(io, options.json, command, opened.failures);
  }
  await using session = opened.value;
  const { engine } = session;
  ({ durations } = engine);
  for (const message of warnings) engine.emit({ t: engine.now().getTime(), type: 'warning', message });
  const { rows, exitCode } = await execute({
    engine,
    command,
    version: VERSION,
    fail: options.fail,
    failed: prepared.value.failed,
    interrupt: signal,
  });
  await host.done({ exitCode });
  reporter.close();
  if (options.report !== undefined) await report(io, engine.journal.file, options.report);
  const seconds = (performance.now() - started) / 1000;
  if (signal.aborted)
    io.stderr(`${whyStopped(io)}: what was published before stays published; the next run finishes the rest\n`);
  const tools = session.tools().map(({ name, version, started: times }) => ({ name, version, started: times }));
  const paint = painter(io);
  return answer(
    io,
    options.json,
    command,
    exitCode,
    { run: engine.run, entries: rows, tools },
    () => `${formatTable(rows, paint)}\n${formatFailures(rows, logs.failed, paint)}${formatCounts(rows, seconds)}\n`,
  );
}

function whyStopped({ interrupt }: Io): string {
  return interrupt.aborted ? 'interrupted' : 'stopped by --timeout';
}

/** The run is what it is: a report that cannot be written is told, and changes nothing of it. */
async function report(io: Io, journal: string, folder: string): Promise<void> {
  const { writeReport } = await import('./report.ts');
  const written = writeReport(journal, resolve(io.cwd, folder));
  io.stderr(written.ok ? `report: ${written.value[0] ?? ''}\n` : `warning: ${written.failure.message}\n`);
}
