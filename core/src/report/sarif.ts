/**
 * What scans found, as SARIF 2.1.0 for code hosts: a run for each image and platform, each with a category of its own, so that
 * the next upload of the same image replaces this one and no other. GitHub's limits are kept (20 runs a file; 5,000 results of
 * each, which is what it keeps of 25,000; 10 MB of a file, compressed):
 * https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support
 */
import { createHash } from 'node:crypto';
import { isAbsolute, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Severity, Waiver } from '../config/settings-model.ts';
import type { Position } from '../failure.ts';
import { endedSystems } from '../policy/ended.ts';
import { vulnerabilityKey } from '../policy/rules.ts';
import type { Finding, PlatformScan, Scan } from '../trust/model.ts';
import { clean, cut } from './wording.ts';

export const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

const LIMITS = { runs: 20, results: 5_000, compressed: 10_000_000 } as const;

type Limits = Readonly<Record<keyof typeof LIMITS, number>>;
/** Bytes around the runs of a file, compressed. */
const FRAME = 300;
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

const ENDED = 'is at its end of life: it gets no advisories any more, so that new vulnerabilities in it are not found';

/** Without a score: how bad it is, nobody publishes. */
const END_OF_LIFE = {
  id: 'slipway/end-of-life',
  shortDescription: { text: 'Operating system at its end of life' },
  fullDescription: { text: `The operating system of the image ${ENDED}.` },
  help: { text: 'Build on, or take, a release that still gets advisories.' },
  defaultConfiguration: { level: 'warning' },
  properties: { tags: ['security', 'end-of-life'] },
};

export interface ScannedImage {
  /** Repository:tag. */
  readonly destination: string;
  readonly digest: string;
  readonly scan: Scan;
  /** Waivers of the policy that hold for it now, whether its gate refuses anything or not. */
  readonly waivers: readonly Pick<Waiver, 'id' | 'reason' | 'expires'>[];
  /** Its line in the config: an alert has to stand on a line of the checkout. */
  readonly at: Position;
}

export interface SarifRun {
  /** Of the image and platform, the same in each upload. */
  readonly category: string;
  /** JSON. */
  readonly text: string;
  /** Bytes of `text`, compressed. */
  readonly compressed: number;
  /** Findings that did not fit; the least severe. */
  readonly left: number;
}

export interface SarifFile {
  readonly name: string;
  readonly text: string;
}

/** What `sarifFiles` calls its files: those of an earlier run in the same folder are about the same images. */
export const SARIF_NAME = /^slipway-scan-[0-9]+\.sarif$/;

/** One run a platform that was read. `workspace`: what paths are relative to, the root of the checkout. */
export function scanSarif(image: ScannedImage, workspace: string, limits: Limits = LIMITS): readonly SarifRun[] {
  return image.scan.platforms
    .filter(({ status }) => status === 'scanned')
    .map((platform) => runOf(image, platform, workspace, limits));
}

/** As few files as a code host takes: each is a request, of which it answers only so many. */
export function sarifFiles(runs: readonly SarifRun[], limits: Limits = LIMITS): readonly SarifFile[] {
  const files: { readonly runs: SarifRun[]; compressed: number }[] = [];
  for (const run of runs) {
    const last = files.at(-1);
    // Runs compress no worse together than apart.
    if (
      last !== undefined &&
      last.runs.length < limits.runs &&
      last.compressed + run.compressed <= limits.compressed - FRAME
    ) {
      last.runs.push(run);
      last.compressed += run.compressed;
    } else files.push({ runs: [run], compressed: run.compressed });
  }
  const digits = String(files.length).length;
  return files.map(({ runs: some }, index) => ({
    name: `slipway-scan-${String(index + 1).padStart(digits, '0')}.sarif`,
    text: `{"$schema":${JSON.stringify(SCHEMA)},"version":"2.1.0","runs":[${some.map(({ text }) => text).join(',')}]}\n`,
  }));
}

function runOf(image: ScannedImage, platform: PlatformScan, workspace: string, limits: Limits): SarifRun {
  const worstFirst = platform.findings.toSorted((a, b) => rankOf(a) - rankOf(b) || compare(keyOf(a), keyOf(b)));
  const room = limits.results - endedSystems([platform]).size;
  for (let count = Math.min(room, worstFirst.length); ; count = Math.floor(count / 2)) {
    const text = JSON.stringify(logOf(image, platform, worstFirst.slice(0, count), workspace));
    const compressed = gzipSync(text).length;
    if (count === 0 || compressed <= limits.compressed - FRAME)
      return { category: categoryOf(image, platform), text, compressed, left: worstFirst.length - count };
  }
}

function logOf(image: ScannedImage, scanned: PlatformScan, findings: readonly Finding[], workspace: string): unknown {
  const rules = [...new Map(findings.map((finding) => [finding.id, finding])).values()];
  const indexes = new Map(rules.map(({ id }, index) => [id, index]));
  const { destination, digest, scan, waivers, at } = image;
  const suppressions = findings.map((finding) => {
    const key = vulnerabilityKey(finding);
    return waivers.filter((waiver) => vulnerabilityKey(waiver) === key).map(suppressionOf);
  });
  // Where one result says whether it is suppressed, all do (§3.27.23 of the specification).
  const tells = suppressions.some((some) => some.length > 0);
  const { platform } = scanned;
  const resultOf = (ruleId: string, ruleIndex: number, level: string, text: string, hash: string) => ({
    ruleId: sarifText(ruleId),
    ruleIndex,
    level,
    message: { text },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(at.file, workspace), uriBaseId: '%SRCROOT%' },
          region: { startLine: at.line, startColumn: at.column },
        },
      },
    ],
    // The line of the config may move, and the package's version too: it stays the same finding.
    partialFingerprints: { primaryLocationLineHash: hash },
  });
  const ended = [...endedSystems([scanned]).keys()].map((system) => {
    const hash = fingerprint({ id: END_OF_LIFE.id, package: '' }, destination, platform);
    const text = sarifText(`${system} ${ENDED}; ${destination} for ${platform}`);
    return {
      ...resultOf(END_OF_LIFE.id, rules.length, 'warning', text, hash),
      ...(tells ? { suppressions: [] } : {}),
    };
  });
  return {
    tool: {
      driver: {
        name: scan.scanner.name,
        version: scan.scanner.version,
        rules: [...rules.map(ruleOf), ...ended.map(() => END_OF_LIFE)],
      },
    },
    // GitHub takes what stands before the last "/" for the category.
    automationDetails: { id: `${categoryOf(image, scanned)}/` },
    columnKind: 'utf16CodeUnits',
    properties: { destination: clean(destination), digest, platform: clean(platform) },
    results: [
      ...findings.map((finding, index) => ({
        ...resultOf(
          finding.id,
          indexes.get(finding.id) ?? 0,
          levelOf(finding),
          messageOf(finding, destination, platform),
          fingerprint(finding, destination, platform),
        ),
        ...(tells ? { suppressions: suppressions[index] ?? [] } : {}),
      })),
      ...ended,
    ],
  };
}

function categoryOf({ destination }: ScannedImage, { platform }: PlatformScan): string {
  return `slipway-scan/${clean(destination)}/${clean(platform)}`;
}

function suppressionOf({ reason, expires }: ScannedImage['waivers'][number]): unknown {
  return suppression(`${reason} (until ${expires})`);
}

/** What the settings accept, and why. */
export function suppression(justification: string): unknown {
  return { kind: 'external', status: 'accepted', justification: sarifText(justification) };
}

function ruleOf(finding: Finding): unknown {
  const title = sarifText(finding.title === undefined || finding.title === '' ? finding.id : finding.title);
  return {
    id: sarifText(finding.id),
    shortDescription: { text: title },
    fullDescription: { text: title },
    help: { text: `${sarifText(finding.id)}: ${title}` },
    defaultConfiguration: { level: levelOf(finding) },
    properties: { 'security-severity': scoreOf(finding), tags: ['security', 'vulnerability', finding.severity] },
  };
}

function messageOf({ id, severity, package: name, installed, fixed }: Finding, destination: string, platform: string) {
  const mended = fixed === undefined || fixed === '' ? 'no fixed version is known' : `fixed in ${fixed}`;
  return sarifText(`${id} (${severity}) in ${name} ${installed}, ${mended}; ${destination} for ${platform}`);
}

function fingerprint(
  { id, package: name }: Pick<Finding, 'id' | 'package'>,
  destination: string,
  platform: string,
): string {
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

/** `[text](address)` is a link in a message (§3.11.6 of the specification), and strangers write titles and what images say of themselves. */
export function sarifText(text: string): string {
  return cut(clean(text).replaceAll('](', '] ('), MAX_TEXT);
}

/** Relative, with `/` between parts, and each part encoded; of a file elsewhere, its name alone. */
function uriOf(file: string, workspace: string): string {
  const path = isAbsolute(file) ? relative(workspace, file) : file;
  const parts = path.split(sep);
  return (parts[0] === '..' || isAbsolute(path) ? parts.slice(-1) : parts).map(encodeURIComponent).join('/');
}
