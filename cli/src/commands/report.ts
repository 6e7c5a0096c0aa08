/** `report`, and `--report` of a run: one HTML page, the same as data, and a trace, from a journal. */
import { dirname, join, resolve } from 'node:path';
import {
  chromeTrace,
  configFailure,
  errorCode,
  fail,
  MAX_JOURNAL,
  ok,
  parseJournal,
  readRegular,
  recentRuns,
  reportData,
  reportPage,
  type Failure,
  type PastRun,
  type Result,
} from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import type { Io } from '../io.ts';
import { leadsOut, writeHere } from '../write-file.ts';

export interface ReportOptions {
  readonly dir: string;
  readonly json: boolean;
}

/** Writes the report of the journal `file` into `folder`, seen from `cwd`. Journals beside it tell what earlier runs knew of the same images. */
export function writeReport(file: string, folder: string, cwd: string): Result<readonly string[], Failure> {
  const out = leadsOut(folder, cwd);
  if (out !== undefined) return fail(out);
  const text = readRegular(file, MAX_JOURNAL);
  if (text === undefined)
    return fail(configFailure(`the journal ${file} cannot be read`, 'journals are .slipway/runs/*.ndjson'));
  const events = parseJournal(text);
  const start = events.find((event) => event.type === 'run.start');
  if (start === undefined) {
    return fail(configFailure(`${file} is no journal of a run`, 'journals are .slipway/runs/*.ndjson'));
  }
  const data = reportData(events, earlierRuns(dirname(file), start.run));
  const files = {
    'index.html': reportPage(data),
    'run.json': `${JSON.stringify(data)}\n`,
    'trace.json': `${JSON.stringify(chromeTrace(data))}\n`,
  };
  try {
    for (const [path, content] of Object.entries(files)) writeHere(join(folder, path), content);
  } catch (error) {
    return fail(
      configFailure(`the report cannot be written to ${folder} (${errorCode(error)})`, 'name another folder'),
    );
  }
  return ok(Object.keys(files).map((path) => join(folder, path)));
}

/** One at a time, for hundreds of large ones. Runs after this one know nothing that it could have known. */
function* earlierRuns(folder: string, run: string): Generator<PastRun> {
  for (const past of recentRuns(folder)) if (past.run < run) yield past;
}

export function reportCommand(io: Io, file: string, { dir, json }: ReportOptions): number {
  const written = writeReport(resolve(io.cwd, file), resolve(io.cwd, dir), io.cwd);
  if (!written.ok) return refuse(io, json, 'report', [written.failure]);
  return answer(io, json, 'report', EXIT.done, { files: written.value }, () =>
    written.value.map((path) => `${path}\n`).join(''),
  );
}
