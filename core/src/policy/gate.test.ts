import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GateRules, Policy, Severity, Waiver } from '../config/settings-model.ts';
import { defaultRules } from '../config/policy.ts';
import type { Digest } from '../reference.ts';
import type { Finding, PlatformScan, Scan } from '../trust/model.ts';
import { summariseScan } from '../trust/summary.ts';
import { judge } from './gate.ts';
import { rulesFor } from './rules.ts';

const today = '2026-11-23';
const { build, sync } = defaultRules;

function finding(id: string, more: Partial<Finding> = {}): Finding {
  return { id, severity: 'HIGH', package: 'busybox', installed: '1.0', fixed: '1.1', platforms: [], ...more };
}

function platform(
  name: string,
  findings: readonly Finding[],
  status: PlatformScan['status'] = 'scanned',
): PlatformScan {
  const own = findings.map((one) => ({ ...one, platforms: [name] }));
  return { digest: `sha256:${'a1'.repeat(32)}` as Digest, platform: name, status, packages: 1, findings: own };
}

function scanOf(...platforms: readonly PlatformScan[]): Scan {
  const time = '2026-11-23T10:00:00Z';
  return { scanner: { name: 's', version: '1', uri: 'u' }, startedAt: time, finishedAt: time, platforms };
}

const amd = (...findings: readonly Finding[]): Scan => scanOf(platform('linux/amd64', findings));
const waiver = (id: string, expires: string): Waiver => ({ id, reason: 'not reachable', expires });

describe('findings', () => {
  test('a fixable one of a listed severity refuses, with a sentence that says all of it', () => {
    const both = scanOf(platform('linux/amd64', [finding('CVE-1')]), platform('linux/arm64', [finding('CVE-1')]));
    for (const scan of [both, summariseScan(both)]) {
      expect(judge({ rules: build, scan, today })).toEqual({
        verdict: 'refuse',
        refusals: ['CVE-1 (HIGH) in busybox 1.0, fixed in 1.1, on linux/amd64, linux/arm64'],
        reasons: ['fixable'],
        waived: [],
        expiredWaivers: [],
        counts: { CRITICAL: 0, HIGH: 1, MEDIUM: 0, LOW: 0, UNKNOWN: 0 },
        unscanned: [],
        unscannable: false,
      });
    }
  });

  test('others do not', () => {
    const { fixed: _fixed, ...unfixed } = finding('CVE-1');
    expect(judge({ rules: build, scan: amd(unfixed), today }).verdict).toBe('pass');
    expect(judge({ rules: build, scan: amd(finding('CVE-1', { fixed: '' })), today }).verdict).toBe('pass');
    expect(judge({ rules: build, scan: amd(finding('CVE-1', { severity: 'MEDIUM' })), today }).verdict).toBe('pass');
    expect(judge({ rules: { ...build, fixable: false }, scan: amd(unfixed), today })).toMatchObject({
      refusals: ['CVE-1 (HIGH) in busybox 1.0, no fixed version known, on linux/amd64'],
      reasons: ['unfixed'],
    });
  });

  test('are counted but never refuse where the verdict is report', () => {
    const judgement = judge({
      rules: sync,
      scan: amd(finding('CVE-1'), finding('CVE-2', { severity: 'CRITICAL' })),
      today,
    });
    expect(judgement).toMatchObject({ verdict: 'pass', refusals: [], counts: { CRITICAL: 1, HIGH: 1 } });
  });

  test('cannot write control characters into a sentence', () => {
    const { refusals } = judge({
      rules: build,
      scan: amd(finding('CVE-1\u001b[2J', { package: 'a\nb', fixed: '\u0007' })),
      today,
    });
    expect(refusals[0]).toMatch(/^[^\p{Cc}]*$/u);
  });
});

describe('waivers', () => {
  test('hold through their last day and no longer', () => {
    const rules = { ...build, waivers: [waiver('CVE-1', today)] };
    expect(judge({ rules, scan: amd(finding('CVE-1')), today })).toMatchObject({
      verdict: 'pass',
      waived: [{ id: 'CVE-1' }],
      expiredWaivers: [],
    });
    expect(judge({ rules, scan: amd(finding('CVE-1')), today: '2026-11-24' })).toMatchObject({
      verdict: 'refuse',
      waived: [],
      expiredWaivers: [{ id: 'CVE-1', reason: 'not reachable', expires: today }],
    });
  });

  test('are for their finding however its id is written', () => {
    const ids = ['CVE-1', 'GHSA-abcd-1234-ef56'];
    const scan = amd(...ids.map((id) => finding(id)));
    const written = (expires: string): readonly Waiver[] =>
      ['cve-1', 'GHSA-ABCD-1234-EF56'].map((id) => waiver(id, expires));
    const used = ids.map((id) => ({ id }));
    const judgement = judge({ rules: { ...build, waivers: written('2027-01-01') }, scan, today });
    expect(judgement).toMatchObject({ verdict: 'pass', waived: used });
    const later = judge({ rules: { ...build, waivers: written('2026-01-01') }, scan, today });
    expect(later).toMatchObject({ verdict: 'refuse', expiredWaivers: used });
  });

  test('are reported only when they matter', () => {
    const waivers = [
      waiver('CVE-2', '2027-01-01'),
      waiver('CVE-3', '2020-01-01'),
      waiver('CVE-1', '2020-01-01'),
      waiver('CVE-1', '2027-01-01'),
    ];
    const judgement = judge({ rules: { ...build, waivers }, scan: amd(finding('CVE-1')), today });
    expect(judgement).toMatchObject({
      verdict: 'pass',
      waived: [{ id: 'CVE-1', expires: '2027-01-01' }],
      expiredWaivers: [],
    });
    const ended = [waiver('CVE-1', '2020-01-01'), waiver('CVE-1', '2021-01-01')];
    for (const rules of [
      { ...sync, waivers: [...waivers, ...ended] },
      { ...sync, waivers: ended },
    ]) {
      const reported = judge({ rules, scan: amd(finding('CVE-1')), today });
      expect(reported).toMatchObject({ verdict: 'pass', waived: [], expiredWaivers: [] });
    }
    const { expiredWaivers } = judge({ rules: { ...build, waivers: ended }, scan: amd(finding('CVE-1')), today });
    expect(expiredWaivers).toMatchObject([{ id: 'CVE-1', expires: '2021-01-01' }]);
  });

  test('do not matter for what the image before had too, where it need not be better', () => {
    const rules = { ...build, notWorse: true, waivers: [waiver('CVE-1', today), waiver('CVE-2', today)] };
    const scan = amd(finding('CVE-1'), finding('CVE-2'));
    const judgement = judge({ rules, scan, before: amd(finding('CVE-1')), today });
    expect(judgement).toMatchObject({ verdict: 'pass', waived: [{ id: 'CVE-2' }] });
  });

  test('of several for one finding, the one that ends last is told', () => {
    const waivers = ['2026-12-01', '2027-01-01', '2026-11-30'].map((expires) => waiver('CVE-1', expires));
    const { waived } = judge({ rules: { ...build, waivers }, scan: amd(finding('CVE-1')), today });
    expect(waived).toEqual([{ id: 'CVE-1', reason: 'not reachable', expires: '2027-01-01' }]);
  });
});

describe('platforms that could not be read', () => {
  const some = scanOf(platform('linux/amd64', []), platform('windows/amd64', [], 'unscanned'));
  const none = scanOf({ ...platform('windows/amd64', [], 'unscanned'), why: 'no OS found' });

  test('some of them are named, and refuse where the policy says so', () => {
    expect(judge({ rules: build, scan: some, today })).toMatchObject({
      verdict: 'pass',
      unscanned: ['windows/amd64'],
      unscannable: false,
    });
    expect(judge({ rules: { ...build, unscanned: 'refuse' }, scan: some, today })).toMatchObject({
      refusals: ['windows/amd64 could not be scanned: nothing is known of its vulnerabilities'],
      reasons: ['unscanned'],
    });
  });

  test('all of them are another rule, also for an artifact without platforms', () => {
    for (const scan of [none, scanOf()]) {
      expect(judge({ rules: build, scan, today })).toMatchObject({
        verdict: 'refuse',
        reasons: ['unscannable'],
        unscannable: true,
      });
      expect(judge({ rules: { ...sync, unscanned: 'refuse' }, scan, today })).toMatchObject({
        verdict: 'pass',
        unscannable: true,
      });
    }
    expect(judge({ rules: build, scan: none, today }).refusals[0]).toContain('(no OS found)');
  });
});

describe('an operating system at its end of life', () => {
  const ended = (name: string, os?: string): PlatformScan => ({
    ...platform(name, []),
    ...(os === undefined ? {} : { os }),
    endOfLife: true,
  });
  const scan = scanOf(ended('linux/amd64', 'alpine 3.16'), ended('linux/arm64', 'alpine 3.16'));
  const rules = { ...build, endOfLife: 'refuse' } as const;

  test('passes where the policy says nothing, and refuses once where it does, also by a summary', () => {
    for (const one of [build, sync]) expect(judge({ rules: one, scan, today })).toMatchObject({ verdict: 'pass' });
    for (const one of [scan, summariseScan(scan)])
      expect(judge({ rules, scan: one, today })).toMatchObject({
        verdict: 'refuse',
        refusals: [
          'alpine 3.16 is at its end of life, on linux/amd64, linux/arm64: it gets no advisories any more, so that new vulnerabilities in it are not found',
        ],
        reasons: ['endOfLife'],
      });
    expect(judge({ rules, scan: amd(), today }).verdict).toBe('pass');
  });

  test('refuses besides what is found, whatever today’s tag names, and no waiver covers it', () => {
    const found = scanOf({ ...ended('linux/amd64', 'alpine 3.16'), findings: [finding('CVE-1')] });
    expect(judge({ rules, scan: found, today }).reasons).toEqual(['fixable', 'endOfLife']);
    const mild = { ...rules, verdict: 'report', notWorse: true, waivers: [waiver('alpine 3.16', today)] } as const;
    expect(judge({ rules: mild, scan: found, before: found, today }).reasons).toEqual(['endOfLife']);
  });

  test('is named by its platform where the scanner gives no name, and cannot write control characters', () => {
    expect(judge({ rules, scan: scanOf(ended('linux/amd64')), today }).refusals[0]).toMatch(/^linux\/amd64 is at/);
    const hostile = scanOf(ended('linux/amd64', 'a\u001b[2J\nb'));
    expect(judge({ rules, scan: hostile, today }).refusals[0]).toMatch(/^[^\p{Cc}]*$/u);
  });
});

describe('not worse than the current tag', () => {
  const rules = { ...build, notWorse: true };

  test('only what is new refuses', () => {
    const before = amd(finding('CVE-1'));
    expect(judge({ rules, scan: amd(finding('CVE-1', { installed: '1.0.1' })), today, before }).verdict).toBe('pass');
    const { refusals } = judge({ rules, scan: amd(finding('CVE-1'), finding('CVE-2')), today, before });
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toContain('CVE-2');
    expect(judge({ rules, scan: amd(finding('CVE-1', { package: 'musl' })), today, before }).verdict).toBe('refuse');
  });

  test('what was not refused before does not excuse', () => {
    const { fixed: _fixed, ...unfixed } = finding('CVE-1');
    expect(judge({ rules, scan: amd(finding('CVE-1')), today, before: amd(unfixed) }).verdict).toBe('refuse');
  });

  test('needs the rule and the image', () => {
    expect(judge({ rules, scan: amd(finding('CVE-1')), today }).verdict).toBe('refuse');
    expect(judge({ rules: build, scan: amd(finding('CVE-1')), today, before: amd(finding('CVE-1')) }).verdict).toBe(
      'refuse',
    );
  });
});

describe('properties', () => {
  const severity: fc.Arbitrary<Severity> = fc.constantFrom('CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN');
  const found = fc
    .record({
      id: fc.constantFrom('CVE-1', 'CVE-2', 'CVE-3'),
      severity,
      package: fc.constantFrom('a', 'b'),
      fixed: fc.constantFrom('2', ''),
    })
    .map((some) => finding(some.id, some));
  const many = fc.array(found, { maxLength: 6 });
  const verdict = fc.constantFrom('refuse' as const, 'report' as const);
  const rules: fc.Arbitrary<GateRules> = fc.record({
    verdict,
    severities: fc.uniqueArray(severity),
    fixable: fc.boolean(),
    unscanned: verdict,
    unscannable: verdict,
    endOfLife: verdict,
    notWorse: fc.boolean(),
    waivers: fc.array(
      fc
        .tuple(fc.constantFrom('CVE-1', 'CVE-2'), fc.constantFrom('2026-01-01', '2027-01-01'))
        .map(([id, expires]) => waiver(id, expires)),
    ),
  });

  test('more findings never turn a refusal into a pass', () => {
    fc.assert(
      fc.property(rules, many, many, fc.option(many, { nil: undefined }), (some, few, more, old) => {
        const before = old === undefined ? {} : { before: amd(...old) };
        fc.pre(judge({ rules: some, scan: amd(...few), today, ...before }).verdict === 'refuse');
        expect(judge({ rules: some, scan: amd(...few, ...more), today, ...before }).verdict).toBe('refuse');
      }),
    );
  });

  test('a waiver that has ended decides nothing', () => {
    fc.assert(
      fc.property(rules, many, (some, findings) => {
        const live = some.waivers.filter((one) => one.expires >= today);
        const { expiredWaivers: _without, ...without } = judge({
          rules: { ...some, waivers: live },
          scan: amd(...findings),
          today,
        });
        const { expiredWaivers: _with, ...withEnded } = judge({ rules: some, scan: amd(...findings), today });
        expect(withEnded).toEqual(without);
      }),
    );
  });
});

describe('rules for an entry', () => {
  const policy: Policy = {
    build: { ...build, waivers: [waiver('CVE-0', '2027-01-01')] },
    sync,
    overrides: [
      { match: 'ghcr.io/a/*', verdict: 'report', fixable: false },
      { match: 'build:*', verdict: 'refuse' },
    ],
    waivers: [{ ...waiver('CVE-1', '2027-01-01'), match: '*/a/git:*' }, waiver('CVE-2', '2027-01-01')],
  };

  test('come from its kind, the overrides in order, and the waivers that match', () => {
    const git = { id: 'build:ghcr.io/a/git:1', kind: 'build', destination: 'scratch.example/a/git:1' } as const;
    expect(rulesFor(policy, git)).toMatchObject({ verdict: 'refuse', fixable: false, unscannable: 'refuse' });
    expect(rulesFor(policy, git).waivers.map(({ id }) => id)).toEqual(['CVE-0', 'CVE-1', 'CVE-2']);
    const other = rulesFor(policy, {
      id: 'sync:docker.io/library/alpine:3',
      kind: 'sync',
      destination: 'docker.io/library/alpine:3',
    });
    expect(other).toEqual({ ...sync, waivers: [waiver('CVE-2', '2027-01-01')] });
  });

  test('a pattern may name where the entry goes in this run', () => {
    const moved = { id: 'sync:docker.io/b/c:1', kind: 'sync', destination: 'ghcr.io/a/c:1' } as const;
    expect(rulesFor(policy, moved)).toMatchObject({ verdict: 'report', fixable: false });
  });
});
