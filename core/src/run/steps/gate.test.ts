import { expect, it } from 'vitest';
import type { Judgement } from '../../policy/gate.ts';
import { refusalOf } from './gate.ts';

const at = { file: 'config.yaml', line: 1, column: 1 };
const built = { kind: 'build', byPlugin: false, at } as const;

function judged(changes: Partial<Judgement>): Parameters<typeof refusalOf>[1] {
  return { refusals: ['CVE-1 (HIGH) in musl'], reasons: ['fixable'], waived: [], expiredWaivers: [], ...changes };
}

function hint(changes: Partial<Judgement>, by: Partial<Parameters<typeof refusalOf>[2]> = {}): string | undefined {
  return refusalOf('abc for r/a:1', judged(changes), { ...built, ...by }).hint;
}

it('what is refused is told with the waivers that held all the same', () => {
  const waived = [{ id: 'CVE-2', reason: 'not reachable', expires: '2027-01-31' }];
  const refusals = ['CVE-1 (HIGH) in musl', 'CVE-3 (HIGH) in zlib'];
  expect(refusalOf('abc for r/a:1', judged({ refusals, waived }), built)).toMatchObject({
    message: 'the gate refused abc for r/a:1: CVE-1 (HIGH) in musl (and 1 more)',
    refusals,
    waived,
  });
  expect(refusalOf('abc for r/a:1', judged({ refusals }), built)).not.toHaveProperty('waived');
});

it('nobody is told to rebuild an image that others make', () => {
  expect(hint({})).toMatch(/^rebuild with fixed packages, or add a waiver/);
  expect(hint({}, { kind: 'sync' })).toMatch(/^take an image that has the fixes/);
});

it('nobody is told to take a fix that nobody has', () => {
  expect(hint({ reasons: ['unfixed'] })).toMatch(/^do without the package, or add a waiver/);
  expect(hint({ reasons: ['unfixed'] }, { kind: 'sync' })).toMatch(/^take another image, or add a waiver/);
  expect(hint({ reasons: ['unfixed', 'fixable'] })).toMatch(/^rebuild with fixed packages/);
});

it('nobody is told to waive what no waiver covers', () => {
  expect(hint({ reasons: ['unscannable'] })).toBe(
    'no waiver covers what cannot be scanned: "unscannable: report" accepts it, in policy.overrides for this entry alone',
  );
  expect(hint({ reasons: ['fixable', 'unscanned'] })).toMatch(/waiver .*; no waiver covers .* "unscanned: report"/);
  expect(hint({ reasons: ['endOfLife'] })).toBe(
    'build on a release that still gets advisories; no waiver covers an end of life: "endOfLife: report" accepts it, in policy.overrides for this entry alone',
  );
  expect(hint({ reasons: ['endOfLife'] }, { kind: 'sync' })).toMatch(/^take an image of a release/);
  expect(hint({ reasons: [] }, { byPlugin: true })).toMatch(/^a plugin's gate refuses it/);
});

it('a waiver that has ended is named where it would have helped', () => {
  const ended = (id: string) => ({ id, reason: 'not reachable', expires: '2026-11-22' });
  expect(hint({ expiredWaivers: [ended('CVE-1')] })).toBe(
    'a waiver ended: that of CVE-1 on 2026-11-22; rebuild with fixed packages, or give it a new end date',
  );
  expect(hint({ expiredWaivers: ['1', '2', '3', '4'].map((n) => ended(`CVE-${n}`)) })).toMatch(
    /^waivers ended: .*CVE-3 on 2026-11-22 and 1 more; .* give each a new end date$/,
  );
});
