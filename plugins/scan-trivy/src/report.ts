/**
 * Trivy's JSON, as far as it is read, made into the published shapes.
 * https://github.com/aquasecurity/trivy/blob/v0.74.0/pkg/types/report.go
 */
import { formatPlatform, type Child, type Finding, type PlatformScan, type Severity } from '@slipway/core';

const SEVERITIES: ReadonlySet<string> = new Set(['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN'] satisfies Severity[]);
/** Titles come from databases of others. */
const MAX_TITLE = 300;

/** What was found on one child. Whatever does not show plainly that packages of this very image were read is `unscanned`. */
export function platformScan(report: unknown, child: Child): PlatformScan {
  const platform = formatPlatform(child.platform);
  const metadata = record(record(report)['Metadata']);
  if (
    !list(metadata['RepoDigests']).some((digest) => typeof digest === 'string' && digest.endsWith(`@${child.digest}`))
  ) {
    return unscanned(child, 'trivy reported on another image than it was asked about');
  }
  const os = record(metadata['OS']);
  const family = text(os['Family']);
  const known =
    family === undefined || family === 'none'
      ? undefined
      : [family, text(os['Name'])].filter((part) => part !== undefined).join(' ');
  const system = known === undefined ? {} : { os: known, ...(os['EOSL'] === true ? { endOfLife: true as const } : {}) };
  let packages = 0;
  const findings = new Map<string, Finding>();
  for (const result of list(record(report)['Results'])) {
    packages += list(record(result)['Packages']).length;
    for (const item of list(record(result)['Vulnerabilities'])) {
      const finding = findingOf(record(item), platform);
      if (finding !== undefined) findings.set(keyOf(finding), finding);
    }
  }
  if (packages === 0) {
    const why =
      known === undefined ? 'no operating system and no packages were found' : `no packages were found (${known})`;
    return { ...unscanned(child, why), ...system };
  }
  const sorted = [...findings.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, finding]) => finding);
  return {
    digest: child.digest,
    platform,
    status: 'scanned',
    ...system,
    packages,
    findings: sorted,
  };
}

export function unscanned(child: Child, why: string): PlatformScan {
  return {
    digest: child.digest,
    platform: formatPlatform(child.platform),
    status: 'unscanned',
    why,
    packages: 0,
    findings: [],
  };
}

/** When the image says it was made; see `stableSpdx`. */
export function createdOf(report: unknown): string | undefined {
  return text(record(record(record(report)['Metadata'])['ImageConfig'])['created']);
}

/** When Trivy wrote it, by the clock of its own process; milliseconds since the epoch. */
export function writtenAt(report: unknown): number | undefined {
  const at = Date.parse(text(record(report)['CreatedAt']) ?? '');
  return Number.isNaN(at) ? undefined : at;
}

function findingOf(item: Readonly<Record<string, unknown>>, platform: string): Finding | undefined {
  const id = text(item['VulnerabilityID']);
  const name = text(item['PkgName']);
  if (id === undefined || name === undefined) return undefined;
  const purl = text(record(item['PkgIdentifier'])['PURL']);
  const fixed = text(item['FixedVersion']);
  const title = text(item['Title'])?.slice(0, MAX_TITLE);
  const layer = text(record(item['Layer'])['Digest']);
  return {
    id,
    severity: severityOf(item['Severity']),
    ...(purl === undefined ? {} : { purl }),
    package: name,
    installed: text(item['InstalledVersion']) ?? '',
    ...(fixed === undefined ? {} : { fixed }),
    ...(title === undefined ? {} : { title }),
    platforms: [platform],
    ...(layer === undefined ? {} : { layer }),
  };
}

/** The same vulnerability of the same package in two places is one finding. */
function keyOf(finding: Finding): string {
  return [finding.id, finding.package, finding.installed, finding.purl ?? ''].join('\n');
}

function severityOf(value: unknown): Severity {
  return typeof value === 'string' && SEVERITIES.has(value) ? (value as Severity) : 'UNKNOWN';
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
