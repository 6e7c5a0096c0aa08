/** What tools wrote while a task failed: kept from the events, to be shown whole, once, at the end. */
import type { Event } from '../journal/events.ts';

/** Lines of one task that are kept; the journal has all. */
const MAX_LINES = 500;

export interface TaskLogs {
  event(event: Event): void;
  /** By entry id, or by a package's task id: what its failed task wrote in its last attempt. */
  readonly failed: ReadonlyMap<string, readonly string[]>;
}

export function taskLogs(): TaskLogs {
  const entries = new Map<string, string>();
  const running = new Map<string, string[]>();
  const failed = new Map<string, readonly string[]>();
  return {
    failed,
    event(event) {
      switch (event.type) {
        case 'run.start':
        case 'entry.chain':
          for (const { id, entry } of event.tasks) entries.set(id, entry ?? id);
          break;
        case 'task.start':
          running.set(event.task, []);
          break;
        case 'task.log': {
          const lines = running.get(event.task);
          lines?.push(event.line);
          if (lines !== undefined && lines.length > MAX_LINES) lines.shift();
          break;
        }
        case 'task.done': {
          const lines = running.get(event.task) ?? [];
          running.delete(event.task);
          if (event.state === 'failed' && lines.length > 0) failed.set(entries.get(event.task) ?? event.task, lines);
          break;
        }
        case 'task.progress':
        case 'task.tool':
        case 'task.retry':
        case 'tag.move':
        case 'image':
        case 'entry.done':
        case 'warning':
        case 'run.done':
          break;
      }
    },
  };
}
