/** One scan of several platforms as the short form that an index carries, and in which the gate counts. */
import { severities } from '../config/settings-model.ts';
import type { Digest } from '../reference.ts';
import type { Finding, PlatformScan, Scan } from './model.ts';

/**
 * Every finding once, however many platforms have it: {@link Finding.platforms} names them, and it stands under the
 * first of them. Nothing that the gate looks at is lost, so that it can be run again on the summary. The same scan in
 * another order gives the same summary, and a summary is its own summary.
 */
export function summariseScan(scan: Scan): Scan {
  const platforms = [...scan.platforms].sort((a, b) => compare(a.platform, b.platform) || compare(a.digest, b.digest));
  const homes = new Map<string, PlatformScan>();
  for (const platform of platforms) if (!homes.has(platform.platform)) homes.set(platform.platform, platform);
  const found = new Map<PlatformScan, Finding[]>();
  for (const finding of mergeFindings(platforms)) {
    const home = homes.get(finding.platforms[0] ?? '') ?? platforms[0];
    if (home === undefined) continue;
    const known = found.get(home);
    if (known === undefined) found.set(home, [finding]);
    else known.push(finding);
  }
  return { ...scan, platforms: platforms.map((platform) => ({ ...platform, findings: found.get(platform) ?? [] })) };
}

/**
 * The part of a scan that is about one platform image: what is attested on that image. Of a summary it takes what stands
 * under other platforms too, so that an image never looks cleaner than it was found to be.
 */
export function scanOf(scan: Scan, child: Digest): Scan {
  const platforms = scan.platforms
    .filter((platform) => platform.digest === child)
    .map((platform) => ({ ...platform, findings: findingsOn(platform, scan) }));
  return { ...scan, platforms };
}

function findingsOn({ platform, findings }: PlatformScan, scan: Scan): readonly Finding[] {
  const own = new Map(findings.map((finding) => [sameness(finding), finding] as const));
  for (const finding of scan.platforms.flatMap((other) => other.findings)) {
    const key = sameness(finding);
    if (finding.platforms.includes(platform) && !own.has(key)) own.set(key, finding);
  }
  return [...own.values()].map((finding) => ({ ...finding, platforms: [platform] })).sort(byWeight);
}

/** Unique findings, the most severe first. Two are the same when id, severity, package and both versions are. */
export function mergeFindings(platforms: readonly PlatformScan[]): readonly Finding[] {
  const groups = new Map<string, [Finding, ...Finding[]]>();
  for (const platform of platforms) {
    for (const finding of platform.findings) {
      const key = sameness(finding);
      const named = finding.platforms.length > 0 ? finding : { ...finding, platforms: [platform.platform] };
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [named]);
      else group.push(named);
    }
  }
  return [...groups.values()].map(merge).sort(byWeight);
}

function sameness({ id, severity, package: name, installed, fixed }: Finding): string {
  return JSON.stringify([id, severity, name, installed, fixed ?? null]);
}

/** Package URLs and layers differ by architecture: what all agree on stays. */
function merge(group: readonly [Finding, ...Finding[]]): Finding {
  const [{ id, severity, package: name, installed, fixed }] = group;
  const purl = agreed(group.map((one) => one.purl)) ?? agreed(group.map((one) => one.purl?.replace(/[?#].*$/, '')));
  const layer = agreed(group.map((one) => one.layer));
  const title = group.flatMap((one) => one.title ?? []).sort(compare)[0];
  return {
    id,
    severity,
    ...(purl === undefined ? {} : { purl }),
    package: name,
    installed,
    ...(fixed === undefined ? {} : { fixed }),
    ...(title === undefined ? {} : { title }),
    platforms: [...new Set(group.flatMap((one) => one.platforms))].sort(compare),
    ...(layer === undefined ? {} : { layer }),
  };
}

function agreed(values: readonly (string | undefined)[]): string | undefined {
  return values.every((value) => value === values[0]) ? values[0] : undefined;
}

function byWeight(a: Finding, b: Finding): number {
  return (
    severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
    compare(a.id, b.id) ||
    compare(a.package, b.package) ||
    compare(a.installed, b.installed) ||
    compare(a.fixed ?? '', b.fixed ?? '')
  );
}

/** By UTF-16 unit: the same on every machine, whatever its locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
