/**
 * How tasks are called. A step of one entry is `<entry id>#<step>`, as `build:ghcr.io/a/b:1#scan`. A task that several entries share
 * belongs to none of them: `package:hello.yaml`, `together`.
 */
import type { Step, Task } from './model.ts';

/** `join` makes one flat text. A template would keep its parts and a note of how they follow each other, and plans have many ids. */
export function taskId(entry: string, step: Step): string {
  return [entry, step].join('#');
}

const PACKAGE = 'package:';

export function packageTaskId(config: string): string {
  return PACKAGE + config;
}

export function isPackageTask(id: string): boolean {
  return id.startsWith(PACKAGE);
}

/** Of a task that belongs to an entry, the entry. */
export function entryOfTask(id: string): string {
  return id.slice(0, id.lastIndexOf('#'));
}

/** Undefined for a task that entries share. */
export function stepOfTask({ id, entry }: Pick<Task, 'id' | 'entry'>): Step | undefined {
  return entry === null ? undefined : (id.slice(entry.length + 1) as Step);
}

/** Where the entry is said already: `scan`; of a package, its config. */
export function shortTaskName(task: Pick<Task, 'id' | 'entry'>): string {
  return stepOfTask(task) ?? task.id.slice(task.id.indexOf(':') + 1);
}
