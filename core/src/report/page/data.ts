/**
 * What a report is made of: a fold over the journal of one run, and over earlier ones for what they know of the same images.
 * This is `run.json` too. Pure: the same journals give the same report, on any machine.
 */
import type { PastRun } from '../../journal/recent.ts';
import type { Change, Event, ImageEvidence, Outcome, Row } from '../../journal/events.ts';
import type { Finding } from '../../trust/model.ts';
import { mergeFindings } from '../../trust/summary.ts';
import { taskLogs } from '../logs.ts';
import { commandsFor, type Command } from './commands.ts';
import { compareFindings, comparePackages, type FindingNews, type PackageChange } from './compare.ts';
import { gatherEvidence, type Evidence } from './evidence.ts';
import { timelineOf, type TimedTask } from './timeline.ts';
import { vulnerabilitiesOf, type ReportVulnerability } from './vulnerabilities.ts';

export interface ReportData {
  readonly slipway: 1;
  readonly run: string;
  readonly command: string;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly started: number;
  /** `null`: the run was killed before its end. */
  readonly seconds: number | null;
  readonly exitCode: number | null;
  readonly counts: Readonly<Partial<Record<Outcome, number>>>;
  readonly images: readonly ReportImage[];
  readonly vulnerabilities: readonly ReportVulnerability[];
  readonly tasks: readonly TimedTask[];
  /** Between entries: the second takes what the first comes to. */
  readonly edges: readonly (readonly [from: string, to: string])[];
  readonly warnings: readonly string[];
}

export interface ReportImage extends Omit<Row, 'findings'> {
  readonly counts: Row['findings'];
  /** Of the image that the tag named before; absent when no journal has it. */
  readonly sizeBefore?: number;
  readonly changes: readonly Change[];
  /** The most severe first. */
  readonly findings: readonly Finding[];
  /** Against the image before, or the scan before of the same image; absent when that is in no journal. */
  readonly news?: FindingNews;
  readonly scanned?: string;
  readonly database?: string;
  readonly sbom: ImageEvidence['packages'];
  /** Package → version before and now; absent when one of the two lists is in no journal. */
  readonly packageNews?: readonly PackageChange[];
  readonly attachments: ImageEvidence['attachments'];
  readonly commands: readonly Command[];
  /** The last lines that its failed task wrote. */
  readonly log?: readonly string[];
}

/** Lines of a log that a page shows; the journal has all. */
const MAX_LOG = 200;

/** `events`: of the run that is reported. `past`: earlier runs, newest first; what they know of an image by its digest is used. */
export function reportData(events: readonly Event[], past: Iterable<PastRun> = []): ReportData {
  const start = events.find((event) => event.type === 'run.start');
  const end = events.findLast((event) => event.type === 'run.done');
  const rows = events.flatMap((event) => (event.type === 'entry.done' ? event.rows : []));
  const known = gatherEvidence(events, past, rows);
  const changes = new Map(
    events.flatMap((event) => (event.type === 'entry.chain' ? [[event.entry, event.changes ?? []] as const] : [])),
  );
  const logs = taskLogs();
  for (const event of events) logs.event(event);
  const run = start?.run ?? 'unknown';
  const images = rows.map((row) => ({
    ...imageOf(row, known),
    changes: changes.get(row.id) ?? [],
    commands: commandsFor(row, run, start?.cosign),
    ...logOf(row, logs.failed),
  }));
  const { tasks, edges } = timelineOf(events);
  return {
    slipway: 1,
    run,
    command: start?.command ?? 'unknown',
    version: start?.version ?? 'unknown',
    started: start?.t ?? events[0]?.t ?? 0,
    seconds: end?.seconds ?? null,
    exitCode: end?.exitCode ?? null,
    counts: countOutcomes(rows),
    images,
    vulnerabilities: vulnerabilitiesOf(images),
    tasks,
    edges,
    warnings: events.flatMap((event) => (event.type === 'warning' ? [event.message] : [])),
  };
}

function imageOf(row: Row, { known, earlier, sizes }: Evidence): Omit<ReportImage, 'changes' | 'commands' | 'log'> {
  const { findings: counts, ...rest } = row;
  const now = known.get(row.digest ?? '');
  const moved = row.before !== row.digest;
  // Of an image that stayed, a scan may be newer than the one before.
  const before = moved ? known.get(row.before ?? '') : earlier.get(row.digest ?? '');
  const news = compareFindings(before, now);
  const packageNews = moved ? comparePackages(before, now) : undefined;
  const sizeBefore = moved ? sizes.get(row.before ?? '') : undefined;
  return {
    ...rest,
    counts,
    findings: mergeFindings(now?.scan?.platforms ?? []),
    ...(sizeBefore === undefined ? {} : { sizeBefore }),
    ...(news === undefined ? {} : { news }),
    ...(now?.scan === undefined ? {} : { scanned: now.scan.finishedAt }),
    ...(now?.scan?.database === undefined ? {} : { database: now.scan.database }),
    sbom: now?.packages ?? [],
    ...(packageNews === undefined ? {} : { packageNews }),
    attachments: now?.attachments ?? [],
  };
}

/** Of what failed itself, or of the package that it could not do without. */
function logOf({ id, outcome, failure }: Row, logs: ReadonlyMap<string, readonly string[]>): Pick<ReportImage, 'log'> {
  if (outcome !== 'failed' || failure === undefined) return {};
  const output = failure.reason === 'tool' ? failure.output?.split('\n') : undefined;
  const log = (failure.reason === 'need' ? logs.get(failure.need) : logs.get(id)) ?? output;
  return log === undefined ? {} : { log: log.slice(-MAX_LOG) };
}

function countOutcomes(rows: readonly Row[]): ReportData['counts'] {
  const groups = Map.groupBy(rows, ({ outcome }) => outcome);
  return Object.fromEntries([...groups].map(([outcome, all]) => [outcome, all.length]));
}
