/** What a run comes to, in rows and in an exit code. */
import { expect, it } from 'vitest';
import type { SyncEntry } from '../config/model.ts';
import type { Failure } from '../failure.ts';
import type { Row } from '../journal/events.ts';
import { parseReference, type Digest, type Tagged } from '../reference.ts';
import type { Fact } from '../trust/facts.ts';
import { predicateType } from '../trust/model.ts';
import { unseen } from './steps/standing.ts';
import { exitCodeOf, rowsOf, skippedRows } from './rows.ts';

const destination = tagged('registry.example/a:1');
const entry: SyncEntry = {
  id: 'sync:registry.example/a:1',
  kind: 'sync',
  at: { file: '/r/config.yaml', line: 1, column: 1 },
  always: false,
  source: destination,
  targets: [{ destination, templated: false }],
};

const keys = { input: '', parts: {} };
const build = { kind: 'build', ...unseen, bases: {}, keys, stale: false, goal: false } as const;

function rowsAfter(state: 'failed' | 'refused' | 'skipped' | 'cancelled', failure: Failure): readonly Row[] {
  return rowsOf(entry, { signed: false, ms: 1500, broken: { step: 'build', end: { state, failure } } });
}

const need = (name: string): Failure => ({ reason: 'need', class: 'permanent', need: name, message: `${name} failed` });

it('a package that failed fails the entry that needs it: it has no row of its own', () => {
  const rows = rowsAfter('skipped', need('package:images/a/melange.yaml'));
  expect(rows).toMatchObject([{ outcome: 'failed', why: 'package:images/a/melange.yaml failed', seconds: 1.5 }]);
  expect(exitCodeOf(rows, false)).toBe(1);
});

it('an entry whose need failed is skipped: the need has its own row', () => {
  const rows = rowsAfter('skipped', need('build:registry.example/b:1'));
  expect(rows).toMatchObject([{ outcome: 'skipped' }]);
  const refused = rowsAfter('refused', { reason: 'policy', class: 'policy', refusals: [], message: 'm' });
  expect(exitCodeOf([...refused, ...rows], false)).toBe(3);
});

it('an entry whose need is left out and cannot be used is no success', () => {
  expect(exitCodeOf(rowsAfter('skipped', need('build:registry.example/b:1')), false)).toBe(1);
});

it('the exit code is the first that applies of 130, 2, 5, 1, 3', () => {
  const policy = rowsAfter('refused', { reason: 'policy', class: 'policy', refusals: [], message: 'm' });
  const failed = rowsAfter('failed', { reason: 'trust', class: 'permanent', message: 'm' });
  const missing = rowsAfter('failed', { reason: 'missing-tool', class: 'permanent', tool: 'crane', message: 'm' });
  const config = rowsAfter('failed', { reason: 'config', class: 'permanent', message: 'm' });
  expect(exitCodeOf(skippedRows(entry, 'on topic, not main'), false)).toBe(0);
  expect(exitCodeOf(policy, false)).toBe(3);
  expect(exitCodeOf([...policy, ...failed], false)).toBe(1);
  expect(exitCodeOf([...policy, ...failed, ...missing], false)).toBe(5);
  expect(exitCodeOf([...policy, ...failed, ...missing, ...config], false)).toBe(2);
  expect(exitCodeOf([...config], true)).toBe(130);
});

it('a build that failed has nothing of the scan of what was published before', () => {
  const published = `sha256:${'b'.repeat(64)}` as Digest;
  const fact = scanFact(published);
  const before = { 'registry.example/a:1': published };
  const end = { state: 'failed', failure: { reason: 'tool', class: 'permanent', tool: 'apko', message: 'm' } } as const;
  const probed = { ...build, before, facts: [fact], why: 'changed' };
  const broken = { step: 'build', end };
  expect(rowsOf(entry, { signed: false, ms: 1, probed, broken })).toMatchObject([
    { digest: null, before: published, findings: null, packages: null },
  ]);
  // What is there as it should be keeps its own.
  const there = { ...probed, digest: published, goal: true } as const;
  expect(rowsOf(entry, { signed: true, ms: 1, probed: there })).toMatchObject([
    { outcome: 'unchanged', digest: published, findings: { HIGH: 1 }, packages: 7 },
  ]);
});

it('waivers are told of what is public by them, and not of what failed after the gate', () => {
  const waived = [{ id: 'CVE-1', reason: 'not reachable', expires: '2027-01-31' }];
  const text = 'registry.example/a:1';
  const probed = { ...build, before: { [text]: null }, why: 'not published yet' };
  const passed = { signed: true, ms: 1, probed, waived };
  expect(rowsOf(entry, { ...passed, tagged: new Map([[text, undefined]]) })).toMatchObject([{ waived }]);
  const failure = { reason: 'trust', class: 'permanent', message: 'm' } as const;
  const [failed] = rowsOf(entry, { ...passed, broken: { step: 'sign', end: { state: 'failed', failure } } });
  expect(failed).not.toHaveProperty('waived');
});

function scanFact(subject: Digest): Fact {
  const platform = 'linux/amd64';
  const finding = { id: 'CVE-1', severity: 'HIGH', package: 'musl', installed: '1', platforms: [platform] } as const;
  const found = { digest: subject, platform, status: 'scanned', packages: 7, findings: [finding] } as const;
  const time = '2026-11-25T20:30:00Z';
  const scanner = { name: 'trivy', version: '1', uri: 'u' };
  const scan = { scanner, startedAt: time, finishedAt: time, platforms: [found] };
  return {
    referrer: subject,
    subject,
    predicateType: predicateType.scan,
    signer: 's',
    time,
    content: { kind: 'scan', scan },
  };
}

function tagged(text: string): Tagged {
  const parsed = parseReference(text);
  if (!parsed.ok || parsed.value.kind !== 'tagged') throw new Error(text);
  return parsed.value;
}
