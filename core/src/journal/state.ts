/** The state of a run is a fold over its events, for whoever reads a journal: any prefix of one says how far the run had come. */
import type { Event, Row, TaskState } from './events.ts';

export interface RunState {
  readonly run: string | undefined;
  /** Every announced task; `running` and `waiting` until its one `task.done`. */
  readonly tasks: ReadonlyMap<string, TaskState | 'waiting' | 'running'>;
  readonly rows: readonly Row[];
  /** Absent while it runs, or when it was killed. */
  readonly exitCode: number | undefined;
}

export function foldEvents(events: Iterable<Event>): RunState {
  const tasks = new Map<string, TaskState | 'waiting' | 'running'>();
  const rows: Row[] = [];
  let run: string | undefined;
  let exitCode: number | undefined;
  for (const event of events) {
    switch (event.type) {
      case 'run.start':
        run = event.run;
        for (const task of event.tasks) tasks.set(task.id, 'waiting');
        break;
      case 'entry.chain':
        for (const task of event.tasks) if (!tasks.has(task.id)) tasks.set(task.id, 'waiting');
        break;
      case 'task.start':
        tasks.set(event.task, 'running');
        break;
      case 'task.done':
        tasks.set(event.task, event.state);
        break;
      case 'entry.done':
        rows.push(...event.rows);
        break;
      case 'run.done':
        exitCode = event.exitCode;
        break;
      case 'task.log':
      case 'task.progress':
      case 'task.tool':
      case 'task.retry':
      case 'tag.move':
      case 'image':
      case 'warning':
        break;
    }
  }
  return { run, tasks, rows, exitCode };
}
