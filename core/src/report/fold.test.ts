/** Graphs of entries for people, and what of them the page draws. */
import { describe, expect, it } from 'vitest';
import type { AnnouncedTask, Event } from '../journal/events.ts';
import { firstOfEach, folded, heldUp, type Edges } from './fold.ts';
import { reportData } from './page/data.ts';
import { reportPage } from './page/page.ts';
import { sampleRun } from './page/sample.ts';

const entry = (id: string, outcome = 'skipped') => ({ id, outcome });
const range = (count: number, prefix: string): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

describe('a graph for people', () => {
  it('has one box for siblings, which take the same, came to the same, and are taken by nobody', () => {
    const ids = range(6, 'a');
    const entries = [entry('base', 'refused'), ...ids.map((id) => entry(id)), entry('b', 'failed'), entry('top')];
    const edges: Edges = [...ids.map((id) => ['base', id] as const), ['base', 'b'], ['a5', 'top']];
    const { boxes, edges: drawn } = folded(entries, edges);
    expect(boxes.map(({ id, all }) => [id, all.length])).toEqual([
      ['base', 1],
      ['a0', 5],
      ['a5', 1],
      ['b', 1],
      ['top', 1],
    ]);
    expect(drawn).toEqual([
      ['base', 'a0'],
      ['base', 'a5'],
      ['base', 'b'],
      ['a5', 'top'],
    ]);
  });

  it('tells few siblings apart', () => {
    const ids = range(3, 'a');
    const { boxes } = folded(
      [entry('base'), ...ids.map((id) => entry(id))],
      ids.map((id) => ['base', id] as const),
    );
    expect(boxes).toHaveLength(4);
  });

  it('has of what went wrong all that it holds up, also in a circle', () => {
    const entries = [entry('a', 'failed'), ...range(3, 'b').map((id) => entry(id)), entry('c', 'published')];
    const edges: Edges = [
      ['a', 'b0'],
      ['b0', 'b1'],
      ['b1', 'b0'],
      ['c', 'b2'],
    ];
    expect(heldUp(entries, edges).map(({ id }) => id)).toEqual(['a', 'b0', 'b1']);
  });

  it('names an entry by its first target', () => {
    const rows = [
      { id: 'a', tag: 'latest' },
      { id: 'a', tag: '2026-11-25' },
      { id: 'b', tag: '1' },
    ];
    expect(firstOfEach(rows).map(({ tag }) => tag)).toEqual(['latest', '1']);
  });
});

describe('the graph of the page', () => {
  const drawn = (events: readonly Event[]): string => {
    const page = reportPage(reportData(events));
    return page.slice(page.indexOf('aria-label="Graph of entries"'), page.indexOf('id="timeline-heading"'));
  };

  it('has the packages that entries are built with, states in words, and whole names', () => {
    const id = 'package:packages/tools/melange.yaml';
    const made: AnnouncedTask = { id, contract: 'package.build@1', entry: null };
    const events = sampleRun({ images: 3, name: 'an-image-with-quite-a-long-name' }).flatMap(
      (event): readonly Event[] => {
        if (event.type !== 'entry.chain') return [event];
        const tasks = event.tasks.map((task) =>
          task.id.endsWith('#build') ? { ...task, needs: [...(task.needs ?? []), id] } : task,
        );
        return [
          { ...event, tasks: [made, ...tasks] },
          { t: event.t, type: 'task.done', task: id, state: 'ok', ms: 900 },
        ];
      },
    );
    const graph = drawn(events);
    expect(graph).toContain('packages/tools/melange.yaml</text');
    expect(graph).toContain('with 2 edges between them');
    expect(graph).toMatch(/>published, 4\.2 s<\/text/);
    expect(graph).toContain('<title>ghcr.io/example/an-image-with-quite-a-long-name-0:1.0: published, 4.2 s</title');
  });

  it('is no longer than a few boxes for hundreds of siblings', () => {
    const events = sampleRun({ images: 300 }).map((event) =>
      event.type === 'run.start'
        ? {
            ...event,
            tasks: event.tasks.map((task, index) =>
              index === 0 ? task : { ...task, needs: [`${event.entries[0]}#tag`] },
            ),
          }
        : event,
    );
    const graph = drawn(events);
    expect(graph).toContain('>197 published</text');
    expect(Number(/viewBox="0 0 \d+ (\d+)"/.exec(graph)?.[1])).toBeLessThan(400);
  });

  it('calls what moves all tags no package', () => {
    const task: AnnouncedTask = { id: 'together', contract: 'core.tag@1', entry: null };
    const events: readonly Event[] = [
      { t: 0, type: 'run.start', run: 'r', command: 'run', version: '1', entries: [], tasks: [task] },
      { t: 1, type: 'task.start', task: 'together', attempt: 1 },
      { t: 900, type: 'task.done', task: 'together', state: 'ok', ms: 900 },
    ];
    const page = reportPage(reportData(events));
    expect(page).toContain('<td>all entries</td>');
    expect(page).not.toContain('<td>a package</td>');
  });
});
