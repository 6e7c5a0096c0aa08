/**
 * What a report is made of: a fold over the journal of one run, and over earlier ones for what they know of the same images.
 * This is `run.json` too. Pure: the same journals give the same report, on any machine.
 */
import type { PastRun } from '../../journal/recent.ts';
import type { Asked, Event } from '../../journal/events.ts';
import { foldEvents } from '../../journal/state.ts';
import { formatReference } from '../../reference.ts';
import { movesOfRun } from '../../rollback/moves.ts';
import { taskLogs, type TaskLog } from '../logs.ts';
import { commandsFor, type Ran } from './commands.ts';
import { deletionsFor, type ReportDeletion } from './deletions.ts';
import { gatherEvidence } from './evidence.ts';
import { imageOf, type ReportImage, type ReportRow } from './image.ts';
import { timelineOf, type TimedTask } from './timeline.ts';
import { unfinishedRows, type ReportOutcome } from './unfinished.ts';
import { vulnerabilitiesOf, type ReportVulnerability } from './vulnerabilities.ts';

export interface ReportData {
  readonly slipway: 1;
  readonly run: string;
  readonly command: string;
  readonly version: string;
  readonly asked?: Asked;
  /** Milliseconds since 1970. */
  readonly started: number;
  /** `null`: the run was killed before its end, or has not come to it. */
  readonly seconds: number | null;
  readonly exitCode: number | null;
  readonly counts: Readonly<Partial<Record<ReportOutcome, number>>>;
  /** In the order of their end; then those of entries that have none. */
  readonly images: readonly ReportImage[];
  /** Of `prune`, in the order of their beginning. */
  readonly deletions: readonly ReportDeletion[];
  readonly vulnerabilities: readonly ReportVulnerability[];
  readonly tasks: readonly TimedTask[];
  /** Between entries, and packages: the second takes what the first comes to. */
  readonly edges: readonly (readonly [from: string, to: string])[];
  readonly warnings: readonly string[];
}

/** On which the run began, `2026-11-25`, UTC: by it waivers are judged. */
export function dayOf({ started }: Pick<ReportData, 'started'>): string {
  return new Date(started).toISOString().slice(0, 10);
}

/** Lines of a log that a page shows; the journal has all. */
const MAX_LOG = 200;

/** `events`: of the run that is reported. `past`: earlier runs, newest first; what they know of an image by its digest is used. */
export function reportData(events: readonly Event[], past: Iterable<PastRun> = []): ReportData {
  const start = events.find((event) => event.type === 'run.start');
  const end = events.findLast((event) => event.type === 'run.done');
  const { tasks, edges } = timelineOf(events);
  const rows: readonly ReportRow[] = [
    ...events.flatMap((event) => (event.type === 'entry.done' ? event.rows : [])),
    ...unfinishedRows(start?.entries ?? [], events, tasks),
  ];
  const known = gatherEvidence(events, past, rows);
  const changes = new Map(
    events.flatMap((event) => (event.type === 'entry.chain' ? [[event.entry, event.changes ?? []] as const] : [])),
  );
  const logs = taskLogs(MAX_LOG);
  for (const event of events) logs.event(event);
  const moved = new Set(movesOfRun(events).map(({ destination }) => formatReference(destination)));
  const run = start?.run ?? 'unknown';
  const { cosign, asked } = start ?? {};
  const ran: Ran = {
    run,
    ...(cosign === undefined ? {} : { cosign }),
    ...(asked === undefined ? {} : { asked }),
  };
  const began = start?.t ?? events[0]?.t ?? 0;
  const ends = new Map(
    events.flatMap((event) => (event.type === 'entry.done' ? [[event.entry, event.t] as const] : [])),
  );
  const last = events.at(-1)?.t ?? began;
  const images = rows.map((row) => ({
    ...imageOf(row, known),
    // A clock that was put back meanwhile puts nothing before the run.
    ended: Math.max(0, (ends.get(row.id) ?? last) - began),
    changes: changes.get(row.id) ?? [],
    commands: commandsFor(row, ran, moved.has(row.destination)),
    ...logOf(row, logs.failed),
  }));
  return {
    slipway: 1,
    run,
    command: start?.command ?? 'unknown',
    version: start?.version ?? 'unknown',
    ...(asked === undefined ? {} : { asked }),
    started: began,
    seconds: end?.seconds ?? null,
    exitCode: end?.exitCode ?? null,
    counts: countOutcomes(rows),
    images,
    deletions: deletionsFor(foldEvents(events).deletions.values()),
    vulnerabilities: vulnerabilitiesOf(images),
    tasks,
    edges,
    warnings: events.flatMap((event) => (event.type === 'warning' ? [event.message] : [])),
  };
}

/** Of what failed itself, or of the package that it could not do without. */
function logOf(
  { id, outcome, failure }: ReportRow,
  logs: ReadonlyMap<string, TaskLog>,
): Pick<ReportImage, 'log' | 'logLines'> {
  if (outcome !== 'failed' || failure === undefined) return {};
  const log = failure.reason === 'need' ? logs.get(failure.need) : logs.get(id);
  if (log !== undefined) return { log: log.lines, ...(log.left > 0 ? { logLines: log.lines.length + log.left } : {}) };
  return failure.reason === 'tool' && failure.output !== undefined ? { log: failure.output.split('\n') } : {};
}

function countOutcomes(rows: readonly ReportRow[]): ReportData['counts'] {
  const groups = Map.groupBy(rows, ({ outcome }) => outcome);
  return Object.fromEntries([...groups].map(([outcome, all]) => [outcome, all.length]));
}
