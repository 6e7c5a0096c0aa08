/** Which images have a vulnerability: what each tag named last, joined with the newest scan of that image. Pure. */
import { severities } from '../config/settings-model.ts';
import { namings, type Naming } from '../journal/named.ts';
import type { PastRun } from '../journal/recent.ts';
import type { Finding, Scan } from '../trust/model.ts';

export interface Affected {
  readonly id: string;
  readonly destination: string;
  readonly digest: string;
  /** RFC 3339. */
  readonly scannedAt: string;
  /** One for each package of each platform that has it, the most severe first. */
  readonly findings: readonly (Finding & { readonly platform: string })[];
}

export interface Search {
  /** The most severe first. */
  readonly affected: readonly Affected[];
  /** Destinations whose image has a scan in some journal. */
  readonly looked: number;
  /** Destinations of which no journal has a scan, and platforms that no scanner could read: they may have it too. */
  readonly unknown: readonly string[];
  /** The oldest run that was read; what only older ones name is not told. */
  readonly since?: string;
}

/** Journals in a row that name no other tag, and have no scan that is missing: older ones hardly do. */
const MAX_IDLE = 30;

/** Ids are compared without regard to case: `cve-2024-1` is `CVE-2024-1`. */
export function findAffected(runs: Iterable<PastRun>, vulnerability: string): Search {
  const wanted = vulnerability.toUpperCase();
  const { tags, scans, since } = gather(runs);
  const affected: Affected[] = [];
  const unknown: string[] = [];
  for (const { destination, id, digest } of tags.values()) {
    if (digest === null) continue;
    const scan = scans.get(digest ?? '');
    if (digest === undefined || scan === undefined) {
      unknown.push(destination);
      continue;
    }
    const findings = findingsOf(scan, wanted);
    if (findings.length > 0) affected.push({ id, destination, digest, scannedAt: scan.finishedAt, findings });
    for (const { platform, status } of scan.platforms)
      if (status === 'unscanned') unknown.push(`${destination} (${platform})`);
  }
  const looked = scannedOf(tags, scans);
  affected.sort((a, b) => worst(a) - worst(b) || (a.destination < b.destination ? -1 : 1));
  unknown.sort();
  return { affected, looked, unknown, ...(since === undefined ? {} : { since }) };
}

/** Attested for a whole image, a finding stands under the first of the platforms that have it. */
function findingsOf({ platforms }: Scan, wanted: string): Affected['findings'] {
  const all = platforms.flatMap(({ platform, findings }) =>
    findings
      .filter(({ id }) => id.toUpperCase() === wanted)
      .flatMap((finding) =>
        (finding.platforms.length > 0 ? finding.platforms : [platform]).map((each) => ({ ...finding, platform: each })),
      ),
  );
  return all.toSorted((a, b) => rank(a) - rank(b) || (a.platform < b.platform ? -1 : a.platform > b.platform ? 1 : 0));
}

function worst({ findings }: Affected): number {
  return Math.min(...findings.map(rank));
}

function rank({ severity }: Finding): number {
  return severities.indexOf(severity);
}

interface Gathered {
  /** By destination: what it named at the end of the newest run that says so. */
  readonly tags: ReadonlyMap<string, Naming>;
  /** By the image's digest. */
  readonly scans: ReadonlyMap<string, Scan>;
  readonly since?: string;
}

function scannedOf(tags: Gathered['tags'], scans: Gathered['scans']): number {
  return [...tags.values()].filter(({ digest }) => scans.has(digest ?? '')).length;
}

function gather(runs: Iterable<PastRun>): Gathered {
  const tags = new Map<string, Naming>();
  const scans = new Map<string, Scan>();
  let since: string | undefined;
  let idle = 0;
  for (const { run, events } of runs) {
    since = run;
    const before = tags.size + scannedOf(tags, scans);
    for (const event of events.toReversed()) {
      if (event.type === 'image' && event.image.scan !== undefined && !scans.has(event.image.digest)) {
        scans.set(event.image.digest, event.image.scan);
      }
    }
    for (const naming of namings(events)) if (!tags.has(naming.destination)) tags.set(naming.destination, naming);
    idle = tags.size + scannedOf(tags, scans) > before ? 0 : idle + 1;
    if (idle >= MAX_IDLE) break;
  }
  return { tags, scans, ...(since === undefined ? {} : { since }) };
}
