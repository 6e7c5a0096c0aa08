/** A task is done: its input is put together, its step is called, and tried again where that can help. */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { cancelled, type Result } from '../failure.ts';
import type { Task } from '../plan/model.ts';
import { bugFailure, traceOf } from './bug-failure.ts';
import type { Engine, StepContext } from './engine.ts';
import type { TaskEnd } from './loop.ts';
import { perform } from './perform.ts';
import { resolveInput } from './resolve-input.ts';
import { stateFailure } from './state-failure.ts';
import { endOf, notOk } from './task-end.ts';
import { createTimeLimit } from './time-limit.ts';

/** First wait before a transient failure is tried again, in milliseconds; it doubles. */
const FIRST_WAIT = 500;

/** `signal`: the run's. `contextOf` gives what each try of a task works with, beside a signal of its own. */
export function createTries(
  engine: Engine,
  signal: AbortSignal,
  contextOf: (task: Task) => Omit<StepContext, 'signal'>,
): (task: Task, outputs: ReadonlyMap<string, unknown>) => Promise<TaskEnd> {
  const { task: limit, tries } = engine.settings.limits;
  const within = createTimeLimit(signal, limit);

  return async (task, outputs) => {
    const context = contextOf(task);
    for (let attempt = 1; ; attempt += 1) {
      engine.emit({ type: 'task.start', task: task.id, attempt });
      const input = resolveInput(task.input, outputs);
      const result = await within(task, (own) => tryStep({ ...context, signal: own }, input));
      if (result.ok) return endOf(context, result.value);
      const { failure } = result;
      if (failure.class !== 'transient' || attempt >= tries || signal.aborted) return notOk(failure, signal);
      const wait = FIRST_WAIT * 2 ** (attempt - 1) + randomInt(FIRST_WAIT / 2);
      engine.emit({ type: 'task.retry', task: task.id, failure, wait });
      await sleep(wait, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return notOk(cancelled, signal);
    }
  };
}

/** A full disk is no bug, and a bug in what was made of one entry's answers is none of the others': each fails the task that met it. */
async function tryStep(step: StepContext, input: unknown): Promise<Result<unknown>> {
  try {
    return await perform(step, input);
  } catch (error) {
    const failure = stateFailure(error);
    if (failure === undefined) for (const line of traceOf(error)) step.log(line);
    return { ok: false, failure: failure ?? bugFailure(step.task, error) };
  }
}
