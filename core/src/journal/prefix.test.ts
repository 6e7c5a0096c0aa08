/** Journals as they are found after a kill: ending anywhere, also within a line, and with lines in them that nobody wrote for us. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reportData, type ReportData } from '../report/page/data.ts';
import { reportPage } from '../report/page/page.ts';
import { samplePrune, sampleRun } from '../report/page/sample.ts';
import { chromeTrace } from '../report/page/trace.ts';
import { movesOfRun } from '../rollback/moves.ts';
import { findAffected } from '../why/affected.ts';
import { explain } from '../why/explain.ts';
import type { Event } from './events.ts';
import { parseJournal } from './journal.ts';
import { foldEvents } from './state.ts';

const STATES = new Set(['waiting', 'running', 'ok', 'failed', 'refused', 'skipped', 'cancelled']);

/** Runs of so many images, and one that deletes tags, each also as the text of a journal. */
const RUNS = [...[1, 2, 3, 4, 5].map((images) => sampleRun({ images })), samplePrune()].map((events) => {
  return { events, text: events.map((event) => `${JSON.stringify(event)}\n`).join('') };
});

/** A number of images, and where their journal ends: at the end of a line as often as within one. */
const torn = fc.nat(RUNS.length - 1).chain((index) => {
  const length = RUNS[index]?.text.length ?? 0;
  return fc.record({ index: fc.constant(index), at: fc.nat(length), whole: fc.boolean() });
});

function read({ index, at, whole }: { readonly index: number; readonly at: number; readonly whole: boolean }) {
  const { events, text } = RUNS[index] ?? { events: [], text: '' };
  const cut = whole ? text.lastIndexOf('\n', at) + 1 : at;
  return { events, text: text.slice(0, cut) };
}

/** Events of ours with one part of them, however deep, put in place of by something else, or taken out. */
const mutated = fc
  .record({ at: fc.nat(), path: fc.array(fc.nat(), { minLength: 1, maxLength: 6 }), value: fc.option(fc.jsonValue()) })
  .map(({ at, path, value }) => {
    const events = [...(RUNS[3]?.events ?? []), ...(RUNS[5]?.events ?? [])];
    const event = structuredClone(events[at % events.length]) as unknown;
    let node = event as Record<string, unknown>;
    let name = '';
    for (const step of path) {
      const names = Object.keys(node);
      name = names[step % names.length] ?? '';
      const inner = node[name];
      if (typeof inner !== 'object' || inner === null || Object.keys(inner).length === 0 || step === path.at(-1)) break;
      node = inner as Record<string, unknown>;
    }
    if (value === null) delete node[name];
    else node[name] = value;
    return JSON.stringify(event);
  });
/** One with a part that no reader knows, nested so deeply that whoever walks it runs out of stack. */
const bottomless = fc.integer({ min: 1000, max: 20_000 }).map((depth) => {
  const event = RUNS[4]?.events.find((one) => one.type === 'entry.done' && one.rows.some((row) => row.failure));
  const nested = `${'[{"a":'.repeat(depth)}0${'}]'.repeat(depth)}`;
  return JSON.stringify(event).replace('"failure":{', `"failure":{"other":${nested},`);
});
const foreign = fc
  .oneof(fc.string(), fc.json(), mutated, mutated, bottomless)
  .map((line) => line.replaceAll('\n', ' '));

/** Every task that these events announce has one state, and no other task has any. */
function expectStates(events: readonly Event[]): void {
  const { tasks } = foldEvents(events);
  const announced = events.flatMap((event) =>
    event.type === 'run.start' || event.type === 'entry.chain' ? event.tasks.map(({ id }) => id) : [],
  );
  expect(new Set(tasks.keys())).toEqual(new Set(announced));
  for (const [task, state] of tasks) expect(STATES.has(state), `${task} is ${state}`).toBe(true);
}

/** Every entry of the run is in its report, as what it came to, or as unfinished with each of its tags that may have been moved. */
function expectEntries(events: readonly Event[], { images, counts }: ReportData): void {
  const start = events.find((event) => event.type === 'run.start');
  expect(new Set(images.map(({ id }) => id))).toEqual(new Set(start?.entries ?? []));
  const ended = new Set(events.flatMap((event) => (event.type === 'entry.done' ? [event.entry] : [])));
  for (const { id, outcome } of images) expect(outcome === 'unfinished').toBe(!ended.has(id));
  expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(images.length);
  for (const event of events)
    if (event.type === 'tag.move' && !ended.has(event.entry))
      expect(images).toContainEqual(
        expect.objectContaining({ destination: event.tag, before: event.from, digest: event.to }),
      );
}

describe('a journal that ends anywhere', () => {
  test('has every announced task in one state, and with the rest of the run it comes to the same end', () => {
    fc.assert(
      fc.property(torn, (where) => {
        const { events, text } = read(where);
        const before = parseJournal(text);
        // A line that is torn is as good as one that was never written; only its end of line may be missing.
        const whole = text.split('\n').length - 1;
        expect([whole, whole + 1]).toContain(before.length);
        expect(before).toEqual(events.slice(0, before.length));
        expectStates(before);
        expect(foldEvents([...before, ...events.slice(before.length)])).toEqual(foldEvents(events));
      }),
    );
  });

  test('is a report', () => {
    fc.assert(
      fc.property(torn, (where) => {
        const before = parseJournal(read(where).text);
        const data = reportData(before);
        expect(data.tasks.map(({ id }) => id)).toEqual([...foldEvents(before).tasks.keys()]);
        expect(data.seconds === null).toBe(!before.some(({ type }) => type === 'run.done'));
        expect(reportPage(data)).toContain('</html>');
      }),
      { numRuns: 30 },
    );
  });

  test.each([4, 5])('has in its report each entry of run %i, and how to undo what it may have moved', (run) => {
    const events = RUNS[run]?.events ?? [];
    for (const end of events.keys()) {
      const before = events.slice(0, end + 1);
      const data = reportData(before);
      expectEntries(before, data);
      expect(reportPage(data).includes('slipway rollback')).toBe(movesOfRun(before).length > 0);
      const tags = before.flatMap((event) => (event.type === 'tag.delete' ? [event.tag] : []));
      expect(data.deletions.flatMap(({ tag, asked }) => (asked ? [tag] : []))).toEqual(tags);
    }
  });
});

const ended = (failure: object) => ({ type: 'task.done', task: 't', state: 'failed', ms: 1, failure });

describe('lines that nobody wrote for us', () => {
  test('are left out where they are no events, and end nothing where they look like some', () => {
    fc.assert(
      fc.property(torn, foreign, fc.nat(), (where, line, at) => {
        const lines = read(where).text.split('\n');
        const own = parseJournal(lines.join('\n'));
        const alone = parseJournal(line);
        lines.splice(at % lines.length, 0, line);
        const all = parseJournal(lines.join('\n'));
        expect(all.length).toBe(own.length + alone.length);
        foldEvents(all);
        const data = reportData(all);
        expect(reportPage(data)).toContain('</html>');
        chromeTrace(data);
        explain([{ run: data.run, events: all }], '**');
        findAffected([{ run: data.run, events: all }], 'CVE-2026-1000');
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    { type: 'run.start' },
    { type: 'run.start', run: 'r', command: 'run', version: '1', entries: [], tasks: [null] },
    { type: 'entry.done', entry: 'e', rows: [{ id: 'e', destination: 1 }] },
    { type: 'image', entry: 'e', image: { digest: 'd', packages: [{ platform: 'p' }], attachments: [] } },
    { type: 'task.done', task: 't', state: 'ok' },
    ended({ reason: 'policy', class: 'policy', message: 'refused' }),
    ended({ reason: 'policy', class: 'policy', message: 'refused', refusals: 'one' }),
    ended({ reason: 'policy', class: 'policy', message: 'refused', refusals: [1] }),
    ended({ reason: 'policy', class: 'policy', message: 'refused', refusals: ['one'], waived: [{ id: 'CVE-1' }] }),
    ended({ reason: 'tool', class: 'permanent', message: 'failed', tool: 'trivy', output: ['one'] }),
    { type: 'tag.delete', tag: 'r.example/a:1' },
    { type: 'tag.done', tag: 'r.example/a:1', digest: 'd', state: 'failed', failure: 'no' },
    { type: 'warning', message: 'm', t: 1e300 },
    { type: 'constructor' },
  ])('%j is no event', (value) => {
    expect(parseJournal(JSON.stringify({ t: 1, ...value }))).toEqual([]);
  });
});
