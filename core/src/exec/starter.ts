/**
 * The process that starts all others, beside the engine; a program of its own, see `start.ts`. A fork copies the tables of all
 * memory that a process has: of a small one that is done in a fraction of the time that the engine would stand still for it.
 * And it outlives the engine by a moment, in which it ends what the engine has left.
 */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { endMarked, signalProcess } from './descendants.ts';
import { errorCode } from '../failure.ts';
import { OWNER } from './owner.ts';

/** What the engine says: start this; send a signal to its group; nobody waits for it any more; another one starts programs too. */
export type Order =
  | {
      readonly start: number;
      readonly path: string;
      readonly args: readonly string[];
      readonly cwd: string;
      readonly env: Readonly<Record<string, string>>;
      readonly input?: string | Uint8Array;
    }
  | { readonly signal: Signal; readonly to: number }
  | { readonly forget: number }
  | { readonly beside: number };

export type Signal = 'SIGTERM' | 'SIGKILL';

/** What became of it. `lingers`: the program has ended, but somebody still holds its pipes. The last is `failed` or `ended`. */
export type News = { readonly of: number } & (
  | { readonly out: Buffer }
  | { readonly err: Buffer }
  | { readonly lingers: true }
  | { readonly failed: string }
  | { readonly ended: { readonly code: number | null; readonly signal: string | null } }
);

/** How long a grandchild may hold the pipes after the program itself ended, in milliseconds. */
const LINGER = 300;

/** Of each program that runs. */
const running = new Map<number, { readonly pid: number; readonly forget: () => void }>();

/** Pids of others that the engine has for this. They see its end themselves, and are not stopped in what they do then. */
const beside = new Set<number>();

process.title = 'slipway-starter';
// Each group that has ended by itself is told of by an error, and nobody reads where that came from.
Error.stackTraceLimit = 0;
// A signal to the engine's group, or to all processes of a job, is the engine's to answer.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('message', (order: Order) => {
  if ('start' in order) start(order);
  else if ('forget' in order) running.get(order.forget)?.forget();
  else if ('beside' in order) beside.add(order.beside);
  else toGroup(running.get(order.to)?.pid, order.signal);
});
process.on('disconnect', () => void end());

function start({ start: of, path, args, cwd, env, input }: Extract<Order, { start: number }>): void {
  const stdin = input === undefined ? 'ignore' : 'pipe';
  let child;
  try {
    child = spawn(path, args, { cwd, env, shell: false, detached: true, stdio: [stdin, 'pipe', 'pipe'] });
  } catch (error) {
    return tell({ of, failed: errorCode(error) });
  }
  child.on('error', (error) => {
    if (child.pid === undefined) tell({ of, failed: errorCode(error) });
  });
  if (child.pid === undefined) return;
  const { pid, stdout, stderr } = child;
  running.set(of, {
    pid,
    forget() {
      stdout?.destroy();
      stderr?.destroy();
    },
  });
  const flow: Flow = { moved: false, open: 0 };
  pass(stdout, flow, (out) => ({ of, out }));
  pass(stderr, flow, (err) => ({ of, err }));
  // Not every program reads what it is given.
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  let linger: NodeJS.Timeout | undefined;
  child.on('exit', () => {
    linger = setTimeout(() => {
      tell({ of, lingers: true });
      linger = setInterval(() => {
        // Nobody that could be found holds them any more. What is still on its way is waited for.
        if (!flow.moved && flow.open === 0) running.get(of)?.forget();
        flow.moved = false;
      }, LINGER);
    }, LINGER);
  });
  child.on('close', (code, signal) => {
    clearInterval(linger);
    running.delete(of);
    // Helpers that a program left behind in its group end with it.
    toGroup(pid, 'SIGKILL');
    tell({ of, ended: { code, signal } });
  });
}

function toGroup(pid: number | undefined, signal: Signal): void {
  if (pid !== undefined) signalProcess(-pid, signal);
}

/** What a program writes: whether something came since the last look, and how much the engine has not yet taken. */
interface Flow {
  moved: boolean;
  open: number;
}

/** No faster than the engine takes it. */
function pass(stream: Readable | null, flow: Flow, news: (chunk: Buffer) => News): void {
  stream?.on('error', () => {});
  stream?.on('data', (chunk: Buffer) => {
    stream.pause();
    flow.moved = true;
    flow.open += 1;
    tell(news(chunk), () => {
      flow.open -= 1;
      flow.moved = true;
      stream.resume();
    });
  });
}

function tell(news: News, taken: () => void = () => {}): void {
  // An error is that the engine is gone, which `disconnect` says too.
  process.send?.(news, undefined, {}, taken);
}

/** The engine has ended, in whatever way: nothing that it started runs on. */
async function end(): Promise<void> {
  for (const { pid } of running.values()) toGroup(pid, 'SIGKILL');
  const owner = process.env[OWNER];
  if (owner !== undefined) await endMarked(`${OWNER}=${owner}`, beside);
  process.exit();
}
