import { describe, expect, test } from 'vitest';
import type { Digest } from '../reference.ts';
import { factFrom, packFact, unpackFact, type Fact } from './facts.ts';
import { predicateType, type Scan } from './model.ts';
import { copyPredicate } from './predicates/copy.ts';
import { provenancePredicate, type Provenance } from './predicates/provenance.ts';
import { indexSbom } from './predicates/sbom.ts';
import { scanPredicate } from './predicates/scan.ts';
import { annotation } from './accept.ts';
import {
  earlierProvenance,
  isTooOld,
  missing,
  missingOnChild,
  newestProvenance,
  newestScan,
  outdatedBy,
  superseded,
  withoutAhead,
} from './required.ts';
import { canonicalJson, makeStatement } from './statement.ts';

const digest = (byte: string): Digest => `sha256:${byte.repeat(32)}` as Digest;
const subject = digest('ff');
const amd = digest('a1');
const arm = digest('a2');
const at = (second: number): string => `2026-11-23T10:00:${String(second).padStart(2, '0')}Z`;

function fact(type: string, predicate: unknown, referrer = digest('01')): Fact {
  const made = factFrom({
    statement: makeStatement({ digest: subject }, type, predicate),
    referrer,
    signer: 'me',
    subject,
  });
  if (made === undefined) throw new Error(`${type} made no fact`);
  return made;
}

function scanOfPlatforms(finishedAt: string, ...platforms: readonly [Digest, 'scanned' | 'unscanned'][]): Scan {
  return {
    scanner: { name: 's', version: '1', uri: 'u' },
    startedAt: at(0),
    finishedAt,
    platforms: platforms.map(([child, status]) => ({
      digest: child,
      platform: child.slice(0, 9),
      status,
      packages: 1,
      findings: [],
    })),
  };
}

const provenanceOf = (input: string, finishedOn: string): Provenance => ({
  mode: 'apko',
  source: 'image.yaml',
  options: {},
  platforms: [],
  keys: { input, resolved: 'r', parts: {} },
  targets: [],
  previous: {},
  materials: [],
  builder: { id: 'b', version: {} },
  invocationId: 'i',
  startedOn: at(0),
  finishedOn,
});

const platform = { os: 'linux', architecture: 'amd64' };
const signature = fact(predicateType.signature, {});
const sbom = fact(
  predicateType.sbom,
  indexSbom({
    subject,
    children: [
      { digest: amd, platform },
      { digest: arm, platform },
    ],
    name: 'a/b',
    created: at(1),
  }),
);
const scan = fact(predicateType.scan, scanPredicate(scanOfPlatforms(at(2), [amd, 'scanned'], [arm, 'unscanned'])));
const provenance = fact(predicateType.provenance, provenancePredicate(provenanceOf('k', at(3))));
const copy = fact(
  predicateType.copy,
  copyPredicate({ source: 's', sourceDigest: amd, targets: [], previous: {}, time: at(4) }),
);
const all = [signature, sbom, scan, provenance, copy];

describe('a fact', () => {
  test('carries the time of its predicate', () => {
    expect(all.map((one) => one.time)).toEqual([undefined, at(1), at(2), at(3), at(4)]);
  });

  test('survives being packed and read again', () => {
    for (const one of all) expect(unpackFact(JSON.parse(canonicalJson(packFact(one))))).toEqual(one);
    expect(unpackFact({ ...(packFact(scan) as object), content: {} })).toBeUndefined();
    expect(unpackFact({ ...(packFact(scan) as object), subject: 'x' })).toBeUndefined();
  });

  const annotated = (annotations: Record<string, string>, predicate = provenancePredicate(provenanceOf('k', at(3)))) =>
    factFrom({
      statement: makeStatement({ digest: subject }, predicateType.provenance, predicate),
      referrer: amd,
      signer: 'me',
      subject,
      annotations,
    });

  test('is not made of a statement about another image', () => {
    const statement = makeStatement({ digest: amd }, predicateType.signature, {});
    expect(factFrom({ statement, referrer: amd, signer: 'me', subject })).toBeUndefined();
  });

  test('is not made of a predicate that is not what its type promises, nor of an unknown type', () => {
    expect(
      factFrom({
        statement: makeStatement({ digest: subject }, predicateType.scan, {}),
        referrer: amd,
        signer: 'me',
        subject,
      }),
    ).toBeUndefined();
    expect(
      factFrom({
        statement: makeStatement({ digest: subject }, 'https://x.example', {}),
        referrer: amd,
        signer: 'me',
        subject,
      }),
    ).toBeUndefined();
  });

  test('is not made when the annotations lie about the keys or the type', () => {
    expect(annotated({ 'dev.slipway.input-key': 'k', 'dev.slipway.resolved-key': 'r' })).toBeDefined();
    expect(annotated({ 'dev.slipway.input-key': 'other' })).toBeUndefined();
    expect(annotated({ 'dev.slipway.resolved-key': 'other' })).toBeUndefined();
    expect(annotated({ 'dev.sigstore.bundle.predicateType': predicateType.scan })).toBeUndefined();
  });
});

describe('what must be attached', () => {
  test('to a built and to a synced image', () => {
    expect(missing({ kind: 'build', shape: 'index', children: [amd, arm], facts: all })).toEqual([]);
    expect(missing({ kind: 'sync', shape: 'index', children: [amd, arm], facts: all })).toEqual([]);
    expect(missing({ kind: 'build', shape: 'index', facts: [copy] })).toEqual([
      'signature',
      'sbom',
      'scan',
      'provenance',
    ]);
    expect(missing({ kind: 'sync', shape: 'manifest', facts: [provenance] })).toEqual([
      'signature',
      'sbom',
      'scan',
      'copy',
    ]);
  });

  test('each alone is missed', () => {
    for (const left of [signature, sbom, scan, provenance]) {
      expect(missing({ kind: 'build', shape: 'index', facts: all.filter((one) => one !== left) })).toEqual([
        left.content.kind,
      ]);
    }
  });

  test('an SBOM and a scan must be about every child', () => {
    expect(missing({ kind: 'build', shape: 'index', children: [amd, arm, digest('a3')], facts: all })).toEqual([
      'sbom',
      'scan',
    ]);
  });

  test('no SBOM is asked of what no scanner reads', () => {
    const unread = fact(predicateType.scan, scanPredicate(scanOfPlatforms(at(2), [subject, 'unscanned'])));
    expect(missing({ kind: 'sync', shape: 'manifest', facts: [signature, unread, copy] })).toEqual([]);
    expect(missing({ kind: 'sync', shape: 'index', facts: [signature, unread, copy] })).toEqual(['sbom']);
    expect(missingOnChild([unread])).toEqual([]);
    expect(missingOnChild([scan])).toEqual(['sbom']);
    expect(missingOnChild([])).toEqual(['sbom', 'scan']);
  });
});

describe('of several of a kind', () => {
  const scanAt = (time: string, byte: string): Fact =>
    fact(predicateType.scan, scanPredicate(scanOfPlatforms(time)), digest(byte));
  const old = scanAt(at(10), '01');
  /** Later, though its text sorts before. */
  const late = scanAt('2026-11-23T09:00:20-01:00', '02');
  const twin = scanAt(at(20), '03');
  const built = fact(predicateType.provenance, provenancePredicate(provenanceOf('old', at(1))), digest('04'));

  test('the newest counts, by the moment and in any order', () => {
    expect(newestScan([late, old])?.referrer).toBe(late.referrer);
    expect(newestScan([old, late])?.referrer).toBe(late.referrer);
    expect(newestScan([late, twin])).toBe(newestScan([twin, late]));
    expect(newestScan([provenance])).toBeUndefined();
    expect(newestProvenance([provenance, built], 'r/a:1')).toBe(provenance);
  });

  test('what is dated ahead of whoever looks counts only where there is no other', () => {
    const [ahead, built2030] = [scanAt('2030-01-01T00:00:00Z', '05'), provenanceOf('ahead', '2030-01-01T00:00:00Z')];
    const madeAhead = fact(predicateType.provenance, provenancePredicate(built2030), digest('06'));
    const now = new Date(at(20));
    expect(withoutAhead([...all, ahead, madeAhead, old], now)).toEqual([...all, old]);
    expect(withoutAhead([signature, ahead, madeAhead], now)).toEqual([signature, ahead, madeAhead]);
    const aDayBefore = new Date(now.getTime() - 24 * 3600 * 1000);
    expect(withoutAhead([old, twin], aDayBefore)).toEqual([old, twin]);
    expect(withoutAhead([sbom, copy], new Date(0))).toEqual([sbom, copy]);
  });

  test('older scans and provenance are superseded, nothing else is', () => {
    expect(superseded([...all, old, late, twin, built])).toEqual([scan.referrer, old.referrer, built.referrer]);
    expect(superseded([])).toEqual([]);
  });

  test('what is attached takes the place of older ones of its type, not of one that somebody made since', () => {
    const facts = [signature, sbom, copy, old, late, built];
    const about = (predicate: string, created: string) => ({
      [annotation.predicateType]: predicate,
      [annotation.created]: created,
    });
    const outdated = (attached: Readonly<Record<string, string>>, now: string) => [
      ...outdatedBy([attached], facts, new Date(now)),
    ];
    const newer = about(predicateType.scan, at(15));
    expect(outdated(newer, at(30))).toEqual([old.referrer]);
    // By a clock that is ahead.
    expect(outdated(newer, at(16))).toEqual([old.referrer, late.referrer]);
    expect(outdated({ [annotation.predicateType]: predicateType.sbom }, at(30))).toEqual([old.referrer]);
  });

  test('provenance is of the entry whose own tag it names first', () => {
    const of = (time: string, byte: string, ...targets: readonly string[]): Fact =>
      fact(predicateType.provenance, provenancePredicate({ ...provenanceOf(byte, time), targets }), digest(byte));
    const one = of(at(10), '05', 'r/a:1', 'r/a:older');
    const two = of(at(20), '06', 'r/a:2');
    const both = [one, two];
    expect(newestProvenance(both, 'r/a:older')).toBe(one);
    expect(newestProvenance(both, 'r/a:2')).toBe(two);
    expect(newestProvenance(both, 'r/a:3')).toBe(two);
    expect(superseded(both)).toEqual([]);
    expect(superseded([...both, of(at(30), '07', 'r/a:1')])).toEqual([one.referrer]);
    const earlier = (finishedOn: string, ...targets: readonly string[]) =>
      earlierProvenance(both, { targets, finishedOn }, new Date(at(40)));
    expect(earlier(at(30), 'r/a:1')).toEqual([one.referrer]);
    expect(earlier(at(5), 'r/a:1')).toEqual([]);
    expect(earlier(at(30), 'r/a:3')).toEqual([]);
  });
});

test('a scan is too old by the clock of whoever looks; how old one is that is dated ahead nobody knows', () => {
  const scan = '2026-11-25T12:00:00Z';
  const week = 7 * 24 * 3600 * 1000;
  const at = (years: number, days = 0): Date => new Date(Date.UTC(2026 + years, 10, 25 + days, 12));
  expect([0, 7, 8].map((days) => isTooOld(scan, week, at(0, days)))).toEqual([false, false, true]);
  expect(isTooOld(scan, week, at(1))).toBe(true);
  expect([0, -1, -2].map((days) => isTooOld(scan, week, at(0, days)))).toEqual([false, false, true]);
  expect(isTooOld(scan, undefined, at(1))).toBe(false);
});
