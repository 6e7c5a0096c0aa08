/** Starts what the world is made of, and ends every process of it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from './listen.ts';

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Milliseconds, a minute unless told. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Called with what the program writes while it runs. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', chunk: string) => void;
}

/** Milliseconds between asking a process to end and ending it. */
const GRACE = 5000;

/** Runs a program to its end; any exit code but 0 is an error. */
export type Runner = (command: string, args: readonly string[], options?: RunOptions) => Promise<Output>;

export const run: Runner = async (command, args, options) => {
  const output = await runAny(command, args, options);
  if (output.code !== 0)
    throw new Error(`${command} ${args[0] ?? ''} ended with ${output.code}: ${output.stderr.slice(-2000)}`);
  return output;
};

/** Like {@link run}, but every exit code is an answer; 128 + n stands for signal n, as in a shell. */
export const runAny: Runner = (command, args, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let killer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      signalGroup(child, 'SIGTERM');
      killer ??= setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE);
    };
    const timer = setTimeout(stop, options.timeout ?? 60_000);
    options.signal?.addEventListener('abort', stop, { once: true });
    if (options.signal?.aborted === true) stop();
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      options.onOutput?.('stdout', chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
      options.onOutput?.('stderr', chunk);
    });
    // A program that never reads its input closes the pipe; its exit code tells what happened.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      clearTimeout(killer);
      options.signal?.removeEventListener('abort', stop);
      resolve({ code: code ?? 128 + constants.signals[signal ?? 'SIGTERM'], stdout, stderr });
    });
  });

export interface ServerDescription {
  readonly command: string;
  /** As many free ports as `ports` says. */
  readonly args: (ports: readonly number[]) => readonly string[];
  readonly ports: number;
  /** The server is ready when this answers without a server error. */
  readonly ready: (ports: readonly number[]) => string;
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The processes of one world: whatever is started here has ended after {@link Processes.end}. */
export interface Processes {
  /** Answers with the ports once the server answers; a port that someone else took meanwhile is tried again. */
  serve(description: ServerDescription): Promise<readonly number[]>;
  end(): Promise<void>;
}

const START_LIMIT = 20_000;
const TRIES = 3;

export function createProcesses(): Processes {
  const children = new Set<ChildProcess>();
  // The last resort, should this process end without `end()`; nothing asynchronous can be waited for here.
  const onExit = (): void => children.forEach((child) => signalGroup(child, 'SIGKILL'));
  process.on('exit', onExit);

  async function attempt(description: ServerDescription): Promise<readonly number[] | undefined> {
    const ports = await freePorts(description.ports);
    const log = openSync(description.logFile, 'a');
    // setpriv ends the server even when this process is killed and can do nothing more.
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', description.command, ...description.args(ports)], {
      env: { ...process.env, ...description.env },
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    children.add(child);
    child.on('close', () => children.delete(child));
    child.on('error', () => children.delete(child));
    const url = description.ready(ports);
    const deadline = Date.now() + START_LIMIT;
    while (children.has(child) && Date.now() < deadline) {
      if ((await answers(url)) && children.has(child)) return ports;
      await sleep(25);
    }
    await endChild(child);
    return undefined;
  }

  return {
    async serve(description) {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const ports = await attempt(description);
        if (ports !== undefined) return ports;
      }
      const log = readFileSync(description.logFile, 'utf8').slice(-1000);
      throw new Error(`${description.command} does not start. The end of its log:\n${log}`);
    },
    async end() {
      await Promise.all([...children].map(endChild));
      process.off('exit', onExit);
    },
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
    await response.body?.cancel();
    return response.status < 500;
  } catch {
    return false;
  }
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(servers.map(listen));
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  signalGroup(child, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE);
  await closed;
  clearTimeout(timer);
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It ended in the meantime.
  }
}
