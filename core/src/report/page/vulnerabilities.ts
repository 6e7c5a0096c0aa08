/** Each vulnerability of a run once, with where it is, where it came up, and where it is gone from. Pure. */
import type { Finding } from '../../trust/model.ts';
import type { ReportImage } from './image.ts';

export interface ReportVulnerability {
  readonly id: string;
  readonly severity: Finding['severity'];
  readonly title?: string;
  readonly packages: readonly string[];
  readonly fixed: boolean;
  /** Whose tag names an image that has it. */
  readonly destinations: readonly string[];
  /** For which an image was made that has it, and was kept from the tag. */
  readonly unpublished: readonly string[];
  /** Destinations whose image, or scan, before did not have it. */
  readonly new: readonly string[];
  /** Destinations whose image, or scan, before had it. */
  readonly gone: readonly string[];
  /** Of all tags together: no image is known to have had it before, or none has it any more. */
  readonly overall?: 'new' | 'gone';
}

export const SEVERITIES = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN'] as const;

interface Gathered {
  readonly severities: Set<string>;
  readonly packages: Set<string>;
  readonly at: Set<string>;
  readonly unpublished: Set<string>;
  readonly fresh: Set<string>;
  readonly gone: Set<string>;
  /** Some image had it before, or may have had: nobody knows what was in that. */
  old: boolean;
  title?: string;
  fixed: boolean;
}

/** The most severe first, then the most widespread. */
export function vulnerabilitiesOf(images: readonly ReportImage[]): readonly ReportVulnerability[] {
  const all = new Map<string, Gathered>();
  const gather = (finding: Pick<Finding, 'id' | 'severity' | 'package' | 'title' | 'fixed'>): Gathered => {
    const { id, severity, package: name, title, fixed } = finding;
    const one = all.get(id) ?? {
      severities: new Set(),
      packages: new Set(),
      at: new Set(),
      unpublished: new Set(),
      fresh: new Set(),
      gone: new Set(),
      old: false,
      fixed: false,
    };
    one.severities.add(severity);
    one.packages.add(name);
    if (title !== undefined) one.title ??= title;
    if (fixed !== undefined) one.fixed = true;
    all.set(id, one);
    return one;
  };
  for (const { destination, outcome, before, findings, news, made } of images) {
    const fresh = new Set(news?.new ?? []);
    const first = outcome === 'published' && before === null;
    for (const finding of findings) {
      const one = gather(finding);
      one.at.add(destination);
      if (fresh.has(finding.id)) one.fresh.add(destination);
      else if (!first) one.old = true;
    }
    for (const finding of made?.findings ?? []) gather(finding).unpublished.add(destination);
    for (const finding of news?.gone ?? []) {
      const one = gather(finding);
      one.gone.add(destination);
      one.old = true;
    }
  }
  // Of a first run all is as new as the images: that says nothing of what came up.
  const compared = images.some(({ news }) => news !== undefined);
  return [...all]
    .map(([id, { severities, packages, at, unpublished, fresh, gone, old, title, fixed }]) => ({
      id,
      severity: SEVERITIES.find((severity) => severities.has(severity)) ?? 'UNKNOWN',
      ...(title === undefined ? {} : { title }),
      packages: [...packages].toSorted(),
      fixed,
      destinations: [...at],
      unpublished: [...unpublished],
      new: [...fresh],
      gone: [...gone],
      ...(compared ? overallOf(at.size, gone.size, old) : {}),
    }))
    .toSorted(
      (a, b) =>
        SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
        b.destinations.length - a.destinations.length ||
        (a.id < b.id ? -1 : 1),
    );
}

function overallOf(now: number, gone: number, old: boolean): Pick<ReportVulnerability, 'overall'> {
  if (now > 0) return old ? {} : { overall: 'new' };
  return gone > 0 ? { overall: 'gone' } : {};
}
