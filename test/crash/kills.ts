/** Kills a run, or one of its tools, at a moment that is asked for. */
import { basename } from 'node:path';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Event } from '@slipway/core';
import { startersOf } from '../../core/src/exec/fixtures.ts';
import { processesWith, type Project, type Running } from '../chain/project.ts';

/** How a run is started, besides what is usual. */
export type Variables = Readonly<Record<string, string>>;

export interface Moment {
  /** So many events were reported; none: the run was just started. */
  readonly after: number;
  /** Milliseconds from then on. */
  readonly delay?: number;
}

/** Kills the engine; nothing happens when it has ended by then. */
export async function killEngine(made: Project, { after, delay = 0 }: Moment, env: Variables = {}): Promise<void> {
  const running = made.startWith(env, 'run', '--progress', 'json');
  let timer: NodeJS.Timeout | undefined;
  const strike = (): void => {
    // A timer of no time comes after whatever the process does meanwhile.
    if (delay === 0) running.child.kill('SIGKILL');
    else timer = setTimeout(() => running.child.kill('SIGKILL'), delay);
  };
  let seen = 0;
  if (after === 0) strike();
  onEvent(running, () => {
    seen += 1;
    if (seen === after) strike();
  });
  await running.ended;
  clearTimeout(timer);
}

/** The tool itself, what gives it a PID namespace, or what starts all tools of a run. */
export type Part = 'tool' | 'namespace' | 'starter';

export interface Victim {
  readonly tool: string;
  readonly part: Part;
  /** Of those that are started of the tool: the how manieth. */
  readonly turn: number;
}

/** Kills a tool of a run, or what it depends on; the run goes on. Whether the tool was met at work. */
export async function killTool(made: Project, { tool, part, turn }: Victim): Promise<boolean> {
  const running = made.start('run', '--progress', 'json');
  let met = 0;
  let killed = false;
  let hunting = false;
  let over = false;
  const hunt = async (): Promise<void> => {
    if (hunting) return;
    hunting = true;
    // It is told of a moment before it is there; looking takes a few milliseconds each time.
    while (!killed && !over) {
      const found = (await processesWith(made.folder)).map((line) => Number(line.split(' ', 1)[0]));
      const atWork = found.find((pid) => isVictim(pid, tool, part === 'namespace'));
      if (atWork === undefined) continue;
      const victim = part === 'starter' ? starterOf(running.child.pid) : atWork;
      killed = victim !== undefined && kill(victim);
    }
  };
  onEvent(running, (event) => {
    if (event.type !== 'task.tool' || event.tool !== tool) return;
    met += 1;
    if (met >= turn) void hunt();
  });
  await running.ended;
  over = true;
  return killed;
}

function isVictim(pid: number, tool: string, wrapper: boolean): boolean {
  try {
    const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    if (!wrapper) return basename(program) === tool;
    return basename(program) === 'bwrap' && args.some((arg) => basename(arg) === tool);
  } catch {
    return false;
  }
}

function starterOf(engine: number | undefined): number | undefined {
  try {
    return engine === undefined ? undefined : startersOf(engine)[0];
  } catch {
    // The engine has ended.
    return undefined;
  }
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

function onEvent({ child }: Running, listener: (event: Event) => void): void {
  const lines = createInterface({ input: child.stderr as NodeJS.ReadableStream });
  lines.on('line', (line) => {
    if (line.startsWith('{')) listener(JSON.parse(line) as Event);
  });
}
