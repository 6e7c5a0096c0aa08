/** What a live view shows, as text lines: a fold over the events, drawn by whoever has a screen. */
import type { AnnouncedTask, Event, Outcome, Row } from '../journal/events.ts';
import { cut, formatBytes, formatSeconds } from './wording.ts';

/** Running tasks that are shown; more are counted, so that a thousand entries stay readable. */
const MAX_RUNNING = 8;
/** Characters of a task's name that are shown however narrow the terminal is. */
const MIN_NAME = 12;
/** Milliseconds of known work that must be done before anything is estimated from it. */
const ENOUGH = 2_000;

export interface LiveView {
  event(event: Event): void;
  /** `now` in milliseconds since 1970; printable ASCII and `…`, each line at most `columns` long. */
  lines(now: number, columns: number): readonly string[];
}

interface Running {
  readonly since: number;
  last: string;
  bytes: number;
}

/** `usual`: milliseconds that a task took in earlier runs. */
export function liveView(usual: (task: string) => number | undefined = () => undefined): LiveView {
  const running = new Map<string, Running>();
  const outcomes = entryOutcomes();
  const work = announcedWork(usual);
  let entries = 0;
  let ended = 0;
  let start: number | undefined;
  return {
    event(event) {
      switch (event.type) {
        case 'run.start':
          entries = event.entries.length;
          start = event.t;
          break;
        case 'entry.chain':
          for (const task of event.tasks) work.announce(task);
          break;
        case 'task.start':
          running.set(event.task, { since: event.t, last: '', bytes: 0 });
          break;
        case 'task.log': {
          const task = running.get(event.task);
          if (task !== undefined) task.last = event.line;
          break;
        }
        case 'task.progress': {
          const task = running.get(event.task);
          if (task !== undefined) task.bytes = event.bytes;
          break;
        }
        case 'task.done': {
          // What was skipped is done, and took nothing.
          work.end(event.task, running.delete(event.task) ? event.ms : undefined);
          break;
        }
        case 'entry.done':
          ended += 1;
          outcomes.add(event.rows);
          break;
        case 'task.tool':
        case 'task.retry':
        case 'tag.move':
        case 'tag.delete':
        case 'tag.done':
        case 'image':
        case 'warning':
        case 'run.done':
          break;
      }
    },
    lines(now, columns) {
      if (start === undefined) return [];
      const counts = outcomes.text();
      const left = remaining(work.sums(), now - start);
      // What is cut off at the end is told last: how many are as they were.
      const head = `${formatTicks(now - start)}${left}  ${ended}/${entries} entries${counts === '' ? '' : `: ${counts}`}`;
      const shown = [...running].slice(0, MAX_RUNNING).map(([task, state]) => runningLine(task, state, now, columns));
      const more = running.size - shown.length;
      return [head, ...shown, ...(more > 0 ? [`  and ${more} more`] : [])].map((line) => cut(line, columns));
    },
  };
}

/** Worst first; of an entry whose targets came to different things, the first of these. */
const OUTCOMES: readonly Outcome[] = ['failed', 'refused', 'cancelled', 'skipped', 'published', 'unchanged'];

/** How many entries, not targets, came to what. */
function entryOutcomes(): { add(rows: readonly Row[]): void; text(): string } {
  const counts = new Map<Outcome, number>();
  return {
    add(rows) {
      const worst = OUTCOMES.find((outcome) => rows.some((row) => row.outcome === outcome));
      if (worst !== undefined) counts.set(worst, (counts.get(worst) ?? 0) + 1);
    },
    text: () =>
      OUTCOMES.flatMap((outcome) => (counts.has(outcome) ? [`${counts.get(outcome)} ${outcome}`] : [])).join(', '),
  };
}

function runningLine(task: string, { since, last, bytes }: Running, now: number, columns: number): string {
  const size = bytes === 0 ? '' : `  ${formatBytes(bytes)}`;
  const time = `  ${formatTicks(now - since).padStart(5)}  `;
  const name = middle(ascii(task), Math.max(MIN_NAME, columns - time.length - size.length));
  return `${time}${name}${size}${last === '' ? '' : `  ${ascii(last)}`}`;
}

interface Sums {
  readonly done: number;
  readonly left: number;
}

/** Tasks of one contract of which nothing is known from before. */
interface Unknown {
  left: number;
  ended: number;
  ms: number;
}

/**
 * Milliseconds of announced tasks: as they took before, else as those of their contract take in this run. A probe is announced with no
 * chain, and is none of them.
 */
function announcedWork(usual: (task: string) => number | undefined) {
  /** Task → milliseconds, or its contract. */
  const announced = new Map<string, number | string>();
  const unknown = new Map<string, Unknown>();
  const known = { done: 0, left: 0 };
  return {
    announce({ id, contract }: AnnouncedTask): void {
      const took = usual(id);
      announced.set(id, took ?? contract);
      if (took !== undefined) {
        known.left += took;
        return;
      }
      const alike = unknown.get(contract) ?? { left: 0, ended: 0, ms: 0 };
      alike.left += 1;
      unknown.set(contract, alike);
    },
    /** `ms` is undefined where the task never began. */
    end(task: string, ms: number | undefined): void {
      const took = announced.get(task);
      if (typeof took === 'number') {
        known.left -= took;
        if (ms !== undefined) known.done += took;
      } else if (took !== undefined) {
        const alike = unknown.get(took);
        if (alike === undefined) return;
        alike.left -= 1;
        if (ms === undefined) return;
        alike.ended += 1;
        alike.ms += ms;
      }
    },
    /** Undefined while nobody knows how long a part of it takes: the rest alone would say that it is nearly over. */
    sums(): Sums | undefined {
      let { done, left } = known;
      for (const [contract, alike] of unknown) {
        // The core's own steps are kept from before unless they are quick.
        if (alike.ended === 0 && alike.left > 0 && !contract.startsWith('core.')) return undefined;
        done += alike.ms;
        left += alike.ended === 0 ? 0 : (alike.ms / alike.ended) * alike.left;
      }
      return { done, left };
    },
  };
}

/** As fast as it went so far. It names only whole minutes, or tens of seconds: more would be a promise. */
function remaining(work: Sums | undefined, elapsed: number): string {
  if (work === undefined || work.done < ENOUGH || work.left <= 0 || elapsed <= 0) return '';
  const seconds = ((work.left / work.done) * elapsed) / 1000;
  if (seconds < 10) return ', less than 10 s left';
  return seconds < 60
    ? `, about ${Math.round(seconds / 10) * 10} s left`
    : `, about ${Math.ceil(seconds / 60)} min left`;
}

/** Whole seconds: tenths would make every line move all the time. */
function formatTicks(ms: number): string {
  return ms < 60_000 ? `${Math.max(0, Math.floor(ms / 1000))} s` : formatSeconds(ms / 1000);
}

/** One column a character, whatever a tool wrote: else nobody knows how many rows a line takes. */
function ascii(line: string): string {
  return line.replace(/[^\x20-\x7e]/gu, '?');
}

/** Both ends tell a task apart: whose it is, and which step, as `#build`. */
function middle(text: string, room: number): string {
  if (text.length <= room) return text;
  const end = Math.floor((room - 1) / 2);
  return `${text.slice(0, room - 1 - end)}…${text.slice(-end)}`;
}
