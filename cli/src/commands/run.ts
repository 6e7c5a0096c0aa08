/** `run`, `sync`, `build` and `scan`: everything that is not done, with progress on stderr and the table on stdout. */
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import {
  endOfLifeLine,
  execute,
  fail,
  formatCounts,
  formatFailures,
  formatTable,
  planScans,
  taskLogs,
  waiversFor,
  type Checked,
} from '@slipway/core';
import type { Position, Row, Session, Waiver } from '@slipway/core';
import { workspaceOf, writeActionsFiles } from '../actions.ts';
import { answer, EXIT, refuse } from '../answer.ts';
import { deadline } from '../deadline.ts';
import type { Io } from '../io.ts';
import { askedOf, type Options } from '../options.ts';
import { painter } from '../paint.ts';
import { preflight } from '../preflight.ts';
import { prepare, type Prepared } from '../prepare.ts';
import { createReporter } from '../reporters/index.ts';
import { collectScans, type SarifCollector, type SarifOptions } from '../sarif.ts';
import { openCommandSession } from '../session.ts';
import { VERSION } from '../version.ts';
import { leadsOut } from '../write-file.ts';

export interface RunOptions extends Options {
  /** Folder of a report; none is written when absent. */
  readonly report?: string;
  /** Only what is not in the registry as a run leaves it. */
  readonly against?: 'registry';
  /** Folder of SARIF files; none are written when absent. */
  readonly sarif?: string;
}

export async function runCommand(
  io: Io,
  options: RunOptions,
  command: 'run' | 'sync' | 'build' | 'scan',
): Promise<number> {
  const signal = deadline(io, options);
  const prepared = await prepareRun(io, options, command === 'scan' ? 'run' : command, signal);
  if (!prepared.ok) return refuse(io, options.json, command, prepared.failures);
  if (prepared.value === undefined) {
    const body = { run: 'none', entries: [], tools: [] };
    // A later step that asks whether anything was published must find a 0, and not nothing.
    const day = new Date().toISOString().slice(0, 10);
    const none = {
      run: body.run,
      command,
      rows: [],
      edges: [],
      exitCode: EXIT.done,
      seconds: 0,
      day,
      only: options.only,
    };
    writeActionsFiles(io, none);
    return answer(io, options.json, command, EXIT.done, body, () => 'nothing has drifted\n');
  }
  const { host, warnings } = prepared.value;
  const planned = command === 'scan' ? planScans(prepared.value.planned) : prepared.value.planned;
  const failures = await preflight(io, { ...prepared.value, planned }, options);
  if (failures.length > 0) {
    // What a warning is about may well be why.
    for (const warning of warnings) io.stderr(`warning: ${warning}\n`);
    return refuse(io, options.json, command, failures);
  }

  const started = performance.now();
  const logs = taskLogs();
  // There is a session only once somebody listens to it.
  const known: { durations?: Session['engine']['durations'] } = {};
  const placeOf = placesOf(prepared.value);
  const reporter = await createReporter(io, options.progress, (task) => known.durations?.of(task), placeOf);
  const scans = collectScans();
  const opened = await openCommandSession(io, {
    prepared: prepared.value,
    planned,
    purpose: command === 'scan' ? 'scan' : 'run',
    moves: true,
    ...(options.against === undefined ? {} : { deep: true as const, remember: false }),
    signal,
    report: (event) => {
      logs.event(event);
      if (options.sarif !== undefined) scans.event(event);
      reporter.event(event);
    },
  });
  if (!opened.ok) {
    reporter.close();
    return refuse(io, options.json, command, opened.failures);
  }
  await using session = opened.value;
  const { engine } = session;
  known.durations = engine.durations;
  for (const message of warnings) engine.emit({ type: 'warning', message });
  const { rows, exitCode } = await execute({
    engine,
    command,
    version: VERSION,
    ...askedOf(options),
    fail: options.fail,
    failed: prepared.value.failed,
    interrupt: signal,
  });
  await host.done({ exitCode });
  reporter.close();
  if (options.report !== undefined) await report(io, engine.journal.file, options.report);
  const seconds = (performance.now() - started) / 1000;
  const day = engine.now().toISOString().slice(0, 10);
  if (options.sarif !== undefined) {
    const waivers = waiversOf(prepared.value, day);
    writeScans(io, scans, options.sarif, { rows, workspace: workspaceOf(io), placeOf, waiversOf: waivers });
  }
  const edges = planned.plan.entries.flatMap(({ id, needs }) => needs.map((need) => [need, id] as const));
  writeActionsFiles(io, { run: engine.run, command, rows, edges, exitCode, seconds, day, only: options.only });
  // A signal that comes when all is done, while the report is written, leaves nothing to be finished.
  if (exitCode === EXIT.interrupted)
    io.stderr(`${whyStopped(io)}: what was published before stays published; the next run finishes the rest\n`);
  const tools = session.tools().map(({ name, version, started: times }) => ({ name, version, started: times }));
  const paint = painter(io);
  return answer(
    io,
    options.json,
    command,
    exitCode,
    { run: engine.run, entries: rows, tools },
    () =>
      `${formatTable(rows, paint)}\n${formatFailures(rows, logs.failed, paint, io.cwd)}${endedLine(rows)}${formatCounts(rows, seconds)}${journalOf(io, engine.journal.file)}\n`,
  );
}

/** What the table says of them in three words. */
function endedLine(rows: readonly Row[]): string {
  const line = endOfLifeLine(rows);
  return line === '' ? '' : `${line}\n`;
}

/** What `report` and `rollback` want of a run, and what the failures above point to. A full disk may have taken none of it. */
function journalOf({ cwd }: Io, file: string): string {
  const path = relative(cwd, file);
  return existsSync(file) ? `; journal: ${path.startsWith('..') ? file : path}` : '';
}

/** The line of the config of an entry, or of a selection. */
function placesOf({ config, planned, failed }: Prepared): (id: string) => Position | undefined {
  const selections = new Map(
    [...config.selections, ...failed.map(({ selection }) => selection)].map(({ id, at }) => [id, at]),
  );
  return (id) => planned.entries.get(id)?.at ?? selections.get(id);
}

/** Of the policy, those that hold for an entry on `today`. */
function waiversOf({ settings, planned }: Prepared, today: string): (id: string) => readonly Waiver[] {
  const destinations = new Map(planned.plan.entries.map(({ id, destination }) => [id, destination]));
  return (id) => {
    const [kind, destination] = [planned.entries.get(id)?.kind, destinations.get(id)];
    return kind === undefined || destination === undefined
      ? []
      : waiversFor(settings.policy, { id, kind, destination }, today);
  };
}

/** Undefined: nothing has drifted, so nothing is to be run. */
async function prepareRun(
  io: Io,
  options: RunOptions,
  command: 'run' | 'sync' | 'build',
  signal: AbortSignal,
): Promise<Checked<Prepared | undefined>> {
  const prepared = await prepare(io, options, command, signal);
  if (!prepared.ok || options.against === undefined) return prepared;
  const { findDrift } = await import('../drift.ts');
  const drift = await findDrift(io, options, prepared.value, signal);
  if (!drift.ok) return drift;
  return drift.value.targets.length === 0
    ? { ok: true, value: undefined }
    : prepare(io, drift.value.options, command, signal);
}

function whyStopped({ interrupt }: Io): string {
  return interrupt.aborted ? 'interrupted' : 'stopped by --timeout';
}

/** The run is what it is: a report that cannot be written is told, and changes nothing of it. */
async function report(io: Io, journal: string, folder: string): Promise<void> {
  const { writeReport } = await import('./report.ts');
  const written = writeReport(journal, resolve(io.cwd, folder), io.cwd);
  io.stderr(written.ok ? `report: ${written.value[0] ?? ''}\n` : `warning: ${written.failure.message}\n`);
}

/** As with the report, what cannot be written is told, and changes nothing. */
function writeScans(io: Io, scans: SarifCollector, dir: string, options: Omit<SarifOptions, 'warn'>): void {
  const warn = (message: string): void => io.stderr(`warning: ${message}\n`);
  const folder = resolve(io.cwd, dir);
  const out = leadsOut(folder, io.cwd);
  const written = out === undefined ? scans.write(folder, { ...options, warn }) : fail(out);
  if (written.ok) io.stderr(`sarif: ${written.value} files in ${folder}\n`);
  else warn(written.failure.message);
}
