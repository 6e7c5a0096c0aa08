/** What must be attached to an image before a tag may name it, and what a newer attachment replaces. */
import type { Digest } from '../reference.ts';
import { annotation } from './accept.ts';
import { factsOf, isSigned, type Fact, type FactOf } from './facts.ts';
import { predicateType } from './model.ts';
import type { Provenance } from './predicates/provenance.ts';

/** Milliseconds that clocks of machines may differ by, and none be called wrong. */
const CLOCKS_DIFFER = 24 * 3600 * 1000;

export type Missing = 'signature' | 'sbom' | 'scan' | 'provenance' | 'copy';

export interface Subject {
  readonly kind: 'sync' | 'build';
  readonly shape: 'index' | 'manifest';
  /** Digests of an index's platform images: its SBOM and its scan summary must be about each of them. */
  readonly children?: readonly Digest[];
  /** Verified ones, of this very image. */
  readonly facts: readonly Fact[];
}

/** What an entry's image lacks, in a fixed order. A single manifest needs what an index and its child need together. */
export function missing({ kind, shape, children = [], facts }: Subject): readonly Missing[] {
  const listed = shape === 'index' ? children : [];
  const origin = kind === 'build' ? 'provenance' : 'copy';
  const has: Readonly<Record<Missing, boolean>> = {
    signature: isSigned(facts),
    sbom:
      factsOf(facts, 'sbom').some((fact) => covers(fact.content.sbom.children, listed)) ||
      (shape === 'manifest' && isUnscanned(facts)),
    scan: scanCovers(facts, listed),
    provenance: factsOf(facts, 'provenance').length > 0,
    copy: factsOf(facts, 'copy').length > 0,
  };
  return (['signature', 'sbom', 'scan', origin] as const).filter((what) => !has[what]);
}

/** What a platform image of an index lacks. No SBOM can be made of what no scanner reads; its scan says that it was tried. */
export function missingOnChild(facts: readonly Fact[]): readonly Missing[] {
  const scanned = newestScan(facts) !== undefined;
  const sbom = factsOf(facts, 'sbom').length > 0 || isUnscanned(facts);
  return [...(sbom ? [] : ['sbom' as const]), ...(scanned ? [] : ['scan' as const])];
}

/** The scan that counts. Of two that ended at the same time, the same one on every machine. */
export function newestScan(facts: readonly Fact[]): FactOf<'scan'> | undefined {
  return newest(factsOf(facts, 'scan'));
}

/**
 * Without the scans and provenance that some clock has dated ahead of ours, where there are others of their kind: they would be the newest for
 * years, and nothing that is found meanwhile would count.
 */
export function withoutAhead(facts: readonly Fact[], now: Date): readonly Fact[] {
  const isAhead = (fact: Fact): boolean => age(fact) - now.getTime() > CLOCKS_DIFFER;
  const kinds = new Set(facts.filter((fact) => !isAhead(fact)).map(({ content }) => content.kind));
  return facts.filter((fact) => !isRenewed(fact.content.kind) || !kinds.has(fact.content.kind) || !isAhead(fact));
}

function isRenewed(kind: Fact['content']['kind']): boolean {
  return kind === 'scan' || kind === 'provenance';
}

/**
 * Whether a scan, or a build, that ended at `time` (RFC 3339) is older than is allowed, in milliseconds. Of one that some clock has dated
 * ahead nobody knows how old it is: another takes its place ({@link withoutAhead}).
 */
export function isTooOld(time: string, maxAge: number | undefined, now: Date): boolean {
  const old = now.getTime() - Date.parse(time);
  return maxAge !== undefined && (old > maxAge || -old > CLOCKS_DIFFER);
}

/**
 * What an image is known to be made from under a tag, `registry/repository:tag`: entries that come to one image have provenance each.
 * Where none of them names the tag, the newest. Of two that ended at the same time, the same one on every machine.
 */
export function newestProvenance(facts: readonly Fact[], target: string): FactOf<'provenance'> | undefined {
  const all = factsOf(facts, 'provenance');
  return newest(all.filter(({ content }) => content.provenance.targets.includes(target))) ?? newest(all);
}

/**
 * Referrers of ours that leave the list when something is attached with these annotations: what is superseded, and scans that a new one
 * takes the place of, but one that somebody else has made since. One that some clock has dated ahead of `now` goes too, or it would be
 * the newest for as long.
 */
export function outdatedBy(
  attached: readonly Readonly<Record<string, string>>[],
  facts: readonly Fact[],
  now: Date,
): ReadonlySet<Digest> {
  const scan = attached.find((one) => one[annotation.predicateType] === predicateType.scan);
  const made = Date.parse(scan?.[annotation.created] ?? '');
  const scans = scan === undefined ? [] : factsOf(facts, 'scan').filter((fact) => !isSince(fact, made, now));
  return new Set([...superseded(facts), ...scans.map(({ referrer }) => referrer)]);
}

/** Provenance that one of `targets`, made at `made` (RFC 3339), says again, as above. */
export function earlierProvenance(
  facts: readonly Fact[],
  { targets, finishedOn }: Pick<Provenance, 'targets' | 'finishedOn'>,
  now: Date,
): readonly Digest[] {
  return factsOf(facts, 'provenance')
    .filter((fact) => isOfOneEntry(fact, targets) && !isSince(fact, Date.parse(finishedOn), now))
    .map(({ referrer }) => referrer);
}

function isSince(fact: Fact, made: number, now: Date): boolean {
  return age(fact) > made && age(fact) <= now.getTime();
}

/** The first target is the entry's own, and one that lasts where it has any. */
function isOfOneEntry({ content }: FactOf<'provenance'>, targets: readonly string[]): boolean {
  const [own] = content.provenance.targets;
  return own === undefined || targets.includes(own);
}

/**
 * Referrers of ours that a newer one replaces: older scans, and older provenance of the same entry. One exactly as old as the newest
 * stays, since nothing says which of them is right.
 */
export function superseded(facts: readonly Fact[]): readonly Digest[] {
  const provenance = factsOf(facts, 'provenance');
  const scans = factsOf(facts, 'scan');
  return [
    ...scans.filter((fact) => scans.some((other) => age(other) > age(fact))),
    ...provenance.filter((fact) =>
      provenance.some((other) => age(other) > age(fact) && isOfOneEntry(fact, other.content.provenance.targets)),
    ),
  ].map(({ referrer }) => referrer);
}

function newest<F extends Fact>(facts: readonly F[]): F | undefined {
  return facts.reduce<F | undefined>((best, fact) => {
    if (best === undefined || age(fact) > age(best)) return fact;
    return age(fact) === age(best) && fact.referrer > best.referrer ? fact : best;
  }, undefined);
}

/** Times may be written in different zones: they are compared as moments. */
function age(fact: Fact): number {
  return fact.time === undefined ? 0 : Date.parse(fact.time);
}

function isUnscanned(facts: readonly Fact[]): boolean {
  const scan = newestScan(facts)?.content.scan;
  return scan !== undefined && scan.platforms.every((platform) => platform.status === 'unscanned');
}

function scanCovers(facts: readonly Fact[], children: readonly Digest[]): boolean {
  const scan = newestScan(facts)?.content.scan;
  return (
    scan !== undefined &&
    covers(
      scan.platforms.map((platform) => platform.digest),
      children,
    )
  );
}

function covers(has: readonly Digest[], wanted: readonly Digest[]): boolean {
  const set = new Set(has);
  return wanted.every((digest) => set.has(digest));
}
