/** What a step threw that nobody expected: it fails its task, and the others go on. */
import { createRedactor } from '../exec/redact.ts';
import type { ToolFailure } from '../failure.ts';
import type { Task } from '../plan/model.ts';
import { plainText } from '../trust/strict.ts';

const redact = createRedactor([]);

/** Named as a bug, so that nobody looks for it in a registry or a config. */
export function bugFailure({ id, contract }: Pick<Task, 'id' | 'contract'>, error: unknown): ToolFailure {
  const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    reason: 'tool',
    class: 'permanent',
    tool: contract,
    message: `${id} met a bug in slipway: ${plainText(redact(said))}`,
    hint: "set SLIPWAY_DEBUG=1 and run it again: the task's log then has the details to report",
  };
}

/** Where it was thrown, a line each, for whoever wants to know; nothing unless SLIPWAY_DEBUG is set. */
export function traceOf(error: unknown, env = process.env): readonly string[] {
  if (env['SLIPWAY_DEBUG'] === undefined || !(error instanceof Error)) return [];
  return redact(error.stack ?? error.message).split('\n');
}
