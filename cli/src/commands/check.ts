/** `check`: the config and what it publishes, by rules with severities and waivers. */
import {
  anonymousRegistry,
  cancelled,
  emptyLock,
  folderFiles,
  formatFindings,
  loadLock,
  lockedEntries,
  runChecks,
  sarifLog,
  type CheckFinding,
} from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import { deadline } from '../deadline.ts';
import type { Io } from '../io.ts';
import type { Options } from '../options.ts';
import { painter } from '../paint.ts';
import { prepare, type Prepared } from '../prepare.ts';
import { openCommandSession } from '../session.ts';
import { VERSION } from '../version.ts';

export interface CheckOptions extends Options {
  readonly offline: boolean;
  readonly format: 'table' | 'json' | 'sarif';
}

export async function checkCommand(io: Io, options: CheckOptions): Promise<number> {
  const { offline, format } = options;
  const json = options.json || format === 'json';
  const signal = deadline(io, options);
  const prepared = await prepare(io, options, 'run', offline ? undefined : signal);
  if (!prepared.ok) return refuse(io, json, 'check', prepared.failures);
  const { config, settings, planned, expansions, warnings, failed } = prepared.value;
  // Rules say nothing of entries that are not known: that is no pass.
  if (failed.length > 0)
    return refuse(
      io,
      json,
      'check',
      failed.map(({ failure }) => failure),
    );
  for (const warning of warnings) io.stderr(`warning: ${warning}\n`);
  const lock = await loadLock(config.folder);
  if (!lock.ok) return refuse(io, json, 'check', lock.failures);
  const request = {
    config,
    settings,
    planned,
    locked: lockedEntries(
      config,
      expansions.map(({ selection }) => selection),
      lock.value ?? emptyLock,
    ),
    document: await documentOf(prepared.value),
    today: new Date().toISOString().slice(0, 10),
  };
  if (config.selections.length > 0 && offline) {
    io.stderr(`warning: --offline leaves out what ${config.selections.map(({ id }) => id).join(', ')} would select\n`);
  }
  if (offline) return report(await runChecks(request));
  // A file that came with a checkout must not vouch for anything here.
  const opened = await openCommandSession(io, { prepared: prepared.value, purpose: 'run', remember: false, signal });
  if (!opened.ok) return refuse(io, json, 'check', opened.failures);
  await using session = opened.value;
  const anonymous = anonymousRegistry(settings, signal);
  try {
    const findings = await runChecks({ ...request, network: { engine: session.engine, anonymous, signal } });
    return signal.aborted ? refuse(io, json, 'check', [cancelled]) : report(findings);
  } finally {
    await anonymous.close();
  }

  function report(findings: readonly CheckFinding[]): number {
    const broken = findings.some(({ severity, waived }) => severity === 'error' && waived === undefined);
    const exitCode = broken ? EXIT.failed : EXIT.done;
    if (format !== 'sarif' || json) {
      const text = (): string => formatFindings(findings, config.folder, { offline, paint: painter(io) });
      return answer(io, json, 'check', exitCode, { findings, offline }, text);
    }
    io.stdout(`${JSON.stringify(sarifLog(findings, config.folder, VERSION), null, 2)}\n`);
    return exitCode;
  }
}

/** The file that names the destinations; a path outside of the config's folder is as good as none. */
async function documentOf({ config, settings }: Prepared): Promise<string | undefined> {
  const file = settings.check?.documentedIn;
  if (file === undefined) return undefined;
  const read = await folderFiles(config.folder).read(file);
  return read.ok ? read.value : undefined;
}
