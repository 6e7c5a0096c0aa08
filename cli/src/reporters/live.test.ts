/** The live view as a terminal shows it: xterm's own emulator reads what is written. */
import { createRequire } from 'node:module';
import type * as Xterm from '@xterm/headless';
import type { Event, Row } from '@slipway/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Io } from '../io.ts';
import { liveReporter } from './live.ts';

/** Its bundle names no exports that an import could find. */
const { Terminal } = createRequire(import.meta.url)('@xterm/headless') as typeof Xterm;

function terminal(columns: number, rows: number) {
  const emulator = new Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: true, scrollback: 1000 });
  let written = '';
  const io: Io = {
    cwd: '/',
    env: {},
    stdout: () => {},
    stderr: (text) => void (written += text),
    terminal: true,
    color: false,
    columns: () => emulator.cols,
    rows: () => emulator.rows,
    interrupt: new AbortController().signal,
  };
  return {
    io,
    resize: async (width: number) => {
      await flush();
      emulator.resize(width, emulator.rows);
    },
    written: () => written.length,
    /** Every line that a user can see or scroll back to, without empty ones. */
    async lines(): Promise<readonly string[]> {
      await flush();
      const { active } = emulator.buffer;
      const all: string[] = [];
      for (let row = 0; row < active.length; row += 1) {
        const line = active.getLine(row);
        const text = line?.translateToString(true) ?? '';
        if (line?.isWrapped === true) all.push(`${all.pop() ?? ''}${text}`);
        else all.push(text);
      }
      return all.filter((line) => line !== '');
    },
  };

  function flush(): Promise<void> {
    const text = written;
    written = '';
    return new Promise((resolve) => emulator.write(text, resolve));
  }
}

const id = (index: number): string => `build:ghcr.io/example/image-${index}:1`;
const start = (count: number): Event => ({
  t: 0,
  type: 'run.start',
  run: 'r',
  command: 'run',
  version: '1',
  entries: Array.from({ length: count }, (_, index) => id(index)),
  tasks: [],
});
const begins = (index: number): Event => ({ t: 0, type: 'task.start', task: `${id(index)}#scan`, attempt: 1 });
const ends = (index: number): Event => ({ t: 1, type: 'task.done', task: `${id(index)}#scan`, state: 'ok', ms: 900 });
const fails = (index: number): Event => ({
  ...(ends(index) as Extract<Event, { readonly type: 'task.done' }>),
  state: 'failed',
  failure: { reason: 'tool', class: 'permanent', tool: 'trivy', message: `trivy failed on ${index}` },
});
const closes = (index: number): Event => ({
  t: 1,
  type: 'entry.done',
  entry: id(index),
  rows: [{ id: id(index), outcome: 'published', digest: null, before: null, seconds: 1 } as Row],
});

// The emulator reads in steps of its own, by real timers.
beforeEach(() => void vi.useFakeTimers({ now: 0, toFake: ['setInterval', 'clearInterval', 'Date'] }));
afterEach(() => void vi.useRealTimers());

describe('a live view', () => {
  test('stays a few lines high with a thousand entries, and writes little when nothing changes', async () => {
    const screen = terminal(100, 24);
    const reporter = liveReporter(screen.io, () => undefined);
    reporter.event(start(1000));
    for (let index = 0; index < 1000; index += 1) reporter.event(begins(index));
    vi.advanceTimersByTime(1000);
    const lines = await screen.lines();
    expect(lines).toHaveLength(10);
    expect(lines[0]).toBe('1 s  0/1000 entries');
    expect(lines.at(-1)).toBe('  and 992 more');
    vi.advanceTimersByTime(900);
    expect(screen.written()).toBe(0);
    reporter.close();
    expect(await screen.lines()).toEqual([]);
  });

  test('keeps a failure on the screen, once, above what is drawn again', async () => {
    const screen = terminal(100, 24);
    const reporter = liveReporter(screen.io, () => undefined);
    reporter.event(start(3));
    for (const index of [0, 1, 2]) reporter.event(begins(index));
    vi.advanceTimersByTime(300);
    reporter.event(fails(1));
    for (const index of [0, 2]) for (const event of [ends(index), closes(index)]) reporter.event(event);
    vi.advanceTimersByTime(300);
    reporter.close();
    const lines = await screen.lines();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('trivy failed on 1');
  });

  test('leaves nothing behind when the terminal becomes narrower or wider', async () => {
    const screen = terminal(120, 24);
    const reporter = liveReporter(screen.io, () => undefined);
    reporter.event(start(20));
    for (let index = 0; index < 5; index += 1) reporter.event(begins(index));
    vi.advanceTimersByTime(200);
    for (const width of [30, 25, 80, 40, 120]) {
      await screen.resize(width);
      vi.advanceTimersByTime(1000);
      const lines = await screen.lines();
      expect(lines, `at ${width} columns`).toHaveLength(6);
      expect(lines.every((line) => line.length < width)).toBe(true);
    }
    reporter.close();
    expect(await screen.lines()).toEqual([]);
  });

  test('shows bytes, and estimates from what tasks took before', async () => {
    const screen = terminal(120, 24);
    const reporter = liveReporter(screen.io, () => 10_000);
    reporter.event(start(2));
    const tasks = [0, 1].map((index) => ({ id: `${id(index)}#scan`, contract: 'image.scan@1', entry: id(index) }));
    reporter.event({ t: 0, type: 'entry.chain', entry: id(0), why: 'new', tasks });
    reporter.event(begins(0));
    vi.advanceTimersByTime(20_000);
    reporter.event(ends(0));
    reporter.event({ ...begins(1), t: 20_000 });
    reporter.event({ t: 20_000, type: 'task.progress', task: `${id(1)}#scan`, bytes: 1_500_000 });
    vi.advanceTimersByTime(100);
    expect(await screen.lines()).toEqual(['20 s, about 20 s left  0/2 entries', `    0 s  ${id(1)}#scan  1.5 MB`]);
    reporter.close();
  });

  test('estimates nothing while a step is ahead of which nothing is known, then by what it took in this run', async () => {
    const screen = terminal(120, 24);
    // The scans are known from before; no signature ever came so far.
    const reporter = liveReporter(screen.io, (task) => (task.endsWith('#scan') ? 10_000 : undefined));
    reporter.event(start(4));
    for (const index of [0, 1, 2, 3]) {
      const tasks = ['image.scan@1', 'statement.sign@1', 'core.tag@1'].map((contract) => ({
        id: `${id(index)}#${/\w+(?=@)/.exec(contract)?.[0]}`,
        contract,
        entry: id(index),
      }));
      reporter.event({ t: 0, type: 'entry.chain', entry: id(index), why: 'new', tasks });
      reporter.event(begins(index));
    }
    vi.advanceTimersByTime(10_000);
    for (const index of [0, 1, 2]) reporter.event({ ...ends(index), ms: 10_000 } as Event);
    vi.advanceTimersByTime(100);
    expect((await screen.lines())[0]).toBe('10 s  0/4 entries');
    reporter.event({ t: 0, type: 'task.start', task: `${id(0)}#sign`, attempt: 1 });
    vi.advanceTimersByTime(9900);
    reporter.event({ t: 0, type: 'task.done', task: `${id(0)}#sign`, state: 'ok', ms: 10_000 });
    vi.advanceTimersByTime(100);
    // Four steps of ten seconds took twenty; four more are left.
    expect((await screen.lines())[0]).toBe('20 s, about 20 s left  0/4 entries');
    // The last scan fails: its signature is skipped, and counts for no work that was done.
    reporter.event({ ...fails(3), ms: 10_000 } as Event);
    reporter.event({ t: 0, type: 'task.done', task: `${id(3)}#sign`, state: 'skipped', ms: 0 });
    vi.advanceTimersByTime(20_000);
    // Two of seven are left, not of eight.
    expect((await screen.lines()).at(-1)).toMatch(/^40 s, about 20 s left/);
    reporter.close();
  });
});
