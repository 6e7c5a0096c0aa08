/** What a run came to for one entry: a row a target. */
import type { Outcome, Row } from '../journal/events.ts';
import { isPublic } from '../journal/named.ts';
import type { Entry, Selection } from '../config/model.ts';
import type { Failure } from '../failure.ts';
import { isPackageTask } from '../plan/task-id.ts';
import { tallyOf } from '../policy/tally.ts';
import { formatReference } from '../reference.ts';
import { knownOf, type EntryRecord } from './record.ts';
import type { NotOk } from './loop.ts';

export function rowsOf(entry: Entry, record: EntryRecord): readonly Row[] {
  const { probed, broken, waived = [] } = record;
  const { digest = null, scan } = knownOf(record);
  const { findings, unscanned, endOfLife, packages } = tallyOf(scan);
  return entry.targets.map(({ destination }) => {
    const text = formatReference(destination);
    const outcome = outcomeOf(record, text);
    const backup = record.tagged?.get(text);
    return {
      id: entry.id,
      destination: text,
      digest,
      outcome,
      before: probed?.before[text] ?? null,
      why: whyOf(record),
      ...(backup === undefined ? {} : { backup }),
      findings,
      ...(unscanned.length === 0 ? {} : { unscanned }),
      ...(endOfLife.length === 0 ? {} : { endOfLife }),
      ...(isPublic({ outcome }) && waived.length > 0 ? { waived } : {}),
      signed: record.signed,
      size: record.image?.size ?? null,
      packages,
      seconds: Math.round(record.ms) / 1000,
      ...(broken === undefined || outcome === 'published' ? {} : { failure: broken.end.failure }),
    };
  });
}

function outcomeOf({ broken, tagged, probed }: EntryRecord, target: string): Outcome {
  // Public it is, whatever became of the entry's other tags.
  if (tagged?.has(target) === true) return 'published';
  if (broken !== undefined) return lacksPackage(broken.end) ? 'failed' : broken.end.state;
  return probed === undefined ? 'skipped' : 'unchanged';
}

/** A package has no row of its own: that it failed is told, and counted, at the entries that need it. */
function lacksPackage({ state, failure }: NotOk): boolean {
  return state === 'skipped' && failure.reason === 'need' && isPackageTask(failure.need);
}

function whyOf({ probed, broken }: EntryRecord): string {
  if (broken === undefined) return probed?.why ?? '';
  return broken.end.failure.message;
}

/** Of what nobody has looked at. */
const UNKNOWN = {
  ...{ digest: null, before: null, findings: null, size: null, packages: null },
  ...{ signed: false, seconds: 0 },
} as const;

/** A selection whose tags are not known has one row, so that nobody takes it for done. */
export function selectionRow({ id, destination }: Selection, failure: Failure): Row {
  const outcome = failure.class === 'cancelled' ? 'cancelled' : 'failed';
  return { id, destination, ...UNKNOWN, outcome, why: failure.message, failure };
}

export function skippedRows(entry: Entry, why: string): readonly Row[] {
  return entry.targets.map(({ destination }) => {
    return { id: entry.id, destination: formatReference(destination), ...UNKNOWN, outcome: 'skipped', why };
  });
}

/** 0 done, 1 failed, 3 refused, 5 a tool is missing, 130 interrupted; the first that applies of 130, 2, 5, 1, 3. */
export function exitCodeOf(rows: readonly Row[], interrupted: boolean): number {
  if (interrupted) return 130;
  const failures = rows.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  if (failures.some(({ reason }) => reason === 'config')) return 2;
  if (failures.some(({ reason }) => reason === 'missing-tool')) return 5;
  if (rows.some(({ outcome }) => outcome === 'failed' || outcome === 'cancelled')) return 1;
  if (rows.some(({ outcome }) => outcome === 'refused')) return 3;
  // What was asked for and could not be done must not look like success, though nothing of this run failed.
  return failures.some(({ reason }) => reason === 'need') ? 1 : 0;
}
