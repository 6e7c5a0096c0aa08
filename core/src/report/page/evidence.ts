/** What journals know of the images of a run: of this run and, where that is not all, of earlier ones. Pure. */
import type { Event, ImageEvidence } from '../../journal/events.ts';
import { movesIn, namedBy, namings, standingOf } from '../../journal/named.ts';
import type { PastRun } from '../../journal/recent.ts';
import type { ReportRow } from './image.ts';

export interface Evidence {
  /** By digest: the newest of everything; scans and packages may stem from different runs. */
  readonly known: ReadonlyMap<string, ImageEvidence>;
  /** By digest: what was known when this run began. */
  readonly earlier: ReadonlyMap<string, ImageEvidence>;
  /** Bytes by digest. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Destination → what it names now: of rows that did not get to ask, what the newest run before says. `null`: there is no such tag. */
  readonly tags: ReadonlyMap<string, string | null>;
  /** Destinations that were about to move when it failed, or was cancelled, and nobody saw whether they did. */
  readonly open: ReadonlySet<string>;
}

/** Journals in a row that add nothing: what is missing then, older ones hardly have. */
const MAX_IDLE = 10;

interface Gathering {
  readonly known: Map<string, ImageEvidence>;
  readonly earlier: Map<string, ImageEvidence>;
  readonly sizes: Map<string, number>;
  readonly tags: Map<string, string | null>;
  readonly open: Set<string>;
  /** Digests. */
  readonly wanted: Set<string>;
}

/** Older runs are read only until nothing is missing, or no more comes. */
export function gatherEvidence(
  events: readonly Event[],
  past: Iterable<PastRun>,
  reported: readonly ReportRow[],
): Evidence {
  const moves = movesIn(events);
  const all: Gathering = {
    known: new Map(),
    earlier: new Map(),
    sizes: new Map(),
    tags: new Map(),
    open: new Set(),
    wanted: new Set(),
  };
  // No journal says what a tag names that may have been moved.
  const rows = reported.filter((row) => {
    if (row.outcome === 'unfinished') return row.digest === null;
    if (namedBy(row, moves) !== undefined) return true;
    all.open.add(row.destination);
    return false;
  });
  for (const row of rows) {
    const named = row.outcome === 'unfinished' ? null : (namedBy(row, moves) ?? null);
    if (named !== null) all.tags.set(row.destination, named);
    for (const digest of [row.digest, row.before, named]) if (digest !== null) all.wanted.add(digest);
  }
  const asked = new Set(rows.filter((row) => standingOf(row) === undefined).map(({ destination }) => destination));
  take(events, all, [all.known]);
  let idle = 0;
  for (const { events: older } of past) {
    const named = takeTags(older, all, asked);
    idle = take(older, all, [all.known, all.earlier]) || named ? 0 : idle + 1;
    if (idle >= MAX_IDLE || rows.every((row) => isComplete(row, all))) break;
  }
  return all;
}

/** Of an image that was never public, older runs know nothing. */
function isComplete({ destination, before }: ReportRow, { known, earlier, tags }: Gathering): boolean {
  const tag = tags.get(destination);
  return (
    tag !== undefined && (tag === null || hasAll(known.get(tag))) && (before === null || hasAll(earlier.get(before)))
  );
}

function hasAll(evidence: ImageEvidence | undefined): boolean {
  return evidence?.scan !== undefined && evidence.packages.length > 0;
}

/** Whether anything came of it. The newest run that knows what a tag names has the last word. */
function takeTags(events: readonly Event[], { tags, wanted }: Gathering, asked: Set<string>): boolean {
  const before = tags.size;
  for (const { destination, digest } of namings(events)) {
    if (!asked.has(destination) || tags.has(destination)) continue;
    if (digest === undefined) {
      asked.delete(destination);
      continue;
    }
    tags.set(destination, digest);
    if (digest !== null) wanted.add(digest);
  }
  return tags.size > before;
}

/** Whether anything came of it. */
function take(
  events: readonly Event[],
  { sizes, wanted }: Gathering,
  into: readonly Map<string, ImageEvidence>[],
): boolean {
  let more = false;
  for (const event of events.toReversed()) {
    if (event.type === 'entry.done') {
      for (const { digest, size } of event.rows)
        if (digest !== null && size !== null && !sizes.has(digest)) sizes.set(digest, size);
    }
    if (event.type !== 'image' || !wanted.has(event.image.digest)) continue;
    for (const map of into) {
      const newer = map.get(event.image.digest);
      const evidence = newer === undefined ? event.image : completed(newer, event.image);
      more ||= weightOf(evidence) > weightOf(newer);
      map.set(event.image.digest, evidence);
    }
  }
  return more;
}

/** How much of what there can be is known. */
function weightOf(evidence: ImageEvidence | undefined): number {
  if (evidence === undefined) return 0;
  const { scan, packages, attachments } = evidence;
  return 1 + [scan !== undefined, packages.length > 0, attachments.length > 0].filter(Boolean).length;
}

function completed(newer: ImageEvidence, older: ImageEvidence): ImageEvidence {
  return {
    ...older,
    ...newer,
    packages: newer.packages.length > 0 ? newer.packages : older.packages,
    attachments: newer.attachments.length > 0 ? newer.attachments : older.attachments,
  };
}
