/** Finds and signals processes that are not our children any more. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** Milliseconds for which killed processes are waited for; the kernel needs a few, and no longer than that for one that hangs in it. */
const PATIENCE = 2000;

/**
 * Pids of all processes whose environment holds `mark` (`NAME=value`), which children inherit even when they leave the process
 * group or their parent dies. Empty where there is no /proc.
 */
export function processesMarked(mark: string): readonly number[] {
  let names: readonly string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return [];
  }
  return names.filter((name) => /^[0-9]+$/.test(name) && hasMark(name, mark)).map(Number);
}

function hasMark(pid: string, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark);
  } catch {
    // It ended meanwhile, or belongs to someone else.
    return false;
  }
}

/** Kills all that hold `mark`, but us and `others`, and comes back when they are gone: what they start meanwhile holds it too. */
export async function endMarked(mark: string, others: ReadonlySet<number> = new Set()): Promise<void> {
  const until = performance.now() + PATIENCE;
  do {
    const pids = processesMarked(mark).filter((pid) => pid !== process.pid && !others.has(pid));
    if (pids.length === 0) return;
    for (const pid of pids) signalProcess(pid, 'SIGKILL');
    await wait(10);
  } while (performance.now() < until);
}

/** A negative pid is a process group. Nothing happens when it is gone. */
export function signalProcess(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already, which is what we want.
  }
}
