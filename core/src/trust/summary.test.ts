import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Digest } from '../reference.ts';
import type { Finding, PlatformScan, Scan } from './model.ts';
import { mergeFindings, scanOf, summariseScan } from './summary.ts';

const names = ['linux/amd64', 'linux/arm64', 'linux/arm/v7'];
const digests = names.map((_, at) => `sha256:${`${at}a`.repeat(32)}` as Digest);

/** A scan as a scanner gives it: each finding under each platform that has it. */
const scans: fc.Arbitrary<Scan> = fc
  .tuple(
    ...names.map((platform, at) =>
      fc.array(findings(platform), { maxLength: 6 }).map((found) => platformScan(at, found)),
    ),
  )
  .map((platforms) => ({
    scanner: { name: 's', version: '1', uri: 'u' },
    startedAt: '2026-11-23T10:00:00Z',
    finishedAt: '2026-11-23T10:00:05Z',
    platforms,
  }));

function findings(platform: string): fc.Arbitrary<Finding> {
  return fc
    .record({
      id: fc.constantFrom('CVE-1', 'CVE-2'),
      severity: fc.constantFrom('HIGH', 'LOW'),
      package: fc.constantFrom('a', 'b'),
    })
    .map((some): Finding => ({
      ...some,
      installed: '1',
      purl: `pkg:apk/${some.package}?arch=${platform}`,
      platforms: [platform],
    }));
}

function platformScan(at: number, found: readonly Finding[]): PlatformScan {
  return { digest: digests[at] as Digest, platform: names[at] ?? '', status: 'scanned', packages: 1, findings: found };
}

const pairs = (scan: Scan): string[] =>
  [
    ...new Set(
      scan.platforms.flatMap((one) =>
        one.findings.flatMap((f) => f.platforms.map((p) => `${f.id} ${f.severity} ${f.package} ${p}`)),
      ),
    ),
  ].sort();

test('a summary has every finding of every platform, each once', () => {
  fc.assert(
    fc.property(scans, (scan) => {
      const summary = summariseScan(scan);
      expect(pairs(summary)).toEqual(pairs(scan));
      const all = summary.platforms.flatMap((one) => one.findings);
      expect(mergeFindings(summary.platforms)).toHaveLength(all.length);
    }),
  );
});

test('a summary does not depend on the order of the scan, and is its own summary', () => {
  fc.assert(
    fc.property(scans, (scan) => {
      const summary = summariseScan(scan);
      const shuffled = scan.platforms.toReversed().map((one) => ({ ...one, findings: one.findings.toReversed() }));
      expect(summariseScan({ ...scan, platforms: shuffled })).toEqual(summary);
      expect(summariseScan(summary)).toEqual(summary);
    }),
  );
});

test('the part about one image is the same from the scan and from its summary', () => {
  fc.assert(
    fc.property(scans, fc.constantFrom(...digests), (scan, child) => {
      const name = names[digests.indexOf(child)] ?? '';
      const expected = pairs(scan).filter((pair) => pair.endsWith(` ${name}`));
      expect(pairs(scanOf(scan, child))).toEqual(expected);
      expect(pairs(scanOf(summariseScan(scan), child))).toEqual(expected);
    }),
  );
});

test('package URLs that differ by architecture lose only what differs', () => {
  const one = (platform: string): Finding => ({
    id: 'CVE-1',
    severity: 'HIGH',
    package: 'a',
    installed: '1',
    purl: `pkg:apk/alpine/a@1?arch=${platform}`,
    platforms: [platform],
  });
  const merged = mergeFindings([platformScan(0, [one('x')]), platformScan(1, [one('y')])]);
  expect(merged).toEqual([
    { id: 'CVE-1', severity: 'HIGH', package: 'a', installed: '1', purl: 'pkg:apk/alpine/a@1', platforms: ['x', 'y'] },
  ]);
});
