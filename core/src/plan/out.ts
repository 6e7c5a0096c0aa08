/** References from a task's input to other tasks' outputs. A task's `needs` are found by walking its input, never typed by hand. */
import type { Data, Out } from './model.ts';

/** `{ $out: task, path }` as data. */
export function out(task: string, path: string): Out & { readonly [key: string]: Data } {
  return { $out: task, path };
}

/** The tasks that `input` names, sorted, each once. */
export function needsOf(input: Data): readonly string[] {
  const found = new Set<string>();
  const open: Data[] = [input];
  for (let data = open.pop(); data !== undefined; data = open.pop()) {
    if (data === null || typeof data !== 'object') continue;
    if (isOut(data)) found.add(data.$out);
    else for (const part of Array.isArray(data) ? (data as readonly Data[]) : Object.values(data)) open.push(part);
  }
  return [...found].sort();
}

function isOut(data: object): data is Out {
  return '$out' in data && typeof data.$out === 'string';
}
