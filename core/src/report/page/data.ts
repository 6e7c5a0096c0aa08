/**
 * What a report is made of: a fold over the journal of one run, and over earlier ones for what they know of the same images.
 * This is `run.json` too. Pure: the same journals give the same report, on any machine.
 */
import type { PastRun } from '../../journal/recent.ts';
import type { Change, Event, ImageEvidence, ListedPackage, Outcome, Row } from '../../journal/events.ts';
import type { Finding } from '../../trust/model.ts';
import { mergeFindings } from '../../trust/summary.ts';
import { timelineOf, type TimedTask } from './timeline.ts';

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
  readonly changes: readonly Change[];
  /** The most severe first. */
  readonly findings: readonly Finding[];
  /** Ids that the image before did not have, or has no more; absent when that image's scan is in no journal. */
  readonly news?: { readonly new: readonly string[]; readonly gone: readonly string[] };
  readonly scanned?: string;
  readonly database?: string;
  readonly sbom: ImageEvidence['packages'];
  /** Package → version before and now; absent when one of the two lists is in no journal. */
  readonly packageNews?: readonly { readonly name: string; readonly from: string | null; readonly to: string | null }[];
  readonly attachments: ImageEvidence['attachments'];
  readonly commands: readonly string[];
}

export interface ReportVulnerability {
  readonly id: string;
  readonly severity: Finding['severity'];
  readonly title?: string;
  readonly packages: readonly string[];
  readonly fixed: boolean;
  readonly destinations: readonly string[];
}

/** `events`: of the run that is reported. `past`: earlier runs, newest first; what they know of an image by its digest is used. */
export function reportData(events: readonly Event[], past: Iterable<PastRun> = []): ReportData {
  const start = events.find((event) => event.type === 'run.start');
  const end = events.findLast((event) => event.type === 'run.done');
  const rows = events.flatMap((event) => (event.type === 'entry.done' ? event.rows : []));
  const known = evidenceByDigest(events, past, rows);
  const changes = new Map(
    events.flatMap((event) => (event.type === 'entry.chain' ? [[event.entry, event.changes ?? []] as const] : [])),
  );
  const run = start?.run ?? 'unknown';
  const images = rows.map((row) => imageOf(row, known, changes.get(row.id) ?? [], { run, cosign: start?.cosign }));
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

/** What is known of the images that the rows name, now or before: scans and packages may stem from different runs. */
function evidenceByDigest(
  events: readonly Event[],
  past: Iterable<PastRun>,
  rows: readonly Row[],
): ReadonlyMap<string, ImageEvidence> {
  const wanted = new Set(rows.flatMap(({ digest, before }) => [digest, before]));
  const known = new Map<string, ImageEvidence>();
  const take = (all: readonly Event[]): void => {
    for (const event of all.toReversed()) {
      if (event.type !== 'image' || !wanted.has(event.image.digest)) continue;
      const newer = known.get(event.image.digest);
      known.set(event.image.digest, newer === undefined ? event.image : completed(newer, event.image));
    }
  };
  take(events);
  for (const { events: older } of past) {
    if ([...wanted].every((digest) => digest === null || isComplete(known.get(digest)))) break;
    take(older);
  }
  return known;
}

function completed(newer: ImageEvidence, older: ImageEvidence): ImageEvidence {
  return {
    ...older,
    ...newer,
    packages: newer.packages.length > 0 ? newer.packages : older.packages,
    attachments: newer.attachments.length > 0 ? newer.attachments : older.attachments,
  };
}

function isComplete(evidence: ImageEvidence | undefined): boolean {
  return evidence?.scan !== undefined && evidence.packages.length > 0;
}

function imageOf(
  row: Row,
  known: ReadonlyMap<string, ImageEvidence>,
  changes: readonly Change[],
  { run, cosign }: { readonly run: string; readonly cosign: string | undefined },
): ReportImage {
  const { findings: counts, ...rest } = row;
  const now = known.get(row.digest ?? '');
  const before = row.before === row.digest ? undefined : known.get(row.before ?? '');
  const findings = mergeFindings(now?.scan?.platforms ?? []);
  const news = before?.scan === undefined || now?.scan === undefined ? undefined : compareFindings(before, now);
  const packageNews = before && now && packageChanges(before.packages, now.packages);
  return {
    ...rest,
    counts,
    changes,
    findings,
    ...(news === undefined ? {} : { news }),
    ...(now?.scan === undefined ? {} : { scanned: now.scan.finishedAt }),
    ...(now?.scan?.database === undefined ? {} : { database: now.scan.database }),
    sbom: now?.packages ?? [],
    ...(packageNews === undefined ? {} : { packageNews }),
    attachments: now?.attachments ?? [],
    commands: commandsFor(row, run, cosign),
  };
}

function compareFindings(before: ImageEvidence, now: ImageEvidence): ReportImage['news'] {
  const ids = ({ scan }: ImageEvidence): ReadonlySet<string> =>
    new Set(scan?.platforms.flatMap(({ findings }) => findings.map(({ id }) => id)));
  const [old, current] = [ids(before), ids(now)];
  const without = (some: ReadonlySet<string>, others: ReadonlySet<string>): readonly string[] =>
    [...some].filter((id) => !others.has(id)).toSorted();
  return { new: without(current, old), gone: without(old, current) };
}

/** By name, over all platforms: an image has a package in one version, or the reader looks it up in the list. */
function packageChanges(
  before: ImageEvidence['packages'],
  now: ImageEvidence['packages'],
): ReportImage['packageNews'] | undefined {
  if (before.length === 0 || now.length === 0) return undefined;
  const versions = (lists: ImageEvidence['packages']): ReadonlyMap<string, string> =>
    new Map(
      lists.flatMap(({ packages }) => packages.map(({ name, version }: ListedPackage) => [name, version] as const)),
    );
  const [old, current] = [versions(before), versions(now)];
  return [...new Set([...old.keys(), ...current.keys()])]
    .filter((name) => old.get(name) !== current.get(name))
    .toSorted()
    .map((name) => ({ name, from: old.get(name) ?? null, to: current.get(name) ?? null }));
}

/** What a reader can run to see the same, and to undo it. */
function commandsFor(
  { destination, digest, outcome, before }: Row,
  run: string,
  cosign: string | undefined,
): readonly string[] {
  const repository = destination.slice(0, destination.lastIndexOf(':'));
  return [
    `slipway show ${destination}`,
    ...(digest === null || cosign === undefined ? [] : [`cosign verify ${cosign} ${repository}@${digest}`]),
    ...(outcome === 'published' && before !== null
      ? [`slipway rollback ${destination}`, `slipway rollback ${run}`]
      : []),
  ];
}

function countOutcomes(rows: readonly Row[]): ReportData['counts'] {
  const groups = Map.groupBy(rows, ({ outcome }) => outcome);
  return Object.fromEntries([...groups].map(([outcome, all]) => [outcome, all.length]));
}

const RANK = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN'] as const;

/** Each vulnerability once, with every destination that has it: the most severe first, then the most widespread. */
function vulnerabilitiesOf(images: readonly ReportImage[]): readonly ReportVulnerability[] {
  const found = images.flatMap(({ destination, findings }) => findings.map((finding) => ({ destination, finding })));
  const groups = Map.groupBy(found, ({ finding }) => finding.id);
  return [...groups]
    .map(([id, all]) => {
      const severity = RANK.find((rank) => all.some(({ finding }) => finding.severity === rank)) ?? 'UNKNOWN';
      const title = all.find(({ finding }) => finding.title !== undefined)?.finding.title;
      return {
        id,
        severity,
        ...(title === undefined ? {} : { title }),
        packages: [...new Set(all.map(({ finding }) => finding.package))].toSorted(),
        fixed: all.some(({ finding }) => finding.fixed !== undefined),
        destinations: [...new Set(all.map(({ destination }) => destination))],
      };
    })
    .toSorted(
      (a, b) =>
        RANK.indexOf(a.severity) - RANK.indexOf(b.severity) ||
        b.destinations.length - a.destinations.length ||
        (a.id < b.id ? -1 : 1),
    );
}
