/** What a live view shows, as text lines: a fold over the events, drawn by whoever has a screen. */
import type { Event } from '../journal/events.ts';
import { clean, formatSeconds } from './wording.ts';

/** Running tasks that are shown; more are counted, so that a thousand entries stay readable. */
const MAX_RUNNING = 8;

export interface LiveView {
  event(event: Event): void;
  /** `now` in milliseconds since 1970; lines are cut to `columns`. */
  lines(now: number, columns: number): readonly string[];
}

export function liveView(): LiveView {
  const running = new Map<string, { readonly since: number; last: string }>();
  const outcomes = new Map<string, number>();
  let entries = 0;
  let ended = 0;
  let start = 0;
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
          if (task !== undefined) task.last = clean(event.line);
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
      const counts = [...outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
      const head = `${ended}/${entries} entries${counts === '' ? '' : `: ${counts}`}  ${formatSeconds((now - start) / 1000)}`;
      const shown = [...running].slice(0, MAX_RUNNING).map(([task, { since, last }]) => `  ${formatSeconds((now - since) / 1000).padStart(7)}  ${task}${last === '' ? '' : `  ${last}`}`);
      const more = running.size - shown.length;
      return [head, ...shown, ...(more > 0 ? [`  and ${more} more`] : [])].map((line) => cut(line, columns));
    },
  };
}

function cut(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}
