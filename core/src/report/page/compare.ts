/** What is different from the image, or the scan, before. Pure. */
import type { ImageEvidence, ListedPackage } from '../../journal/events.ts';
import { tallyOf } from '../../policy/tally.ts';
import type { Finding } from '../../trust/model.ts';
import { mergeFindings } from '../../trust/summary.ts';

export interface FindingNews {
  /** Ids. */
  readonly new: readonly string[];
  /** Each id once; the most severe first. */
  readonly gone: readonly Pick<Finding, 'id' | 'severity' | 'package'>[];
}

export interface PackageChange {
  readonly name: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** Absent when one of the two has no scan in any journal: that is not the same as no difference. */
export function compareFindings(
  before: ImageEvidence | undefined,
  now: ImageEvidence | undefined,
): FindingNews | undefined {
  if (before?.scan === undefined || now?.scan === undefined) return undefined;
  const byId = ({ platforms }: NonNullable<ImageEvidence['scan']>): ReadonlyMap<string, Finding> =>
    new Map(
      mergeFindings(platforms)
        .toReversed()
        .map((finding) => [finding.id, finding]),
    );
  const [old, current] = [byId(before.scan), byId(now.scan)];
  // Where nobody looks any more, it may be there still.
  const unscanned = new Set(tallyOf(now.scan).unscanned);
  const unseen = new Set(
    mergeFindings(before.scan.platforms).flatMap(({ id, platforms }) =>
      platforms.some((platform) => unscanned.has(platform)) ? [id] : [],
    ),
  );
  return {
    new: [...current.keys()].filter((id) => !old.has(id)).toSorted(),
    gone: [...old.values()]
      .toReversed()
      .filter(({ id }) => !current.has(id) && !unseen.has(id))
      .map(({ id, severity, package: name }) => ({ id, severity, package: name })),
  };
}

/** By name, over all platforms; of what an image has in several versions, as node and go modules, all of them. */
export function comparePackages(
  before: ImageEvidence | undefined,
  now: ImageEvidence | undefined,
): readonly PackageChange[] | undefined {
  if (before === undefined || now === undefined) return undefined;
  if (before.packages.length === 0 || now.packages.length === 0) return undefined;
  const [old, current] = [versions(before), versions(now)];
  return [...new Set([...old.keys(), ...current.keys()])]
    .filter((name) => old.get(name) !== current.get(name))
    .toSorted()
    .map((name) => ({ name, from: old.get(name) ?? null, to: current.get(name) ?? null }));
}

function versions({ packages }: ImageEvidence): ReadonlyMap<string, string> {
  const all = Map.groupBy(
    packages.flatMap((platform) => platform.packages),
    ({ name }: ListedPackage) => name,
  );
  return new Map(
    [...all].map(([name, some]) => [name, [...new Set(some.map(({ version }) => version))].toSorted().join(', ')]),
  );
}
