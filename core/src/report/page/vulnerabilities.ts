/** Each vulnerability of a run once, with where it is, where it came up, and where it is gone from. Pure. */
import type { Finding } from '../../trust/model.ts';
import type { ReportImage } from './data.ts';

export interface ReportVulnerability {
  readonly id: string;
  readonly severity: Finding['severity'];
  readonly title?: string;
  readonly packages: readonly string[];
  readonly fixed: boolean;
  readonly destinations: readonly string[];
  /** Destinations whose image, or scan, before did not have it. */
  readonly new: readonly string[];
  /** Destinations whose image, or scan, before had it. */
  readonly gone: readonly string[];
}

export const SEVERITIES = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN'] as const;

interface Gathered {
  readonly severities: Set<string>;
  readonly packages: Set<string>;
  readonly at: Set<string>;
  readonly fresh: Set<string>;
  readonly gone: Set<string>;
  title?: string;
  fixed: boolean;
}

/** The most severe first, then the most widespread. */
export function vulnerabilitiesOf(images: readonly ReportImage[]): readonly ReportVulnerability[] {
  const all = new Map<string, Gathered>();
  const gather = ({ id, severity, package: name }: Pick<Finding, 'id' | 'severity' | 'package'>): Gathered => {
    const known = all.get(id) ?? {
      severities: new Set(),
      packages: new Set(),
      at: new Set(),
      fresh: new Set(),
      gone: new Set(),
      fixed: false,
    };
    known.severities.add(severity);
    known.packages.add(name);
    all.set(id, known);
    return known;
  };
  for (const { destination, findings, news } of images) {
    for (const finding of findings) {
      const one = gather(finding);
      one.at.add(destination);
      if (finding.title !== undefined) one.title ??= finding.title;
      if (finding.fixed !== undefined) one.fixed = true;
    }
    for (const id of news?.new ?? []) all.get(id)?.fresh.add(destination);
    for (const finding of news?.gone ?? []) gather(finding).gone.add(destination);
  }
  return [...all]
    .map(([id, { severities, packages, at, fresh, gone, title, fixed }]) => ({
      id,
      severity: SEVERITIES.find((severity) => severities.has(severity)) ?? 'UNKNOWN',
      ...(title === undefined ? {} : { title }),
      packages: [...packages].toSorted(),
      fixed,
      destinations: [...at],
      new: [...fresh],
      gone: [...gone],
    }))
    .toSorted(
      (a, b) =>
        SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
        b.destinations.length - a.destinations.length ||
        (a.id < b.id ? -1 : 1),
    );
}
