/** What failed tasks wrote, whole: a page shows the end of it, and says how much there was. Pure. */
import type { Event } from '../../journal/events.ts';

/** By entry id, or by a package's task id: the lines of its failed task's last attempt. */
export function failedLogs(events: readonly Event[]): ReadonlyMap<string, readonly string[]> {
  const owners = new Map<string, string>();
  const written = new Map<string, string[]>();
  const failed = new Map<string, readonly string[]>();
  for (const event of events) {
    if (event.type === 'run.start' || event.type === 'entry.chain')
      for (const { id, entry } of event.tasks) owners.set(id, entry ?? id);
    else if (event.type === 'task.start') written.set(event.task, []);
    else if (event.type === 'task.log') written.get(event.task)?.push(event.line);
    else if (event.type === 'task.done' && event.state === 'failed') {
      const lines = written.get(event.task) ?? [];
      if (lines.length > 0) failed.set(owners.get(event.task) ?? event.task, lines);
    }
  }
  return failed;
}
