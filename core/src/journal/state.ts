/** The state of a run is a fold over its events, for whoever reads a journal: any prefix of one says how far the run had come. */
import type { Failure } from '../failure.ts';
import type { Event, Row, TaskState } from './events.ts';

export interface Deletion {
  /** `registry/repository:tag`. */
  readonly tag: string;
  /** What it names, or named. */
  readonly digest: string;
  /** `unfinished` while it runs, or when that was killed: it may be gone. */
  readonly state: 'deleted' | 'failed' | 'unfinished';
  /** The registry was asked to: what failed after that may be gone all the same. */
  readonly asked: boolean;
  readonly failure?: Failure;
}

export interface RunState {
  readonly run: string | undefined;
  /** Every announced task; `running` and `waiting` until its one `task.done`. */
  readonly tasks: ReadonlyMap<string, TaskState | 'waiting' | 'running'>;
  readonly rows: readonly Row[];
  /** By tag: each that was deleted, or was to be. */
  readonly deletions: ReadonlyMap<string, Deletion>;
  /** Absent while it runs, or when it was killed. */
  readonly exitCode: number | undefined;
}

export function foldEvents(events: Iterable<Event>): RunState {
  const tasks = new Map<string, TaskState | 'waiting' | 'running'>();
  const rows: Row[] = [];
  const deletions = new Map<string, Deletion>();
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
      case 'tag.delete': {
        const { tag, digest } = event;
        deletions.set(tag, { tag, digest, state: 'unfinished', asked: true });
        break;
      }
      case 'tag.done': {
        const { tag, digest, failure } = event;
        const state = event.state === 'deleted' ? 'deleted' : 'failed';
        const asked = deletions.get(tag)?.asked === true;
        deletions.set(tag, { tag, digest, state, asked, ...(failure === undefined ? {} : { failure }) });
        break;
      }
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
  return { run, tasks, rows, deletions, exitCode };
}
