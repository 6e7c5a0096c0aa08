/**
 * The vulnerability scan as cosign's `vuln` predicate, with our {@link Scan} as its result.
 * https://github.com/sigstore/cosign/blob/main/specs/COSIGN_VULN_ATTESTATION_SPEC.md
 */
import { severities } from '../../config/settings-model.ts';
import type { Finding, PlatformScan, Scan } from '../model.ts';
import { asCount, asDigest, asList, asRecord, asText, asTime, asTrue, oneOf, optional } from '../strict.ts';

const MAX_PLATFORMS = 256;
/** For one platform; the worst images that exist have some thousands. */
const MAX_FINDINGS = 50_000;
/** Titles are for people; some databases put whole advisories there. */
const MAX_TITLE = 300;

const asSeverity = oneOf(...severities);

/** Cosign reads every one of these keys, also those that have nothing to say here. */
export function scanPredicate(scan: Scan): Readonly<Record<string, unknown>> {
  return {
    invocation: { parameters: [], uri: '', event_id: '', 'builder.id': '' },
    scanner: {
      uri: scan.scanner.uri,
      version: scan.scanner.version,
      db: { uri: '', version: scan.database ?? '' },
      result: { ...scan, platforms: scan.platforms.map(clipTitles) },
    },
    metadata: { scanStartedOn: scan.startedAt, scanFinishedOn: scan.finishedAt },
  };
}

function clipTitles(platform: PlatformScan): PlatformScan {
  const findings = platform.findings.map((finding) => {
    return finding.title === undefined ? finding : { ...finding, title: finding.title.slice(0, MAX_TITLE) };
  });
  return { ...platform, findings };
}

export function readScan(predicate: unknown): Scan | undefined {
  const value = asRecord(asRecord(asRecord(predicate)?.['scanner'])?.['result']);
  if (value === undefined) return undefined;
  const scanner = readScanner(value['scanner']);
  const database = optional(value, 'database', asTime);
  const startedAt = asTime(value['startedAt']);
  const finishedAt = asTime(value['finishedAt']);
  const platforms = asList(value['platforms'], MAX_PLATFORMS, readPlatform);
  if (scanner === undefined || database === undefined || platforms === undefined) return undefined;
  if (startedAt === undefined || finishedAt === undefined) return undefined;
  return { scanner, ...database, startedAt, finishedAt, platforms };
}

function readScanner(value: unknown): Scan['scanner'] | undefined {
  const record = asRecord(value);
  const name = asText(record?.['name']);
  const version = asText(record?.['version']);
  const uri = asText(record?.['uri']);
  return name === undefined || version === undefined || uri === undefined ? undefined : { name, version, uri };
}

function readPlatform(value: unknown): PlatformScan | undefined {
  const record = asRecord(value);
  if (record === undefined) return undefined;
  const digest = asDigest(record['digest']);
  const platform = asText(record['platform']);
  const status = oneOf('scanned', 'unscanned')(record['status']);
  const why = optional(record, 'why', asText);
  const os = optional(record, 'os', asText);
  const endOfLife = optional(record, 'endOfLife', asTrue);
  const packages = asCount(record['packages']);
  const findings = asList(record['findings'], MAX_FINDINGS, readFinding);
  if (digest === undefined || platform === undefined || status === undefined || why === undefined) return undefined;
  if (os === undefined || endOfLife === undefined || packages === undefined || findings === undefined) return undefined;
  return { digest, platform, status, ...why, ...os, ...endOfLife, packages, findings };
}

function readFinding(value: unknown): Finding | undefined {
  const record = asRecord(value);
  if (record === undefined) return undefined;
  const id = asText(record['id']);
  const severity = asSeverity(record['severity']);
  const name = asText(record['package']);
  const installed = asText(record['installed']);
  const platforms = asList(record['platforms'], MAX_PLATFORMS, asText);
  if (id === undefined || severity === undefined || name === undefined || installed === undefined) return undefined;
  const [purl, fixed] = [optional(record, 'purl', asText), optional(record, 'fixed', asText)];
  const [title, layer] = [optional(record, 'title', asText), optional(record, 'layer', asText)];
  if (platforms === undefined || purl === undefined || fixed === undefined) return undefined;
  if (title === undefined || layer === undefined) return undefined;
  return { id, severity, ...purl, package: name, installed, ...fixed, ...title, platforms, ...layer };
}
