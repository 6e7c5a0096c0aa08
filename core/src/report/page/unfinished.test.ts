/** What a report says of entries that had not ended when their run was killed. */
import { describe, expect, test } from 'vitest';
import type { Event } from '../../journal/events.ts';
import { reportData, type ReportData } from './data.ts';
import { reportPage } from './page.ts';
import { sampleRun } from './sample.ts';
import { chromeTrace } from './trace.ts';

const RUN = '20261125-203000-1a2b3c';
const run = sampleRun({ images: 12 });
/** It was moved from one digest to another. */
const ID = 'build:ghcr.io/example/image-2:1.2';
/** It is a new tag. */
const NEW = 'build:ghcr.io/example/image-8:1.8';

/** The journal as it was when the run was killed just after this event. */
function killedAfter(last: (event: Event) => boolean): readonly Event[] {
  return run.slice(0, run.findIndex(last) + 1);
}

function moveOf(entry: string): Extract<Event, { readonly type: 'tag.move' }> {
  const move = run.find((event) => event.type === 'tag.move' && event.entry === entry);
  if (move?.type !== 'tag.move') throw new Error(`the sample does not move a tag of ${entry}`);
  return move;
}

const text = (html: string): string => html.replaceAll(/<[^>]*>/g, '').replaceAll(/\s+/g, ' ');
const attention = (data: ReportData): string => {
  const page = reportPage(data);
  return text(page.slice(page.indexOf('What needs attention'), page.indexOf('id="images-heading"')));
};
const whyOf = (events: readonly Event[], entry: string): string | undefined =>
  reportData(events).images.find(({ id }) => id === entry)?.why;

describe('a run that was killed', () => {
  test('at once has a row for each of its entries, counted, and says what to do', () => {
    const data = reportData(sampleRun({ images: 20 }).slice(0, 1));
    expect(data.counts).toEqual({ unfinished: 20 });
    expect(new Set(data.images.map(({ why }) => why))).toEqual(new Set(['with no step begun']));
    const page = reportPage(data);
    expect(page).toContain('<h1>20 images: the run has no end yet, or was killed, 20 did not end</h1>');
    expect(page).toContain('<a href="#outcome=unfinished"><b class="unfinished">20</b> unfinished</a>');
    expect(page).toContain('<option value="unfinished">unfinished</option>');
    expect(page.match(/<span class="state unfinished">unfinished<\/span>/g)).toHaveLength(20);
    expect(attention(data)).toContain(
      '20 images did not end. Run it again: it goes on from there, and what was published stays published.',
    );
    expect(page.match(/tag: not known/g)).toHaveLength(20);
    expect(page).not.toContain('slipway rollback');
  });

  test('while a tag was moved has what it was moved from and to, and how to put it back', () => {
    const { tag, from, to } = moveOf(ID);
    const data = reportData(killedAfter((event) => event === moveOf(ID)));
    const image = data.images.find(({ id }) => id === ID);
    expect(image).toMatchObject({
      outcome: 'unfinished',
      destination: tag,
      before: from,
      digest: to,
      why: 'its tag may have been moved',
      // Whether it was, no journal says.
      tag: null,
      counts: null,
      signed: null,
      changes: [{ part: 'file images/2/image.yaml' }],
    });
    expect(image).not.toHaveProperty('made');
    expect(image?.commands.map(({ command }) => command)).toEqual([`slipway show ${tag}`, `slipway rollback ${RUN}`]);
    const [before, after] = [from, to].map((digest) => digest?.slice(0, 'sha256:'.length + 12));
    expect(attention(data)).toContain(`1 tag may have been moved: ${tag} ${before} → ${after}`);
    expect(attention(data)).toContain(`→ Put back every tag that this run moved: slipway rollback ${RUN}`);
    expect(reportPage(data)).toContain(`tag: this, or ${before}`);
    expect(data.images).toHaveLength(12);
    expect(data.counts).toEqual({ published: 1, unchanged: 1, unfinished: 10 });
  });

  test('while it moved a new tag has nothing to put that back to', () => {
    const move = moveOf(NEW);
    const alone = run.filter((event) => event.type === 'run.start' || event === move);
    const data = reportData(alone);
    expect(data.images.find(({ id }) => id === NEW)).toMatchObject({ before: null, digest: move.to });
    expect(attention(data)).toContain(`${move.tag} a new tag → ${move.to.slice(0, 19)}`);
    expect(reportPage(data)).not.toContain('slipway rollback');
  });

  test('has a row for each tag of an entry, by where it was sent to, and one of what was tried again', () => {
    const move = moveOf(ID);
    const moves = ['localhost:5000/scratch/image-2:latest', 'localhost:5000/scratch/image-2:1.2'].flatMap((tag) => [
      { ...move, tag },
      { ...move, tag, to: `sha256:${'f'.repeat(64)}` },
    ]);
    const { images, counts } = reportData([...run.slice(0, 1), ...moves]);
    const rows = images.filter(({ id }) => id === ID).map(({ destination, digest }) => [destination, digest]);
    expect(new Map(rows as [string, string][])).toEqual(new Map(moves.map(({ tag }) => [tag, move.to])));
    expect(rows).toHaveLength(2);
    expect(counts).toEqual({ unfinished: 13 });
  });

  test('has of each entry what it was at, and of each step whether it had begun, and how long it had run', () => {
    const begins = (task: string) => (event: Event) => event.type === 'task.start' && event.task === task;
    const ends = (task: string) => (event: Event) => event.type === 'task.done' && event.task === task;
    expect(whyOf(killedAfter(begins(`${ID}#scan`)), ID)).toBe('while at scan');
    expect(whyOf(killedAfter(ends(`${ID}#push`)), ID)).toBe('after push');
    const failed = killedAfter(ends('build:ghcr.io/example/image-9:1.0#build'));
    expect(whyOf(failed, 'build:ghcr.io/example/image-9:1.0')).toBe('after build, which ended as failed');

    const scanning = killedAfter(begins(`${ID}#scan`));
    const later: Event = { t: (scanning.at(-1)?.t ?? 0) + 5000, type: 'task.log', task: `${ID}#scan`, line: 'reading' };
    const data = reportData([...scanning, later]);
    const steps = new Map(data.tasks.filter(({ entry }) => entry === ID).map((task) => [task.step, task]));
    expect(steps.get('push')).toMatchObject({ state: 'ok' });
    expect(steps.get('scan')).toMatchObject({ state: 'running', ms: 5000 });
    expect(steps.get('sbom')).toMatchObject({ state: 'waiting', ms: 0 });
    const image = data.images.find(({ id }) => id === ID);
    const spent = [...steps.values()].reduce((sum, { ms }) => sum + ms, 0);
    expect(image).toMatchObject({ seconds: spent / 1000, ended: later.t - (run[0]?.t ?? 0) });
    expect(attention(data)).toContain('1 image unfinished: while at scan');
    expect(attention(data)).toContain('9 images unfinished: with no step begun');
    const { traceEvents } = chromeTrace(data) as { traceEvents: readonly { name: string; cat: string; dur: number }[] };
    expect(traceEvents.find(({ cat }) => cat === 'running')).toMatchObject({ name: 'scan', dur: 5_000_000 });
  });

  test('has of a tag that it had not come to what that named last', () => {
    const data = reportData(run.slice(0, 1), [{ run: '20261124-203000-1a2b3c', events: run }]);
    const image = data.images.find(({ id }) => id === ID);
    expect(image).toMatchObject({ digest: null, tag: moveOf(ID).to, packages: 40 });
    const moved = reportData([...run.slice(0, 1), moveOf(ID)], [{ run: '20261124-203000-1a2b3c', events: run }]);
    expect(moved.images.find(({ id }) => id === ID)).toMatchObject({ tag: null, packages: null, findings: [] });
  });

  test('names no more of the tags than anybody reads, and leads to the rest', () => {
    const many = sampleRun({ images: 60 }).filter(({ type }) => type === 'run.start' || type === 'tag.move');
    const moved = many.length - 1;
    expect(attention(reportData(many))).toContain(`${moved} tags may have been moved:`);
    expect(attention(reportData(many))).toContain(`and ${moved - 20} more`);
    expect(reportPage(reportData(many))).toContain('href="#outcome=unfinished&amp;find=its+tag+may+have+been+moved"');
  });
});

test('a tag that was moved before its entry failed can be put back too', () => {
  const failed = run.map((event) =>
    event.type === 'entry.done' && event.entry === ID
      ? { ...event, rows: event.rows.map((row) => ({ ...row, outcome: 'failed' as const })) }
      : event,
  );
  const own = failed.filter((event) => !('entry' in event) || event.entry === ID);
  expect(reportData(own).images[0]?.commands.at(-1)?.command).toBe(`slipway rollback ${RUN}`);
  const page = reportPage(reportData(own));
  expect(page.slice(page.indexOf('id="check-heading"'))).toContain(`<pre>slipway rollback ${RUN}</pre>`);
});

test('a run that ended has no entry that did not', () => {
  expect(reportData(run).counts).not.toHaveProperty('unfinished');
  expect(reportPage(reportData(run))).not.toMatch(/state unfinished|did not end/);
});
