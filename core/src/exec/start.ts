/** Has programs started by `starter.ts`, a process that is begun with the first of them and ends with this one; in haste by two. */
import { availableParallelism } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { News, Order, Signal } from './starter.ts';

export interface Program {
  /** Absolute. */
  readonly path: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Absent: nothing is on its stdin. */
  readonly input?: string | Uint8Array;
}

/** Called as it comes, until it has ended or is forgotten. */
export interface Listener {
  readonly stdout: (chunk: Buffer) => void;
  readonly stderr: (chunk: Buffer) => void;
  /** It has ended, and somebody that it started still holds its pipes. */
  readonly lingers: () => void;
}

export type End =
  | { readonly how: 'ended'; readonly code: number | null; readonly signal: string | null }
  /** The system's code, as `ENOENT`. */
  | { readonly how: 'failed'; readonly code: string }
  /** The process that had started it was killed: nobody can tell what becomes of it. */
  | { readonly how: 'lost' };

export interface Started {
  readonly ended: Promise<End>;
  /** To the group that it leads. Whoever is left in that when it ends is killed without being asked for. */
  signal(signal: Signal): void;
  /** Nobody waits for it any more, nor reads what it writes. */
  forget(): void;
}

export interface Starter {
  /** Programs of its that have not ended. */
  readonly busy: number;
  /** The process of another one that is at work too. */
  besides(pid: number): void;
  start(program: Program, listener: Listener): Started;
}

interface Waiting {
  readonly listener: Listener;
  readonly end: (end: End) => void;
}

/** It holds as good as nothing: a small heap, and no threads that would only wait. */
const FLAGS = ['--max-semi-space-size=1', '--v8-pool-size=0', '--disable-warning=ExperimentalWarning'];

/** It stands still while it starts one. Where so many begin in so many milliseconds, another has something to do meanwhile. */
const HASTE = { starts: 32, within: 250 };
const MOST = Math.min(2, availableParallelism());

/** Milliseconds within which what is killed together is gone. */
const TOGETHER = 20;

/** And their processes. */
const pool = new Map<Starter, number>();
let beginning: Promise<Starter> | undefined;
/** When the last ones were asked for. */
const asked: number[] = [];

/**
 * One of this process that is not busier than others, begun now if there is none. `env` is its own, and holds whose the programs
 * are that it will start: it ends them by that when we are gone, and is itself ended by it where it was left.
 */
export async function openStarter(env: Readonly<Record<string, string>>): Promise<Starter> {
  const hasty = isHasty();
  const [free] = [...pool.keys()].toSorted((a, b) => a.busy - b.busy);
  if (free === undefined) return another(env);
  if (hasty && pool.size < MOST) void another(env);
  return free;
}

function another(env: Readonly<Record<string, string>>): Promise<Starter> {
  beginning ??= begin(env).finally(() => (beginning = undefined));
  return beginning;
}

function isHasty(): boolean {
  const now = performance.now();
  asked.push(now);
  const first = asked.length > HASTE.starts ? asked.shift() : undefined;
  return first !== undefined && now - first < HASTE.within;
}

async function begin(env: Readonly<Record<string, string>>): Promise<Starter> {
  // Loading it takes some time, which a plan that starts nothing should not pay.
  const { execa } = await import('execa');
  // In a package it is JavaScript, as this file is.
  const file = new URL(import.meta.url.endsWith('.ts') ? './starter.ts' : './starter.js', import.meta.url);
  const running = execa(process.execPath, [...FLAGS, fileURLToPath(file)], {
    ...{ cwd: '/', env, extendEnv: false, shell: false, preferLocal: false },
    ...{ stdio: 'ignore', ipc: true, serialization: 'advanced', buffer: false, reject: false },
    // Of a session of its own: what a terminal tells its group is for us to answer. It sees our end by itself.
    ...{ detached: true, cleanup: false },
  });
  const child = running.nodeChildProcess;
  const waiting = new Map<number, Waiting>();
  let last = 0;
  let over: End | undefined;

  /** What waits for news keeps this process alive, the starter by itself does not. */
  const hold = (): void => {
    for (const each of [child, child.channel]) {
      if (waiting.size === 0) each?.unref();
      else each?.ref();
    }
  };
  const end = (id: number, how: End): void => {
    const one = waiting.get(id);
    waiting.delete(id);
    hold();
    one?.end(how);
  };
  const send = (order: Order): void => {
    // That it cannot be told is that it has ended, which is heard of in any case.
    child.send(order, () => {});
  };
  child.on('message', (news: News) => {
    const listener = waiting.get(news.of)?.listener;
    if ('out' in news) listener?.stdout(news.out);
    else if ('err' in news) listener?.stderr(news.err);
    else if ('lingers' in news) listener?.lingers();
    else if ('failed' in news) end(news.of, { how: 'failed', code: news.failed });
    else end(news.of, { how: 'ended', ...news.ended });
  });
  // Where there is time its end is waited for, so that whoever waits for ours finds nothing left of us.
  const finish = (): void => {
    child.ref();
    if (child.connected) child.disconnect();
  };
  process.once('beforeExit', finish);
  // Heard of sooner than its end: nothing else is started by it.
  child.once('disconnect', () => pool.delete(starter));
  void running.then(async ({ code }) => {
    // A code of the system is that it could not even be started.
    over = code === undefined ? { how: 'lost' } : { how: 'failed', code };
    process.off('beforeExit', finish);
    // Whoever has killed it may be killing the other: what is tried again is not sent there.
    if (waiting.size > 0) await wait(TOGETHER);
    for (const id of waiting.keys()) end(id, over);
  });
  hold();

  const starter: Starter = {
    besides: (pid) => send({ beside: pid }),
    get busy() {
      return waiting.size;
    },
    start(program, listener) {
      const id = (last += 1);
      const ended = new Promise<End>((resolve) => {
        if (over === undefined) waiting.set(id, { listener, end: resolve });
        else resolve(over);
      });
      hold();
      send({ start: id, ...program });
      return {
        ended,
        signal: (signal) => send({ signal, to: id }),
        forget() {
          waiting.delete(id);
          hold();
          send({ forget: id });
        },
      };
    },
  };
  // One that could not be started says so to whoever waits for it, and nobody else is sent to it.
  const { pid } = child;
  if (pid === undefined) return starter;
  for (const [other, its] of pool) {
    other.besides(pid);
    starter.besides(its);
  }
  pool.set(starter, pid);
  return starter;
}
