/**
 * One append-only NDJSON file a run: event stream, trace and record at once. A line that tells of a change is written before anything
 * shows it. Killed in the middle of a line, the reader leaves that line out.
 */
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { isTooDeep } from '../oci/json-text.ts';
import type { Event } from './events.ts';
import { isEvent } from './shape.ts';

export interface Journal {
  readonly file: string;
  write(event: Event): void;
  close(): void;
}

/** Characters of lines that are written together. */
const BATCH = 64 * 1024;

/**
 * The file is made by the first event. Where nothing is done in the world, lines wait for
 * the end of the turn of the event loop: with ten thousand unchanged images writing each alone takes as long as all else.
 */
export function openJournal(file: string): Journal {
  let descriptor: number | undefined;
  let closed = false;
  let waiting = '';
  let soon: NodeJS.Immediate | undefined;
  /** What went wrong when nobody could be told; the next one to write is. */
  let failure: { readonly error: unknown } | undefined;
  /** A full disk took a part of a line: what comes next must not be taken for its rest. */
  let torn = false;

  function flush(): void {
    clearImmediate(soon);
    soon = undefined;
    if (waiting === '') return;
    const lines = waiting;
    waiting = '';
    if (descriptor === undefined) {
      mkdirSync(dirname(file), { recursive: true });
      descriptor = openSync(file, 'a', 0o600);
    } else if (fstatSync(descriptor).nlink === 0 && !existsSync(file)) {
      // Removed with its folder: what is written goes nowhere, and nobody could put back a tag that moves now.
      throw Object.assign(new Error(`${file} was removed`), { code: 'ENOENT', syscall: 'write', path: file });
    }
    const bytes = Buffer.from(torn ? `\n${lines}` : lines);
    torn = true;
    // It may take less than it is given, and says so at the next try only.
    for (let written = 0; written < bytes.byteLength;) written += writeSync(descriptor, bytes, written);
    torn = false;
  }

  function flushLater(): void {
    try {
      flush();
    } catch (error) {
      failure = { error };
    }
  }

  return {
    file,
    write(event) {
      if (closed) return;
      if (failure !== undefined) throw failure.error;
      waiting += `${JSON.stringify(event)}\n`;
      if (changesNothing(event) && waiting.length < BATCH) soon ??= setImmediate(flushLater);
      else flush();
    },
    close() {
      if (closed) return;
      closed = true;
      flushLater();
      if (descriptor !== undefined) closeSync(descriptor);
    },
  };
}

/** A probe that found the goal reached, and what follows from that. */
function changesNothing(event: Event): boolean {
  if (event.type === 'entry.done') return event.rows.every(({ outcome }) => outcome === 'unchanged');
  if (event.type === 'task.done' && event.state !== 'ok') return false;
  return (event.type === 'task.start' || event.type === 'task.done') && event.task.endsWith('#probe');
}

/** The events of a journal; a torn or foreign line ends nothing, it is left out. */
export function parseJournal(text: string): readonly Event[] {
  const events: Event[] = [];
  for (const line of text.split('\n')) {
    const event = parseLine(line);
    if (event !== undefined) events.push(event);
  }
  return events;
}

function parseLine(line: string): Event | undefined {
  // What is nested without end would exhaust the stack of whoever writes it into a report.
  if (line === '' || isTooDeep(line)) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isEvent(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
