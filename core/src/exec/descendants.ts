/** Finds and signals processes that are not our children any more. */
import { readdirSync, readFileSync } from 'node:fs';

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

/** A negative pid is a process group. Nothing happens when it is gone. */
export function signalProcess(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already, which is what we want.
  }
}
