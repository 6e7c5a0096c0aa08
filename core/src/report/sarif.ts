/**
 * What scans found, as SARIF 2.1.0 for code hosts: a log for each image and platform, each with a category of its own, so that
 * the next upload of the same image replaces this one and no other. GitHub's limits are kept (1 run a file here, of 20; 5,000
 * results, which is what it keeps of 25,000; 10 MB compressed):
 * https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support
 */
import { createHash } from 'node:crypto';
import { isAbsolute, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Severity } from '../config/model.ts';
import type { Position } from '../failure.ts';
import type { Finding, PlatformScan, Scan } from '../trust/model.ts';
import { clean } from './wording.ts';

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

const LIMITS = { results: 5_000, compressed: 10_000_000 } as const;
/** Titles come from a database that anybody may write to. */
const MAX_TEXT = 1_000;

/** Worst first, with the level and the number (of a CVSS score) by which GitHub sorts and blocks. */
const SEVERITIES: readonly (readonly [Severity, 'error' | 'warning' | 'note', string])[] = [
  ['CRITICAL', 'error', '9.5'],
  ['HIGH', 'error', '8.0'],
  ['MEDIUM', 'warning', '5.5'],
  ['LOW', 'note', '2.0'],
  ['UNKNOWN', 'note', '0.0'],
];

export interface ScannedImage {
  /** Repository:tag. */
  readonly destination: string;
  readonly digest: string;
  readonly scan: Scan;
  /** Its line in the config: an alert has to stand on a line of the checkout. */
  readonly at: Position;
}

export interface SarifFile {
  /** Safe as a file's name, and the same for the same image and platform. */
  readonly name: string;
  readonly text: string;
  /** Findings that did not fit; the least severe. */
  readonly left: number;
}

/** One file a platform that was read. `workspace`: what paths are relative to, the root of the checkout. */
export function scanSarif(
  image: ScannedImage,
  workspace: string,
  limits: Readonly<Record<keyof typeof LIMITS, number>> = LIMITS,
): readonly SarifFile[] {
  return image.scan.platforms
    .filter(({ status }) => status === 'scanned')
    .map((platform) => fileOf(image, platform, workspace, limits));
}

function fileOf(
  image: ScannedImage,
  platform: PlatformScan,
  workspace: string,
  limits: Readonly<Record<keyof typeof LIMITS, number>>,
): SarifFile {
  const worstFirst = platform.findings.toSorted((a, b) => rankOf(a) - rankOf(b) || compare(keyOf(a), keyOf(b)));
  for (let count = Math.min(limits.results, worstFirst.length); ; count = Math.floor(count / 2)) {
    const text = `${JSON.stringify(logOf(image, platform, worstFirst.slice(0, count), workspace))}\n`;
    if (count === 0 || gzipSync(text).length <= limits.compressed)
      return { name: nameOf(image.destination, platform.platform), text, left: worstFirst.length - count };
  }
}

function logOf(
  { destination, digest, scan, at }: ScannedImage,
  { platform }: PlatformScan,
  findings: readonly Finding[],
  workspace: string,
): unknown {
  const rules = [...new Map(findings.map((finding) => [finding.id, finding])).values()];
  const indexes = new Map(rules.map(({ id }, index) => [id, index]));
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: scan.scanner.name,
            version: scan.scanner.version,
            rules: rules.map(ruleOf),
          },
        },
        // GitHub takes what stands before the last "/" for the category.
        automationDetails: { id: `slipway-scan/${clean(destination)}/${clean(platform)}/` },
        columnKind: 'utf16CodeUnits',
        properties: { destination: clean(destination), digest, platform: clean(platform) },
        results: findings.map((finding) => ({
          ruleId: shorten(finding.id),
          ruleIndex: indexes.get(finding.id) ?? 0,
          level: levelOf(finding),
          message: { text: messageOf(finding, destination, platform) },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: uriOf(at.file, workspace), uriBaseId: '%SRCROOT%' },
                region: { startLine: at.line, startColumn: at.column },
              },
            },
          ],
          // The line of the config may move, and the package's version too: it stays the same finding.
          partialFingerprints: { primaryLocationLineHash: fingerprint(finding, destination, platform) },
        })),
      },
    ],
  };
}

function ruleOf(finding: Finding): unknown {
  const title = shorten(finding.title === undefined || finding.title === '' ? finding.id : finding.title);
  return {
    id: shorten(finding.id),
    shortDescription: { text: title },
    fullDescription: { text: title },
    help: { text: `${shorten(finding.id)}: ${title}` },
    defaultConfiguration: { level: levelOf(finding) },
    properties: { 'security-severity': scoreOf(finding), tags: ['security', 'vulnerability', finding.severity] },
  };
}

function messageOf({ id, severity, package: name, installed, fixed }: Finding, destination: string, platform: string) {
  const mended = fixed === undefined || fixed === '' ? 'no fixed version is known' : `fixed in ${fixed}`;
  return shorten(`${id} (${severity}) in ${name} ${installed}, ${mended}; ${destination} for ${platform}`);
}

function fingerprint({ id, package: name }: Finding, destination: string, platform: string): string {
  return createHash('sha256').update([id, name, destination, platform].join('\n')).digest('hex');
}

function keyOf({ id, package: name, installed }: Finding): string {
  return `${id}\n${name}\n${installed}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function rankOf({ severity }: Finding): number {
  return SEVERITIES.findIndex(([name]) => name === severity);
}

function levelOf(finding: Finding): 'error' | 'warning' | 'note' {
  return SEVERITIES[rankOf(finding)]?.[1] ?? 'note';
}

function scoreOf(finding: Finding): string {
  return SEVERITIES[rankOf(finding)]?.[2] ?? '0.0';
}

function shorten(text: string): string {
  const line = clean(text);
  return line.length <= MAX_TEXT ? line : `${line.slice(0, MAX_TEXT - 1)}…`;
}

/** Relative, with `/` between parts, and each part encoded; of a file elsewhere, its name alone. */
function uriOf(file: string, workspace: string): string {
  const path = isAbsolute(file) ? relative(workspace, file) : file;
  const parts = path.split(sep);
  return (parts[0] === '..' || isAbsolute(path) ? parts.slice(-1) : parts).map(encodeURIComponent).join('/');
}

/** Names of images hold `/` and `:`, and two that differ in such signs only must not share a file. */
function nameOf(destination: string, platform: string): string {
  const readable = `${destination}-${platform}`.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replace(/^[.-]+/, '');
  const hash = createHash('sha256').update(`${destination}\n${platform}`).digest('hex').slice(0, 12);
  return `${readable.slice(0, 120)}-${hash}.sarif`;
}
