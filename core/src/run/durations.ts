/**
 * How long tasks took in earlier runs, kept between runs: what is longest starts first, and what is left can be estimated.
 * Losing it costs the order of one run; so does a file that came with a checkout, which is why it needs no mark.
 */
import { join } from 'node:path';
import { readNumbers, replaceFile } from './saved-files.ts';

export interface Durations {
  /** Milliseconds that the task took last; what its kind of task usually takes when it never ran; undefined: nothing is known. */
  of(task: string): number | undefined;
  add(task: string, ms: number): void;
  /** Writes what is known for the next run, if it can. */
  save(): void;
}

/** Milliseconds: what is quicker says nothing, and would make the file large. */
const WORTH_KEEPING = 50;
const MAX_KEPT = 50_000;
const MAX_BYTES = 64 * 1024 * 1024;

export function openDurations(folder: string): Durations {
  const file = join(folder, 'durations.json');
  let kept: Map<string, number> | undefined;
  let usual: ReadonlyMap<string, number> | undefined;
  let changed = false;
  /** Read when first asked: a run in which nothing is to be done needs none of it. */
  const known = (): Map<string, number> => (kept ??= readNumbers(file, MAX_BYTES));
  return {
    of(task) {
      const own = known().get(task);
      if (own !== undefined) return own;
      usual ??= means(known());
      return usual.get(kindOf(task));
    },
    add(task, ms) {
      if (ms < WORTH_KEEPING && !known().has(task)) return;
      // Last in the order in which the oldest are dropped.
      known().delete(task);
      known().set(task, Math.round(ms));
      changed = true;
    },
    save() {
      if (changed) replaceFile(file, JSON.stringify(Object.fromEntries([...known()].slice(-MAX_KEPT))));
    },
  };
}

/** `scan` of `build:ghcr.io/a/b:1#scan`, `package` of `package:hello.yaml`. */
function kindOf(task: string): string {
  const step = task.lastIndexOf('#');
  return step < 0 ? task.slice(0, Math.max(0, task.indexOf(':'))) : task.slice(step + 1);
}

function means(durations: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const groups = Map.groupBy(durations, ([task]) => kindOf(task));
  return new Map([...groups].map(([kind, all]) => [kind, all.reduce((sum, [, ms]) => sum + ms, 0) / all.length]));
}
