/** When each task ran, in which lane, and which tasks decided how long it all took. Pure. */
import type { AnnouncedTask, Event, TaskState } from '../../journal/events.ts';
import { isPackageTask, shortTaskName } from '../../plan/task-id.ts';

export interface TimedTask {
  readonly id: string;
  /** Absent for what several entries share: packages, and the tags that move together. */
  readonly entry?: string;
  /** `scan`, or of a package its config. */
  readonly step: string;
  /** Milliseconds since the run began; a task that never started has none. */
  readonly start?: number;
  /** Of a task that runs still, to the end of the journal. */
  readonly ms: number;
  /** Milliseconds that it could have begun earlier, had there been a place for it. */
  readonly waited?: number;
  /** How often it was tried; absent when once was enough. */
  readonly attempts?: number;
  readonly state: TaskState | 'waiting' | 'running';
  /** Had it been quicker, the run would have been. */
  readonly critical: boolean;
}

export interface Timeline {
  readonly tasks: readonly TimedTask[];
  readonly edges: readonly (readonly [from: string, to: string])[];
}

interface Seen {
  readonly task: AnnouncedTask;
  start?: number;
  end?: number;
  ms: number;
  attempts: number;
  state: TimedTask['state'];
}

export function timelineOf(events: readonly Event[]): Timeline {
  const began = events[0]?.t ?? 0;
  const last = Math.max(0, (events.at(-1)?.t ?? began) - began);
  const seen = new Map<string, Seen>();
  const announce = (tasks: readonly AnnouncedTask[]): void => {
    for (const task of tasks) if (!seen.has(task.id)) seen.set(task.id, { task, ms: 0, attempts: 0, state: 'waiting' });
  };
  for (const event of events) {
    // A clock that was put back meanwhile puts nothing before the run.
    const at = Math.max(0, event.t - began);
    if (event.type === 'run.start' || event.type === 'entry.chain') announce(event.tasks);
    else if (event.type === 'task.start') {
      const task = seen.get(event.task);
      if (task === undefined) continue;
      task.start ??= at;
      task.state = 'running';
      task.attempts = Math.max(task.attempts, event.attempt);
    } else if (event.type === 'task.done') {
      const task = seen.get(event.task);
      if (task === undefined) continue;
      task.end = at;
      task.ms = event.ms;
      task.state = event.state;
    }
  }
  const critical = criticalTasks(seen);
  return {
    tasks: [...seen.values()].map(({ task, start, ms, attempts, state }) => ({
      id: task.id,
      ...(task.entry === null ? {} : { entry: task.entry }),
      step: shortTaskName(task),
      ...(start === undefined ? {} : { start, ...waitOf(task, start, seen) }),
      ms: state === 'running' ? Math.max(0, last - (start ?? last)) : ms,
      ...(attempts > 1 ? { attempts } : {}),
      state,
      critical: critical.has(task.id),
    })),
    edges: edgesOf(seen),
  };
}

/** Between the end of what it needs and its own beginning; less than a tenth of a second is none. */
function waitOf(
  { needs = [] }: AnnouncedTask,
  start: number,
  seen: ReadonlyMap<string, Seen>,
): Pick<TimedTask, 'waited'> {
  const waited = start - needs.reduce((latest, need) => Math.max(latest, seen.get(need)?.end ?? 0), 0);
  return waited < 100 ? {} : { waited };
}

/** From what ended last, back through whichever need ended last; a step's own probe goes before all of its chain. */
function criticalTasks(seen: ReadonlyMap<string, Seen>): ReadonlySet<string> {
  const path = new Set<string>();
  const last = (ids: readonly string[]): Seen | undefined =>
    ids
      .map((id) => seen.get(id))
      .filter((one): one is Seen => one?.end !== undefined && !path.has(one.task.id))
      .reduce<Seen | undefined>(
        (latest, one) => (latest === undefined || (one.end ?? 0) > (latest.end ?? 0) ? one : latest),
        undefined,
      );
  for (let current = last([...seen.keys()]); current !== undefined; current = last(current.task.needs ?? [])) {
    path.add(current.task.id);
  }
  return path;
}

function edgesOf(seen: ReadonlyMap<string, Seen>): Timeline['edges'] {
  const edges = new Map<string, readonly [string, string]>();
  for (const { task } of seen.values()) {
    for (const need of task.needs ?? []) {
      const other = seen.get(need)?.task;
      const [from, to] = [other === undefined ? undefined : boxOf(other), boxOf(task)];
      if (from === undefined || to === undefined || from === to) continue;
      edges.set(`${from} ${to}`, [from, to]);
    }
  }
  return [...edges.values()];
}

/** What stands for a task in the graph: its entry, or the package that it builds; what is between all of them stands for none. */
function boxOf({ id, entry }: AnnouncedTask): string | undefined {
  return entry ?? (isPackageTask(id) ? id : undefined);
}
