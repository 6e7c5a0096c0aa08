/** Why an entry would run now, what would follow, and about how long that takes. Pure. */
import type { Failure } from '../failure.ts';
import type { Change } from '../journal/events.ts';
import { planGraph, reachable } from '../plan/graph.ts';
import type { Plan } from '../plan/model.ts';
import { shortTaskName } from '../plan/task-id.ts';
import type { ProbeAnswer } from '../run/look.ts';

export interface Ahead {
  readonly id: string;
  readonly goal: boolean;
  readonly why: string;
  readonly changes: readonly Change[];
  /** Of its own chain, in order; empty when nothing is to be done. */
  readonly steps: readonly string[];
  /** Milliseconds of its steps in earlier runs; absent when nothing is to be done or nothing is known. */
  readonly ms?: number;
  /** Entries that take its digest, directly or through others, and so may have to run too. */
  readonly dependents: readonly string[];
  /** Why nobody knows whether it has to run, in place of steps and dependents. */
  readonly failure?: Failure;
}

export function lookAhead(
  plan: Plan,
  answers: readonly ProbeAnswer[],
  /** Milliseconds of a task, if known. */
  duration: (task: string) => number | undefined,
): readonly Ahead[] {
  const graph = planGraph(plan);
  const tasksOf = Map.groupBy(plan.tasks, ({ entry }) => entry);
  const entryOf = new Map(plan.tasks.map(({ id, entry }) => [id, entry]));
  const order = new Map(plan.entries.map(({ id }, index) => [id, index]));
  const inPlan = (one: string, other: string): number => (order.get(one) ?? 0) - (order.get(other) ?? 0);
  return answers.map(({ id, goal, why, changes = [], failure }) => {
    if (failure !== undefined) return { id, goal, why, changes, steps: [], dependents: [], failure };
    if (goal) return { id, goal, why, changes, steps: [], dependents: [] };
    const own = (tasksOf.get(id) ?? []).filter(({ contract }) => contract !== 'core.probe@1');
    const after = reachable(
      graph,
      own.map((task) => task.id),
      'dependents',
    );
    const dependents = new Set([...after].flatMap((task) => entryOf.get(task) ?? []));
    dependents.delete(id);
    const ms = own.reduce((sum, task) => sum + (duration(task.id) ?? 0), 0);
    const steps = own.map((task) => shortTaskName(task));
    return { id, goal, why, changes, steps, ...(ms === 0 ? {} : { ms }), dependents: [...dependents].toSorted(inPlan) };
  });
}
