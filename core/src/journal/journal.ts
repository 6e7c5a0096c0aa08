/**
 * One append-only NDJSON file a run: event stream, trace and record at once. A line is written before anything shows it.
 * Killed in the middle of a line, the reader leaves that line out.
 */
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Event } from './events.ts';
import { isEvent } from './shape.ts';

export interface Journal {
  readonly file: string;
  write(event: Event): void;
  close(): void;
}

/** The file is made by the first event: commands that only look leave none. */
export function openJournal(file: string): Journal {
  let descriptor: number | undefined;
  let closed = false;
  return {
    file,
    write(event) {
      if (closed) return;
      if (descriptor === undefined) {
        mkdirSync(dirname(file), { recursive: true });
        descriptor = openSync(file, 'a', 0o600);
      }
      writeSync(descriptor, `${JSON.stringify(event)}\n`);
    },
    close() {
      if (descriptor !== undefined && !closed) closeSync(descriptor);
      closed = true;
    },
  };
}

/** The events of a journal; a torn or foreign line ends nothing, it is left out. */
export function readJournal(file: string): readonly Event[] {
  return parseJournal(readFileSync(file, 'utf8'));
}

export function parseJournal(text: string): readonly Event[] {
  const events: Event[] = [];
  for (const line of text.split('\n')) {
    const event = parseLine(line);
    if (event !== undefined) events.push(event);
  }
  return events;
}

function parseLine(line: string): Event | undefined {
  if (line === '') return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isEvent(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
