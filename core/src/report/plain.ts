/** One line an event that people care about, for logs without a terminal. Pure: `undefined` where there is nothing to say. */
import type { Event, Row } from '../journal/events.ts';
import { clean, formatDigest, formatFailure, formatSeconds } from './wording.ts';

export function plainLines(event: Event): readonly string[] {
  switch (event.type) {
    case 'run.start':
      return [`run ${event.run}: ${event.entries.length} ${event.entries.length === 1 ? 'entry' : 'entries'}`];
    case 'entry.chain':
      return [`${event.entry}: ${clean(event.why)}`];
    case 'task.log':
      return [`  ${event.task}: ${clean(event.line)}`];
    case 'task.retry':
      return [`  ${event.task}: ${clean(event.failure.message)}; again in ${formatSeconds(event.wait / 1000)}`];
    case 'task.done':
      return event.state === 'ok' || event.state === 'skipped' || event.state === 'cancelled' ? [] : doneLines(event);
    case 'entry.done':
      return event.rows.map(rowLine);
    case 'warning':
      return [`warning: ${clean(event.message)}`];
    case 'task.start':
    case 'task.tool':
    case 'run.done':
      return [];
  }
}

function doneLines(event: Extract<Event, { readonly type: 'task.done' }>): readonly string[] {
  if (event.failure === undefined) return [];
  const [first = '', ...rest] = formatFailure(event.failure);
  return [`  ${event.task}: ${event.state}: ${first}`, ...rest.map((line) => `  ${line}`)];
}

function rowLine(row: Row): string {
  const why = row.outcome === 'published' ? (row.before === null ? 'new' : `was ${formatDigest(row.before)}`) : clean(row.why);
  return `${row.outcome} ${row.destination} ${formatDigest(row.digest)} (${formatSeconds(row.seconds)}): ${why}`;
}
