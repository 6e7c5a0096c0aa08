/** What keeps one try of a task within its time: a signal of its own, and an end for a step that does not heed it. */
import { cancelled, type Failure, type Result } from '../failure.ts';
import type { Task } from '../plan/model.ts';

/** How long a step may take to notice that it was told to stop, in milliseconds. */
const GRACE = 1_500;

/** Calls `work` once. A step that does not notice that it is to stop is left behind after a grace period. */
export type Within = (task: Task, work: (signal: AbortSignal) => Promise<Result<unknown>>) => Promise<Result<unknown>>;

/** `signal`: the run's, which ends all that is at work. `limit` in milliseconds. */
export function createTimeLimit(signal: AbortSignal, limit: number): Within {
  /**
   * Ends each task that is at work. One listener for all of them, because deriving a signal from the run's for each task costs more time
   * than asking a registry.
   */
  const underWay = new Set<(reason: unknown) => void>();
  signal.addEventListener('abort', () => underWay.forEach((end) => end(signal.reason)), { once: true });
  return async (task, work) => {
    const own = new AbortController();
    const { promise: late, resolve } = Promise.withResolvers<Result<unknown>>();
    let expired = false;
    let grace: NodeJS.Timeout | undefined;
    const end = (reason: unknown): void => {
      own.abort(reason);
      grace ??= setTimeout(() => resolve({ ok: false, failure: cancelled }), GRACE);
    };
    // These two keep the process alive: a step that waits for nothing that Node knows of would else end the run with it.
    const timer = setTimeout(() => {
      expired = true;
      end(new DOMException(`${task.id} takes too long`, 'TimeoutError'));
    }, limit);
    underWay.add(end);
    if (signal.aborted) end(signal.reason);
    try {
      const result = await Promise.race([work(own.signal), late]);
      return !result.ok && expired && !signal.aborted
        ? { ok: false, failure: timedOut(task, limit, result.failure) }
        : result;
    } finally {
      clearTimeout(timer);
      clearTimeout(grace);
      underWay.delete(end);
    }
  };
}

/** `stopped`: what the step made of its end, which names the program or the plugin that it waited for. */
function timedOut(task: Task, limit: number, stopped: Failure): Failure {
  const tool = stopped.reason === 'tool' ? stopped.tool : task.contract;
  const waitedFor = stopped.reason === 'plugin' ? `plugin ${stopped.plugin}` : tool;
  const who = waitedFor === task.contract ? '' : `: ${waitedFor} was still at work`;
  return {
    reason: 'tool',
    class: 'permanent',
    tool,
    message: `${task.id} did not end within ${Math.round(limit / 1000)} s${who}`,
    hint: 'raise limits.task in the settings if it needs more, or look at its log for what it waited for',
  };
}
