/** What tools wrote while a task failed: kept from the events, to be shown whole, once, at the end. */
import type { Event } from '../journal/events.ts';

/** Lines of one task that are kept unless told; the journal has all. */
const MAX_LINES = 500;

/** The last lines of a task, and how many were before them. */
export interface TaskLog {
  readonly lines: readonly string[];
  readonly left: number;
}

export interface TaskLogs {
  event(event: Event): void;
  /** By entry id, or by a package's task id: what the first of its tasks that failed wrote in its last attempt. */
  readonly failed: ReadonlyMap<string, TaskLog>;
}

export function taskLogs(most = MAX_LINES): TaskLogs {
  const entries = new Map<string, string>();
  const running = new Map<string, { readonly lines: string[]; left: number }>();
  /** Their rows tell the first failure, so nothing that failed after it is shown below that. */
  const told = new Set<string>();
  const failed = new Map<string, TaskLog>();
  return {
    failed,
    event(event) {
      switch (event.type) {
        case 'run.start':
        case 'entry.chain':
          for (const { id, entry } of event.tasks) entries.set(id, entry ?? id);
          break;
        case 'task.start':
          running.set(event.task, { lines: [], left: 0 });
          break;
        case 'task.log': {
          const log = running.get(event.task);
          if (log === undefined) break;
          log.lines.push(event.line);
          if (log.lines.length > most) {
            log.lines.shift();
            log.left += 1;
          }
          break;
        }
        case 'task.done': {
          const log = running.get(event.task);
          const owner = entries.get(event.task) ?? event.task;
          running.delete(event.task);
          if (event.state === 'ok' || told.has(owner)) break;
          told.add(owner);
          if (event.state === 'failed' && log !== undefined && log.lines.length > 0) failed.set(owner, log);
          break;
        }
        case 'task.progress':
        case 'task.tool':
        case 'task.retry':
        case 'tag.move':
        case 'tag.delete':
        case 'tag.done':
        case 'image':
        case 'entry.done':
        case 'warning':
        case 'run.done':
          break;
      }
    },
  };
}
