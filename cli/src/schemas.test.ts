/** The published schemas: committed as they are printed, strict, and true of every kind of event and failure. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Event, Failure, Row } from '@slipway/core';
import { describe, expect, it } from 'vitest';
import { reportData } from '../../core/src/report/page/data.ts';
import { samplePrune, sampleRun } from '../../core/src/report/page/sample.ts';
import { answerOf, command, complaintsAbout, complaintsAboutReport } from '../testing.ts';

const root = join(import.meta.dirname, '..', '..');
const digest = `sha256:${'0'.repeat(64)}`;

it.each([
  ['config', 'docs/config.schema.json'],
  ['settings', 'docs/settings.schema.json'],
  ['lock', 'docs/lock.schema.json'],
  ['envelope', 'cli/schemas/envelope.schema.json'],
  ['events', 'cli/schemas/events.schema.json'],
  ['report', 'cli/schemas/report.schema.json'],
])('the committed schema of %s is the one that is printed (else: npm run schemas)', async (of, file) => {
  const { code, stdout } = await command({ cwd: root }, 'schema', '--of', of);
  expect(code).toBe(0);
  expect(readFileSync(join(root, file), 'utf8') === stdout, `${file} is stale`).toBe(true);
});

it('config.yaml names its schema for editors', () => {
  const [, path = ''] =
    /^# yaml-language-server: \$schema=(\S+)$/m.exec(readFileSync(join(root, 'config.yaml'), 'utf8')) ?? [];
  expect(JSON.parse(readFileSync(join(root, path), 'utf8'))).toMatchObject({ title: 'Slipway config' });
});

const failures: readonly Failure[] = [
  { reason: 'config', class: 'permanent', message: 'm', hint: 'h', at: { file: 'f', line: 1, column: 1 } },
  { reason: 'registry', class: 'transient', side: 'source', host: 'h', status: 503, code: 'UNAVAILABLE', message: 'm' },
  { reason: 'tool', class: 'permanent', tool: 't', exitCode: 1, output: 'o', message: 'm' },
  { reason: 'missing-tool', class: 'permanent', tool: 't', message: 'm' },
  { reason: 'policy', class: 'policy', refusals: ['r'], message: 'm' },
  {
    ...{ reason: 'policy', class: 'policy', refusals: ['r'], message: 'm' },
    waived: [{ id: 'CVE-1', reason: 'r', expires: '2027-01-31' }],
  },
  { reason: 'trust', class: 'permanent', message: 'm' },
  { reason: 'plugin', class: 'permanent', plugin: 'p', hook: 'image.scan@1', message: 'm' },
  { reason: 'need', class: 'permanent', need: 'n', message: 'm' },
  { reason: 'cancelled', class: 'cancelled', message: 'm' },
];

const row: Row = {
  id: 'sync:a',
  destination: 'a',
  digest,
  outcome: 'published',
  before: null,
  why: 'w',
  findings: { CRITICAL: 0, HIGH: 1, MEDIUM: 2, LOW: 3, UNKNOWN: 4 },
  signed: true,
  size: 10,
  packages: 2,
  seconds: 1.25,
};
const nothing: Row = { ...row, digest: null, findings: null, size: null, packages: null };
const task = { id: 't', contract: 'image.scan@1', entry: null };

const events: readonly Event[] = [
  { t: 1, type: 'run.start', run: 'r', command: 'run', version: '1.0.0', entries: ['e'], tasks: [task] },
  { t: 1, type: 'entry.chain', entry: 'e', why: 'w', tasks: [{ ...task, entry: 'e' }] },
  { t: 1, type: 'task.start', task: 't', attempt: 1 },
  { t: 1, type: 'task.log', task: 't', line: '' },
  { t: 1, type: 'task.tool', task: 't', tool: 'crane', version: '1' },
  ...failures.map((failure): Event => ({ t: 1, type: 'task.retry', task: 't', failure, wait: 1.5 })),
  { t: 1, type: 'task.done', task: 't', state: 'ok', ms: 1, output: { digest } },
  { t: 1, type: 'entry.done', entry: 'e', rows: [row, nothing, ...failures.map((failure) => ({ ...row, failure }))] },
  { t: 1, type: 'warning', message: 'm' },
  { t: 1, type: 'run.done', exitCode: 130, seconds: 0.5 },
];

describe('events', () => {
  it.each(events)('%j', (event) => {
    expect(complaintsAbout(event)).toEqual([]);
    expect(complaintsAbout({ ...event, extra: 1 })).not.toEqual([]);
    const { t: _, ...timeless } = event;
    expect(complaintsAbout(timeless)).not.toEqual([]);
  });

  it.each([
    { ...row, outcome: 'done' },
    { ...row, digest: 'latest' },
    { ...row, failure: { reason: 'registry', class: 'policy', side: 'source', host: 'h', message: 'm' } },
    { ...row, seconds: -1 },
    { ...row, findings: { CRITICAL: 1 } },
  ])('a row that is not one: %j', (wrong) => {
    expect(complaintsAbout({ t: 1, type: 'entry.done', entry: 'e', rows: [wrong] })).not.toEqual([]);
  });
});

describe('answers', () => {
  const refused = { slipway: 1, command: 'plan', ok: false, failures };
  it('may hold every kind of failure', () => {
    expect(answerOf({ stdout: JSON.stringify(refused) })).toEqual(refused);
  });

  it.each([
    { ...refused, ok: true },
    { ...refused, failures: [] },
    { ...refused, slipway: 2 },
    { slipway: 1, command: 'plan', ok: true, entries: [] },
    { slipway: 1, command: 'verify', ok: true, entries: [], tasks: [] },
    { slipway: 1, command: 'run', ok: true, run: 'r', entries: [{ ...row, secret: 1 }], tools: [] },
  ])('are closed: %j', (wrong) => {
    expect(() => answerOf({ stdout: JSON.stringify(wrong) })).toThrow('slipway');
  });
});

describe('run.json', () => {
  const run = sampleRun({ images: 30 });
  const read = (journal: readonly Event[]): unknown => JSON.parse(JSON.stringify(reportData(journal)));

  it('is one of a whole run, and of one that was killed after any line', () => {
    for (const journal of [run, samplePrune()]) {
      for (let lines = 1; lines <= journal.length; lines += 1) {
        expect(complaintsAboutReport(read(journal.slice(0, lines))), `${lines} lines`).toEqual([]);
      }
    }
  });

  it('says which systems are at their end of life', () => {
    const ended = run.map((event) =>
      event.type === 'entry.done'
        ? { ...event, rows: event.rows.map((each) => ({ ...each, endOfLife: ['alpine 3.16'] })) }
        : event,
    );
    const report = read(ended);
    expect(JSON.stringify(report)).toContain('"endOfLife":["alpine 3.16"]');
    expect(complaintsAboutReport(report)).toEqual([]);
  });

  it.each([run, samplePrune()])('is closed, at every depth', (...journal) => {
    const open = objectsIn(read(journal)).filter((path) => {
      const report = read(journal);
      Object.assign(
        path.reduce<never>((at, name) => at[name] as never, report as never),
        { extra: 1 },
      );
      return complaintsAboutReport(report).length === 0;
    });
    // Outcomes are counted by their names.
    expect(open).toEqual([['counts']]);
  });
});

/** Paths of objects in it; of a list, those of its first. */
function objectsIn(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return objectsIn(value[0], [...path, '0']);
  return [path, ...Object.entries(value).flatMap(([name, part]) => objectsIn(part, [...path, name]))];
}
