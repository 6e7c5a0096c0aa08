/** Who owns what lies on the disk: a process, told from every other one, so that what a killed one left behind is known as such. */
import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** A process, told also from a later one with its pid. */
export interface Owner {
  /** The machine's name: another boot of this one has ended all its processes, what another one does nobody here can see. */
  readonly host?: string;
  readonly boot: string;
  /** Pids mean something only inside their namespace. */
  readonly namespace: string;
  readonly pid: number;
  /** Start time from /proc/PID/stat, in clock ticks after boot: tells a process from a later one with its pid. */
  readonly start: string;
}

/** An owner in another container, or on another machine, cannot be looked up; after this long it is taken to be gone. Milliseconds. */
const FOREIGN_AGE = 24 * 3600 * 1000;

const NAME = /^([0-9a-f]{8})-(\d+)-(\d+)$/;

/** The name in the environment of what an owner has started. */
export const OWNER = 'SLIPWAY_OWNER';

let own: Promise<Owner> | undefined;

export function thisProcess(): Promise<Owner> {
  return (own ??= ownerOf(process.pid));
}

/** A pid alone says nothing: it may be one of another container. */
export async function isThisProcess(owner: Partial<Owner>): Promise<boolean> {
  const { boot, namespace, pid, start } = await thisProcess();
  return owner.boot === boot && owner.namespace === namespace && owner.pid === pid && owner.start === start;
}

/** Whether a process that wrote itself down at `written` (milliseconds since the epoch) is still there. */
export async function isRunningStill(owner: Partial<Owner>, written: number): Promise<boolean> {
  if (typeof owner.pid !== 'number') {
    return false;
  }
  const now = await ownerOf(owner.pid);
  const elsewhere = owner.host !== undefined && owner.host !== now.host;
  if (owner.boot !== now.boot && !elsewhere) {
    return false;
  }
  if (elsewhere || owner.namespace !== now.namespace) {
    return Date.now() - written < FOREIGN_AGE;
  }
  return owner.start === now.start && now.start !== '';
}

/**
 * What stands in the environment of every process that `owner` starts, as `NAME=value`; they pass it on to those that they
 * start. Undefined where pids or start times cannot be told: then nothing could be found by it without a doubt.
 */
export function ownerMark({ boot, namespace, pid, start }: Owner): string | undefined {
  return boot === '' || namespace === '' || !/^\d+$/.test(start)
    ? undefined
    : `${OWNER}=${boot}/${namespace}/${pid}/${start}`;
}

/** Who this process is, as a part of a file's name: without reading the file others see by it whether that is still there. */
export async function ownName(): Promise<string> {
  const { pid, start } = await thisProcess();
  return `${await thisPlace()}-${pid}-${start}`;
}

/** Whether a draft whose name has `name` in it, and that was written to last at `written` (milliseconds since the epoch), is nobody's. */
export async function isAbandoned(name: string, written: number): Promise<boolean> {
  const [, place, pid, start] = NAME.exec(name) ?? [];
  // Whoever it was is, or was, on another machine, in another container, or before the last boot.
  if (place !== (await thisPlace())) return Date.now() - written > FOREIGN_AGE;
  return (await startOf(Number(pid))) !== start;
}

/** Whether it is of the form that `ownName` makes. */
export function isOwnerName(text: string): boolean {
  return NAME.test(text);
}

/** Where pids mean what they mean here. */
async function thisPlace(): Promise<string> {
  const { boot, namespace } = await thisProcess();
  return createHash('sha256').update(`${boot} ${namespace}`).digest('hex').slice(0, 8);
}

async function ownerOf(pid: number): Promise<Owner> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return { host: hostname(), boot: boot.trim(), namespace, pid, start: await startOf(pid) };
}

/** Empty when there is no such process, or it has ended and only waits for its parent to take notice. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) {
    return isRunning(pid) ? 'running' : '';
  }
  // The second field is the program's name in brackets and may hold anything, so fields are counted from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '');
}

/** Where there is no /proc, whether the pid is in use is all that can be known. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
