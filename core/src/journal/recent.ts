/** The journals of a folder, newest first, one at a time: a search mostly ends with the first. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Event } from './events.ts';
import { parseJournal } from './journal.ts';

export interface PastRun {
  /** The run's id, as its journal is named. */
  readonly run: string;
  readonly events: readonly Event[];
}

/** How far back anybody looks. */
const MAX_RUNS = 200;
/** Bytes of one journal that is still read into memory. */
const MAX_JOURNAL = 512 * 1024 * 1024;

/** `folder`: `.slipway/runs`, or where somebody has put journals together. */
export function* recentRuns(folder: string): Generator<PastRun> {
  for (const name of journalsIn(folder)) {
    const text = readOrNothing(join(folder, name));
    if (text !== undefined) yield { run: name.slice(0, -'.ndjson'.length), events: parseJournal(text) };
  }
}

/** Their names begin with the time. */
function journalsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.ndjson'))
      .toSorted()
      .toReversed()
      .slice(0, MAX_RUNS);
  } catch {
    return [];
  }
}

/** One that was just removed, or is out of all proportion, is passed over. */
function readOrNothing(file: string): string | undefined {
  try {
    return statSync(file).size > MAX_JOURNAL ? undefined : readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
