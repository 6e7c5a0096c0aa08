/** The gate: whether what a scan found keeps an image from its tag. Pure, so that a changed policy needs no new scan. */
import type { GateRules, Severity, Waiver } from '../config/settings-model.ts';
import type { UsedWaiver } from '../failure.ts';
import type { FindingCounts } from '../journal/events.ts';
import type { Finding, PlatformScan, Scan } from '../trust/model.ts';
import { plainText } from '../trust/strict.ts';
import { mergeFindings } from '../trust/summary.ts';
import { endedSystems } from './ended.ts';
import { holdsOn, vulnerabilityKey } from './rules.ts';

export interface Question {
  readonly rules: GateRules;
  readonly scan: Scan;
  /** `2026-11-23`, UTC. */
  readonly today: string;
  /** The scan of the image that the tag names now, for `notWorse`. */
  readonly before?: Scan;
}

/** `unfixed`: a finding without a fixed version. */
export type Reason = 'fixable' | 'unfixed' | 'unscanned' | 'unscannable' | 'endOfLife';

export interface Judgement {
  readonly verdict: 'pass' | 'refuse';
  /** One sentence each, safe to print: what refuses the image, where it is, and what would mend it. */
  readonly refusals: readonly string[];
  /** What kinds of reasons the refusals are, each once: each is mended otherwise. */
  readonly reasons: readonly Reason[];
  /** Waivers without which there would be more refusals; of several for one finding, the one that ends last. */
  readonly waived: readonly UsedWaiver[];
  /** Waivers of what refuses now that have ended; of several for one finding, the one that ended last. */
  readonly expiredWaivers: readonly UsedWaiver[];
  /** Unique findings over all platforms, whether they refuse or not. */
  readonly counts: FindingCounts;
  /** Platforms that no scanner could read. */
  readonly unscanned: readonly string[];
  /** No platform could be read: nothing is known of the image. */
  readonly unscannable: boolean;
}

export function judge({ rules, scan, today, before }: Question): Judgement {
  const findings = mergeFindings(scan.platforms);
  const refusing = findings.filter((finding) => isRefusing(finding, rules));
  const live = rules.waivers.filter((waiver) => holdsOn(waiver, today));
  const left = refusing.filter((finding) => !isWaived(finding, live));
  const counted = rules.verdict === 'refuse' ? withoutOld(left, rules, before, live) : [];
  const unscanned = scan.platforms.filter((platform) => platform.status === 'unscanned');
  const unread = refuseUnscanned(scan, unscanned, rules);
  const ended = rules.endOfLife === 'refuse' ? describeEnded(scan) : [];
  const refusals = [...counted.map(describeFinding), ...unread, ...ended];
  const reasons: readonly Reason[] = [
    ...counted.map((finding) => (isFixable(finding) ? 'fixable' : 'unfixed')),
    ...unread.map(() => (isUnscannable(scan) ? 'unscannable' : 'unscanned')),
    ...ended.map(() => 'endOfLife' as const),
  ];
  return {
    verdict: refusals.length > 0 ? 'refuse' : 'pass',
    refusals,
    reasons: [...new Set(reasons)],
    waived: used(lastOfEach(live), rules.verdict === 'refuse' ? withoutOld(refusing, rules, before, []) : []),
    expiredWaivers: used(lastOfEach(rules.waivers.filter((waiver) => !live.includes(waiver))), counted),
    counts: countFindings(findings),
    unscanned: unscanned.map((platform) => platform.platform),
    unscannable: isUnscannable(scan),
  };
}

/** How many findings there are of each severity; merge them first when they come from several platforms. */
export function countFindings(findings: readonly Finding[]): FindingCounts {
  const count = (severity: Severity): number => findings.filter((finding) => finding.severity === severity).length;
  return {
    CRITICAL: count('CRITICAL'),
    HIGH: count('HIGH'),
    MEDIUM: count('MEDIUM'),
    LOW: count('LOW'),
    UNKNOWN: count('UNKNOWN'),
  };
}

function isRefusing(finding: Finding, rules: GateRules): boolean {
  return rules.severities.includes(finding.severity) && (!rules.fixable || isFixable(finding));
}

function isFixable(finding: Finding): boolean {
  return finding.fixed !== undefined && finding.fixed !== '';
}

function isWaived(finding: Finding, waivers: readonly Waiver[]): boolean {
  return waivers.some((waiver) => vulnerabilityKey(waiver) === vulnerabilityKey(finding));
}

/** Under the id that the finding has, whatever a waiver makes of it: that is what people look for. */
function used(waivers: readonly Waiver[], findings: readonly Finding[]): readonly UsedWaiver[] {
  const ids = new Map(findings.map((finding) => [vulnerabilityKey(finding), finding.id]));
  return waivers.flatMap((waiver) => {
    const id = ids.get(vulnerabilityKey(waiver));
    return id === undefined ? [] : [{ id, reason: waiver.reason, expires: waiver.expires }];
  });
}

function lastOfEach(waivers: readonly Waiver[]): readonly Waiver[] {
  const ends = new Map<string, Waiver>();
  for (const waiver of waivers) {
    const key = vulnerabilityKey(waiver);
    if (waiver.expires > (ends.get(key)?.expires ?? '')) ends.set(key, waiver);
  }
  return [...ends.values()];
}

/**
 * With `notWorse`, only what the image of today's tag does not have. The same vulnerability in the same package is not
 * new because the package's version moved. An image of which nothing is known excuses nothing.
 */
function withoutOld(
  findings: readonly Finding[],
  rules: GateRules,
  before: Scan | undefined,
  live: readonly Waiver[],
): readonly Finding[] {
  if (!rules.notWorse || before === undefined) return findings;
  const old = mergeFindings(before.platforms).filter(
    (finding) => isRefusing(finding, rules) && !isWaived(finding, live),
  );
  const known = new Set(old.map(identity));
  return findings.filter((finding) => !known.has(identity(finding)));
}

function identity(finding: Finding): string {
  return JSON.stringify([finding.id, finding.package]);
}

function isUnscannable(scan: Scan): boolean {
  return scan.platforms.every((platform) => platform.status === 'unscanned');
}

function refuseUnscanned(scan: Scan, unscanned: readonly PlatformScan[], rules: GateRules): readonly string[] {
  if (isUnscannable(scan)) {
    if (rules.unscannable !== 'refuse') return [];
    const why = [...new Set(unscanned.flatMap((platform) => platform.why ?? []))]
      .map((text) => plainText(text))
      .join('; ');
    return [
      `no scanner can read any platform of this image${why === '' ? '' : ` (${why})`}: nothing is known of its vulnerabilities`,
    ];
  }
  if (rules.unscanned !== 'refuse') return [];
  return unscanned.map((platform) => {
    const why = platform.why === undefined ? '' : ` (${plainText(platform.why)})`;
    return `${plainText(platform.platform)} could not be scanned${why}: nothing is known of its vulnerabilities`;
  });
}

function describeEnded({ platforms }: Scan): readonly string[] {
  return [...endedSystems(platforms)].map(([system, on]) => {
    const [name, where] = [plainText(system), plainText(on.join(', '))];
    return `${name} is at its end of life, on ${where}: it gets no advisories any more, so that new vulnerabilities in it are not found`;
  });
}

function describeFinding(finding: Finding): string {
  const [id, name, installed] = [finding.id, finding.package, finding.installed].map((text) => plainText(text));
  const mend = isFixable(finding) ? `fixed in ${plainText(finding.fixed ?? '')}` : 'no fixed version known';
  const where = finding.platforms.length === 0 ? '' : `, on ${plainText(finding.platforms.join(', '))}`;
  return `${id} (${finding.severity}) in ${name} ${installed}, ${mend}${where}`;
}
