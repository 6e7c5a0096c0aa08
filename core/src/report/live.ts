/** What a live view shows, as text lines: a fold over the events, drawn by whoever has a screen. */
import type { Event } from '../journal/events.ts';
import { formatSeconds } from './wording.ts';

/** Running tasks that are shown; more are counted, so that a thousand entries stay readable. */
const MAX_RUNNING = 8;

export interface LiveView {
  event(event: Event): void;
  /** `now` in milliseconds since 1970; printable ASCII and `…`, each line at most `columns` long. */
  lines(now: number, columns: number): readonly string[];
}

export function liveView(): LiveView {
  const running = new Map<string, { readonly since: number; last: string }>();
  const outcomes = new Map<string, number>();
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
        case 'task.start':
          running.set(event.task, { since: event.t, last: '' });
          break;
        case 'task.log': {
          const task = running.get(event.task);
          if (task !== undefined) task.last = event.line;
          break;
        }
        case 'task.done':
          running.delete(event.task);
          break;
        case 'entry.done':
          ended += 1;
          for (const { outcome } of event.rows) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
          break;
        case 'entry.chain':
        case 'task.tool':
        case 'task.retry':
        case 'warning':
        case 'run.done':
          break;
      }
    },
    lines(now, columns) {
      if (start === undefined) return [];
      const counts = [...outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
      const head = `${ended}/${entries} entries${counts === '' ? '' : `: ${counts}`}  ${formatTicks(now - start)}`;
      const shown = [...running]
        .slice(0, MAX_RUNNING)
        .map(
          ([task, { since, last }]) =>
            `  ${formatTicks(now - since).padStart(5)}  ${task}${last === '' ? '' : `  ${last}`}`,
        );
      const more = running.size - shown.length;
      return [head, ...shown, ...(more > 0 ? [`  and ${more} more`] : [])].map((line) => cut(ascii(line), columns));
    },
  };
}

/** Whole seconds: tenths would make every line move all the time. */
function formatTicks(ms: number): string {
  return ms < 60_000 ? `${Math.max(0, Math.floor(ms / 1000))} s` : formatSeconds(ms / 1000);
}

/** One column a character, whatever a tool wrote: else nobody knows how many rows a line takes. */
function ascii(line: string): string {
  return line.replace(/[^\x20-\x7e]/gu, '?');
}

function cut(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}
