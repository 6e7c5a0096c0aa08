/** What journals know of the images of a run: of this run and, where that is not all, of earlier ones. Pure. */
import type { Event, ImageEvidence, Row } from '../../journal/events.ts';
import type { PastRun } from '../../journal/recent.ts';

export interface Evidence {
  /** By digest: the newest of everything; scans and packages may stem from different runs. */
  readonly known: ReadonlyMap<string, ImageEvidence>;
  /** By digest: what was known when this run began. */
  readonly earlier: ReadonlyMap<string, ImageEvidence>;
  /** Bytes by digest. */
  readonly sizes: ReadonlyMap<string, number>;
}

/** Older runs are read only until nothing is missing. */
export function gatherEvidence(events: readonly Event[], past: Iterable<PastRun>, rows: readonly Row[]): Evidence {
  const wanted = new Set(rows.flatMap(({ digest, before }) => [digest, before]).filter((digest) => digest !== null));
  const known = new Map<string, ImageEvidence>();
  const earlier = new Map<string, ImageEvidence>();
  const sizes = new Map<string, number>();
  take(events, wanted, [known], sizes);
  const missing = rows.filter(hasBeenPublic);
  const complete = ({ digest, before }: Row): boolean =>
    isComplete(known.get(digest ?? '')) && (before === null || isComplete(earlier.get(before)));
  for (const { events: older } of past) {
    take(older, wanted, [known, earlier], sizes);
    if (missing.every(complete)) break;
  }
  return { known, earlier, sizes };
}

/** Of others, older runs need not know anything, and nobody would stop looking. */
function hasBeenPublic({ outcome }: Row): boolean {
  return outcome === 'published' || outcome === 'unchanged';
}

function take(
  events: readonly Event[],
  wanted: ReadonlySet<string>,
  into: readonly Map<string, ImageEvidence>[],
  sizes: Map<string, number>,
): void {
  for (const event of events.toReversed()) {
    if (event.type === 'entry.done') {
      for (const { digest, size } of event.rows)
        if (digest !== null && size !== null && !sizes.has(digest)) sizes.set(digest, size);
    }
    if (event.type !== 'image' || !wanted.has(event.image.digest)) continue;
    for (const map of into) {
      const newer = map.get(event.image.digest);
      map.set(event.image.digest, newer === undefined ? event.image : completed(newer, event.image));
    }
  }
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
