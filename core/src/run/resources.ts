/** Which queue a task waits in. */
import type { Task, TaskContract } from '../plan/model.ts';

const NETWORK_STEPS: ReadonlySet<TaskContract> = new Set([
  'core.probe@1',
  'core.resolve@1',
  'core.admit@1',
  'image.verify@1',
  'image.copy@1',
  'core.push@1',
  'core.attach@1',
  'core.verify@1',
  'core.tag@1',
]);

/** What waits for a registry must never hold up what needs a CPU, and the other way round. */
export function isNetworkBound(task: Task): boolean {
  return NETWORK_STEPS.has(task.contract);
}
