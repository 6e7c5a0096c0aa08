/** One tag in a report: what the run made, and what the tag names now, which is not the same where it was not moved. Pure. */
import type { Change, ImageEvidence, Row } from '../../journal/events.ts';
import { isPublic } from '../../journal/named.ts';
import { tallyOf } from '../../policy/tally.ts';
import { predicateType, type Finding } from '../../trust/model.ts';
import { mergeFindings } from '../../trust/summary.ts';
import type { Command } from './commands.ts';
import { compareFindings, comparePackages, type FindingNews, type PackageChange } from './compare.ts';
import type { Evidence } from './evidence.ts';
import type { ReportOutcome, UnfinishedRow } from './unfinished.ts';

export type ReportRow = Row | UnfinishedRow;

/** What is known of one image. */
export interface LookedInto {
  /** `null` when no scan of it is known. */
  readonly counts: Row['findings'];
  readonly unscanned?: readonly string[];
  readonly endOfLife?: readonly string[];
  /** The most severe first. */
  readonly findings: readonly Finding[];
  readonly scanned?: string;
  readonly database?: string;
  readonly size: number | null;
  readonly packages: number | null;
  readonly sbom: ImageEvidence['packages'];
}

/** Made, and kept from the tag: nobody who uses the tag has it. */
export interface Unpublished extends LookedInto {
  readonly digest: string;
  /** Against what the tag names. */
  readonly news?: FindingNews;
}

/** `digest` is what the run made, or found; what is looked into is what the tag names at its end. */
export interface ReportImage
  extends Omit<Row, 'outcome' | 'findings' | 'unscanned' | 'endOfLife' | 'size' | 'packages' | 'signed'>, LookedInto {
  readonly outcome: ReportOutcome;
  /** What the tag names now; `null` when it names nothing, or no journal says what. */
  readonly tag: string | null;
  /** Absent where the tag names what the run made, and where it made nothing. */
  readonly made?: Unpublished;
  /** `null`: no journal has what is attached to it. */
  readonly signed: boolean | null;
  /** Milliseconds from the run's beginning to the end of its entry; of one without an end, to that of the journal. */
  readonly ended: number;
  /** Of the image that the tag named before; absent when no journal has it. */
  readonly sizeBefore?: number;
  readonly changes: readonly Change[];
  /** Against the image before, or the scan before of the same image; absent when that is in no journal. */
  readonly news?: FindingNews;
  /** Package → version before and now; absent when one of the two lists is in no journal. */
  readonly packageNews?: readonly PackageChange[];
  readonly attachments: ImageEvidence['attachments'];
  readonly commands: readonly Command[];
  /** The last lines that its failed task wrote. */
  readonly log?: readonly string[];
  /** How many it wrote, where those are not all. */
  readonly logLines?: number;
}

/** Of the tag, by what the run did and what journals know. */
export function imageOf(
  row: ReportRow,
  evidence: Evidence,
): Omit<ReportImage, 'ended' | 'changes' | 'commands' | 'log' | 'logLines'> {
  const { id, destination, digest, outcome, before, why, backup, waived, seconds, failure } = row;
  const { known, earlier, sizes, tags, open } = evidence;
  const tag = tags.get(destination) ?? null;
  const now = known.get(tag ?? '');
  const moved = outcome === 'published' && before !== digest;
  // Of an image that stayed, a scan may be newer than the one before.
  const last = moved ? known.get(before ?? '') : earlier.get(tag ?? '');
  const news = compareFindings(last, now);
  const packageNews = moved ? comparePackages(last, now) : undefined;
  const sizeBefore = moved ? sizes.get(before ?? '') : undefined;
  return {
    id,
    destination,
    digest,
    outcome,
    before,
    why,
    ...(backup === undefined ? {} : { backup }),
    ...(waived === undefined ? {} : { waived }),
    seconds,
    tag,
    ...lookedInto(tag, row, evidence),
    signed: isPublic(row) ? row.signed : isSigned(now),
    // What a tag may have been moved to is not known to be kept from it.
    ...(digest === null || digest === tag || outcome === 'unfinished' || open.has(destination)
      ? {}
      : { made: unpublished(digest, row, now, evidence) }),
    ...(sizeBefore === undefined ? {} : { sizeBefore }),
    ...(news === undefined ? {} : { news }),
    ...(packageNews === undefined ? {} : { packageNews }),
    attachments: now?.attachments ?? [],
    ...(failure === undefined ? {} : { failure }),
  };
}

function unpublished(
  digest: string,
  row: ReportRow,
  tagged: ImageEvidence | undefined,
  evidence: Evidence,
): Unpublished {
  const news = compareFindings(tagged, evidence.known.get(digest));
  return { digest, ...lookedInto(digest, row, evidence), ...(news === undefined ? {} : { news }) };
}

/** The row's own counts are of what it published; of anything else they are made from its scan, where a journal has one. */
function lookedInto(digest: string | null, row: ReportRow, { known, sizes }: Evidence): LookedInto {
  const evidence = known.get(digest ?? '');
  const scan = evidence?.scan;
  const own = isPublic(row) && digest === row.digest ? row : tallyOf(scan);
  const { findings: counts, unscanned = [], endOfLife = [], packages } = own;
  return {
    counts,
    ...(unscanned.length === 0 ? {} : { unscanned }),
    ...(endOfLife.length === 0 ? {} : { endOfLife }),
    findings: mergeFindings(scan?.platforms ?? []),
    ...(scan === undefined ? {} : { scanned: scan.finishedAt }),
    ...(scan?.database === undefined ? {} : { database: scan.database }),
    size: (digest === row.digest ? row.size : null) ?? sizes.get(digest ?? '') ?? null,
    packages,
    sbom: evidence?.packages ?? [],
  };
}

/** What the tag names is what the run made, or what it named before: nobody saw which. */
export function mayHaveMoved({ tag, digest, made }: Pick<ReportImage, 'tag' | 'digest' | 'made'>): boolean {
  return tag === null && digest !== null && made === undefined;
}

function isSigned(evidence: ImageEvidence | undefined): boolean | null {
  if (evidence === undefined || evidence.attachments.length === 0) return null;
  return evidence.attachments.some((one) => one.predicateType === predicateType.signature);
}
