/** The journals of a folder, newest first, one at a time: a search mostly ends with the first. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readRegular } from '../read-regular.ts';
import type { Event } from './events.ts';
import { parseJournal } from './journal.ts';
import { isRunId, runId } from './run-id.ts';

export interface PastRun {
  /** The run's id. */
  readonly run: string;
  readonly events: readonly Event[];
}

/** How far back anybody looks, and what a run leaves of earlier ones. */
const MAX_RUNS = 200;
/** Bytes of one journal that is still read into memory. */
export const MAX_JOURNAL = 512 * 1024 * 1024;
/** Milliseconds by which the clock of a machine that a journal comes from may be ahead of ours. */
const AHEAD = 24 * 3600 * 1000;

/** `folder`: `.slipway/runs`, or where somebody has put journals together. */
export function* recentRuns(folder: string): Generator<PastRun> {
  for (const [run, name] of journalsIn(folder)) {
    // One that was just removed, or is out of all proportion, is passed over.
    const text = readRegular(join(folder, name), MAX_JOURNAL);
    if (text !== undefined) yield { run, events: parseJournal(text) };
  }
}

/** Removes the journals at which nobody looks any more, never that of `own`. Other files that somebody has put there stay. */
export function removeOldRuns(folder: string, own?: string): void {
  for (const name of journalNames(folder)
    .filter((each) => isRunId(runOf(each)))
    .slice(MAX_RUNS)
    // Where the clock was put back while it ran, it is not the newest.
    .filter((each) => runOf(each) !== own)) {
    try {
      rmSync(join(folder, name), { force: true });
    } catch {
      // It only takes room, and a checkout that is read only is read all the same.
    }
  }
}

function runOf(journal: string): string {
  return journal.slice(0, -'.ndjson'.length);
}

/** Each run once, the newest first: what somebody has named otherwise, a copy mostly, is known by what it says of itself. */
function journalsIn(folder: string): readonly (readonly [run: string, name: string])[] {
  const names = journalNames(folder);
  const runs = new Map(names.filter((name) => isRunId(runOf(name))).map((name) => [runOf(name), name]));
  for (const name of names.filter((each) => !isRunId(runOf(each)))) {
    const run = saidIn(join(folder, name)) ?? runOf(name);
    if (!runs.has(run)) runs.set(run, name);
  }
  const order = newestFirst();
  return [...runs].toSorted(([a], [b]) => order(a, b)).slice(0, MAX_RUNS);
}

function saidIn(file: string): string | undefined {
  const text = readRegular(file, MAX_JOURNAL) ?? '';
  const start = parseJournal(text.slice(0, text.indexOf('\n') + 1)).find((event) => event.type === 'run.start');
  return start?.run;
}

/** Names begin with the time. What a wrong clock has dated in the future is older than all that was written since. */
function newestFirst(): (a: string, b: string) => number {
  const future = runId(new Date(Date.now() + AHEAD));
  return (a, b) => Number(a > future) - Number(b > future) || (a < b ? 1 : -1);
}

function journalNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.ndjson'))
      .toSorted(newestFirst());
  } catch {
    return [];
  }
}
