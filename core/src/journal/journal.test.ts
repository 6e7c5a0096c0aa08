import fs, { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Event } from './events.ts';
import { openJournal, parseJournal } from './journal.ts';
import { foldEvents } from './state.ts';

const readJournal = (file: string): readonly Event[] => parseJournal(readFileSync(file, 'utf8'));

const events: readonly Event[] = [
  {
    t: 1,
    type: 'run.start',
    run: 'r',
    command: 'run',
    version: '0',
    entries: ['a'],
    tasks: [{ id: 'a#probe', contract: 'core.probe@1', entry: 'a' }],
  },
  { t: 2, type: 'task.start', task: 'a#probe', attempt: 1 },
  { t: 3, type: 'task.done', task: 'a#probe', state: 'ok', ms: 1 },
  {
    t: 4,
    type: 'entry.chain',
    entry: 'a',
    why: 'not published yet',
    tasks: [{ id: 'a#copy', contract: 'image.copy@1', entry: 'a' }],
  },
  { t: 5, type: 'task.start', task: 'a#copy', attempt: 1 },
  { t: 6, type: 'task.log', task: 'a#copy', line: 'half way\n' },
  {
    t: 7,
    type: 'task.done',
    task: 'a#copy',
    state: 'failed',
    ms: 2,
    failure: { reason: 'tool', class: 'permanent', tool: 'crane', message: 'no' },
  },
  { t: 8, type: 'entry.done', entry: 'a', rows: [] },
  { t: 9, type: 'run.done', exitCode: 1, seconds: 1 },
];

describe('the journal', () => {
  let folder = '';
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'journal-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('reads back what was written, and only its owner may read the file', () => {
    const journal = openJournal(join(folder, 'deep', 'run.ndjson'));
    for (const event of events) journal.write(event);
    journal.close();
    expect(readJournal(journal.file)).toEqual(events);
    expect(statSync(journal.file).mode & 0o777).toBe(0o600);
  });

  it('writes the rest of what was taken in part, and loses one line at most to a full disk', async () => {
    const journal = openJournal(join(folder, 'run.ndjson'));
    const real = fs.writeSync;
    let left = Number.POSITIVE_INFINITY;
    fs.writeSync = ((fd: number, bytes: Uint8Array, from: number) => {
      if (left <= 0) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      const some = Math.min(7, bytes.byteLength - from, left);
      left -= some;
      return real(fd, bytes, from, some);
    }) as typeof fs.writeSync;
    syncBuiltinESMExports();
    try {
      for (const event of events.slice(0, 5)) journal.write(event);
      left = 10;
      expect(() => journal.write({ t: 6, type: 'warning', message: 'lost' })).toThrow('full');
      left = Number.POSITIVE_INFINITY;
      for (const event of events.slice(5)) journal.write(event);
      journal.close();
    } finally {
      fs.writeSync = real;
      syncBuiltinESMExports();
    }
    expect(readJournal(journal.file)).toEqual(events);
  });

  it('makes no file before there is an event, and writes none after it was closed', () => {
    const journal = openJournal(join(folder, 'run.ndjson'));
    expect(() => statSync(journal.file)).toThrow('ENOENT');
    journal.write({ t: 1, type: 'warning', message: 'x' });
    journal.close();
    journal.write({ t: 2, type: 'warning', message: 'y' });
    expect(readFileSync(journal.file, 'utf8').split('\n')).toHaveLength(2);
  });

  it('writes what changes nothing in the world together, and before anything that does', async () => {
    const journal = openJournal(join(folder, 'run.ndjson'));
    const lines = (): number => readJournal(journal.file).length;
    journal.write({ t: 1, type: 'warning', message: 'x' });
    journal.write({ t: 2, type: 'task.start', task: 'a#probe', attempt: 1 });
    journal.write({ t: 3, type: 'task.done', task: 'a#probe', state: 'ok', ms: 1 });
    expect(lines()).toBe(1);
    journal.write({ t: 4, type: 'task.start', task: 'a#copy', attempt: 1 });
    expect(readJournal(journal.file).map(({ t }) => t)).toEqual([1, 2, 3, 4]);
    journal.write({ t: 5, type: 'task.start', task: 'b#probe', attempt: 1 });
    await new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));
    expect(lines()).toBe(5);
    journal.write({ t: 6, type: 'task.start', task: 'c#probe', attempt: 1 });
    journal.close();
    expect(lines()).toBe(6);
  });

  it('has a state at every prefix that the rest completes to the same end, wherever it was torn', () => {
    const text = events.map((event) => `${JSON.stringify(event)}\n`).join('');
    const whole = foldEvents(events);
    fc.assert(
      fc.property(fc.nat(text.length), (cut) => {
        const before = parseJournal(text.slice(0, cut));
        expect(foldEvents([...before, ...events.slice(before.length)])).toEqual(whole);
      }),
    );
  });

  it('leaves out what is no event', () => {
    expect(parseJournal('null\n[]\n{"type":"x"}\n{"t":1}\nnonsense\n')).toEqual([]);
  });
});

describe('the state of a run', () => {
  it('knows every announced task, and how it ended', () => {
    const state = foldEvents(events);
    expect([...state.tasks]).toEqual([
      ['a#probe', 'ok'],
      ['a#copy', 'failed'],
    ]);
    expect(state.exitCode).toBe(1);
    expect(foldEvents(events.slice(0, 5)).tasks.get('a#copy')).toBe('running');
  });

  it('tells a tag that was deleted from one that was not, that was not even tried, and that may be gone', () => {
    const failure = { reason: 'trust', class: 'permanent', message: 'no' } as const;
    const begin = (tag: string): Event => ({ t: 1, type: 'tag.delete', tag, digest: tag });
    const end = (tag: string, state: 'deleted' | 'failed'): Event => ({
      ...{ t: 1, type: 'tag.done', tag, digest: tag, state },
      ...(state === 'failed' ? { failure } : {}),
    });
    const pruned = [
      ...[begin('gone'), end('gone', 'deleted'), begin('refused'), end('refused', 'failed')],
      ...[end('moved', 'failed'), begin('killed')],
    ];
    const read = parseJournal(pruned.map((event) => JSON.stringify(event)).join('\n'));
    expect([...foldEvents(read).deletions.values()]).toEqual([
      { tag: 'gone', digest: 'gone', state: 'deleted', asked: true },
      { tag: 'refused', digest: 'refused', state: 'failed', asked: true, failure },
      { tag: 'moved', digest: 'moved', state: 'failed', asked: false, failure },
      { tag: 'killed', digest: 'killed', state: 'unfinished', asked: true },
    ]);
  });
});
