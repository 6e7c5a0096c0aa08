/** Progress for logs without a terminal: what begins if it takes long, what ended and how long it took, each entry's end. */
import { entryOfTask } from '../plan/task-id.ts';
import type { AnnouncedTask, Event, Row } from '../journal/events.ts';
import { headline } from './failure.ts';
import { clean, formatDigest, formatSeconds } from './wording.ts';

export interface PlainView {
  /** The lines to show for an event; what tools wrote is not among them, see {@link taskLogs}. */
  lines(event: Event): readonly string[];
}

/** Contracts whose work can take minutes: their start is worth a line. */
const LONG = /^(?:package\.build|image\.build|image\.copy)@/;

/** Milliseconds below which a step's end is not worth a line. */
const QUICK = 100;

export function plainView(): PlainView {
  const contracts = new Map<string, string>();
  /** Entries of which it was told why they failed: not of a selection, which has no task, nor of one that lacks a package. */
  const told = new Set<string>();
  const announce = (tasks: readonly AnnouncedTask[]): void => {
    for (const { id, contract } of tasks) contracts.set(id, contract);
  };
  const linesOf = (event: Event): readonly string[] => {
    switch (event.type) {
      case 'run.start':
        announce(event.tasks);
        return [`run ${event.run}: ${event.entries.length} ${event.entries.length === 1 ? 'entry' : 'entries'}`];
      case 'entry.chain':
        announce(event.tasks);
        return [`${event.entry}: ${event.why}`];
      case 'task.start':
        return event.attempt === 1 && LONG.test(contracts.get(event.task) ?? '') ? [`  ${event.task} begins`] : [];
      case 'task.retry':
        return [`  ${event.task}: ${headline(event.failure)}; again in ${formatSeconds(event.wait / 1000)}`];
      case 'task.done':
        if (event.state === 'failed' || event.state === 'refused') told.add(entryOfTask(event.task));
        return doneLines(event, contracts.get(event.task) ?? '');
      case 'entry.done':
        return event.rows.map((row) => rowLine(row, told.has(event.entry)));
      case 'warning':
        return [`warning: ${event.message}`];
      case 'tag.move':
      case 'tag.delete':
      case 'tag.done':
      case 'image':
      case 'task.progress':
      case 'task.log':
      case 'task.tool':
      case 'run.done':
        return [];
    }
  };
  // Whole lines: a location may have in its path what a registry's name cannot.
  return { lines: (event) => linesOf(event).map(clean) };
}

/** The core's own steps are quick and many: only their failures are told. */
function doneLines(
  { task, state, ms, failure }: Extract<Event, { readonly type: 'task.done' }>,
  contract: string,
): readonly string[] {
  const seconds = formatSeconds(ms / 1000);
  if (state === 'ok') return contract.startsWith('core.') || ms < QUICK ? [] : [`  ${task} ended (${seconds})`];
  if (failure === undefined || (state !== 'failed' && state !== 'refused')) return [];
  return [`  ${task} ${state} (${seconds}): ${headline(failure)}`];
}

/** `told`: why it failed was said when its task ended. */
function rowLine(row: Row, told: boolean): string {
  const line = `${row.outcome} ${row.destination} ${formatDigest(row.digest)} (${formatSeconds(row.seconds)})`;
  if (row.outcome === 'cancelled') return line;
  if (row.outcome === 'failed' || row.outcome === 'refused')
    return told || row.failure === undefined ? line : `${line}: ${headline(row.failure)}`;
  const why = row.outcome === 'published' ? (row.before === null ? 'new' : `was ${formatDigest(row.before)}`) : row.why;
  return `${line}: ${why}`;
}
