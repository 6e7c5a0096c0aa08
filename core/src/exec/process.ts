/**
 * Has one program started and waits for its end: no shell, a process group and, where it works, a PID namespace of its own,
 * nothing on stdin, bounded output, and an end of the whole tree within two seconds of being told to stop.
 */
import { randomUUID } from 'node:crypto';
import { accessSync, constants as access } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { processesMarked, signalProcess } from './descendants.ts';
import { createLines } from './lines.ts';
import { pidNamespace } from './namespace.ts';
import { ownerMark, thisProcess } from './owner.ts';
import { openStarter, type Program } from './start.ts';

export interface ProcessRequest extends Program {
  /** Milliseconds. */
  readonly timeout: number;
  /** Bytes of stdout kept in memory; more ends the process. */
  readonly maxOutput: number;
  readonly signal: AbortSignal;
  /** Called with each redacted line of stderr, as it comes. */
  readonly onStderrLine?: (line: string) => void;
  /** Applied to stderr before anything keeps or shows it. */
  readonly redact?: (text: string) => string;
}

/** How it ended. `stderr` is the redacted last part, at most 64 KiB of it. */
export type ProcessOutcome =
  | { readonly end: 'exit'; readonly code: number; readonly stdout: string; readonly stderr: string }
  | { readonly end: 'signal'; readonly signal: string; readonly stderr: string }
  | { readonly end: 'timeout' | 'cancelled' | 'overflow'; readonly stderr: string }
  | { readonly end: 'not-started'; readonly message: string };

/** SIGTERM first; who is still there after this many milliseconds gets SIGKILL. */
const KILL_AFTER = 1000;
/** Milliseconds after which a process that even SIGKILL does not end (it hangs in the kernel) is waited for no longer. */
const GIVE_UP_AFTER = 1800;
/** How long killed processes are watched, in milliseconds. */
const GONE_WITHIN = 150;
const MARK = 'SLIPWAY_PROCESS';

/** Never throws; every end is an outcome. */
export async function runProcess(request: ProcessRequest): Promise<ProcessOutcome> {
  const refused = whyRefused(request);
  if (refused !== undefined) {
    return { end: 'not-started', message: refused };
  }
  if (request.signal.aborted) {
    return { end: 'cancelled', stderr: '' };
  }
  const [namespace, owner] = await Promise.all([pidNamespace(process.env), thisProcess().then(ownerMark)]);
  const starter = await openStarter(marks(owner));
  const program = namespace?.wrap(request.path, request.args) ?? request;
  const mark = `${MARK}=${randomUUID()}`;
  let stopped: 'timeout' | 'cancelled' | 'overflow' | undefined;
  let giveUp: NodeJS.Timeout | undefined;
  let abandon = (): void => {};
  const abandoned = new Promise<undefined>((resolve) => (abandon = () => resolve(undefined)));
  const end = (why: 'timeout' | 'cancelled' | 'overflow'): void => {
    if (stopped !== undefined) {
      return;
    }
    stopped = why;
    // By the mark also those who left the group are found. Each is told once: a second time means to many that all is to be dropped.
    const marked = processesMarked(mark).filter((pid) => namespace?.isWrapper(pid) !== true);
    for (const pid of marked) signalProcess(pid, 'SIGTERM');
    if (namespace === undefined && marked.length === 0) child.signal('SIGTERM');
    giveUp = setTimeout(() => {
      sweep();
      giveUp = setTimeout(abandon, GIVE_UP_AFTER - KILL_AFTER);
    }, KILL_AFTER);
  };
  const sweep = (): void => {
    child.signal('SIGKILL');
    for (const pid of processesMarked(mark)) {
      signalProcess(pid, 'SIGKILL');
    }
  };

  const out: Buffer[] = [];
  let size = 0;
  const lines = createLines(request.redact ?? ((text) => text), request.onStderrLine);
  const { cwd, env, input } = request;
  const child = starter.start(
    {
      ...{ path: program.path, args: program.args, cwd, env: { ...env, ...marks(mark, owner) } },
      ...(input === undefined ? {} : { input }),
    },
    {
      stdout(chunk) {
        size += chunk.length;
        if (size > request.maxOutput) end('overflow');
        else out.push(chunk);
      },
      stderr: (chunk) => lines.push(chunk),
      lingers: sweep,
    },
  );
  const onAbort = (): void => end('cancelled');
  request.signal.addEventListener('abort', onAbort, { once: true });
  if (request.signal.aborted) onAbort();
  const limit = setTimeout(() => end('timeout'), request.timeout);

  const result = await Promise.race([child.ended, abandoned]);

  clearTimeout(limit);
  clearTimeout(giveUp);
  request.signal.removeEventListener('abort', onAbort);
  if (stopped !== undefined || result?.how === 'lost') await sweepUntilGone(mark, sweep);
  if (result === undefined) child.forget();
  const stderr = lines.end();
  if (stopped !== undefined) {
    return { end: stopped, stderr };
  }
  if (result?.how === 'failed') {
    return { end: 'not-started', message: startMessage(request.path, result) };
  }
  if (result?.how !== 'ended' || result.code === null) {
    return { end: 'signal', signal: (result?.how === 'ended' ? result.signal : undefined) ?? 'SIGKILL', stderr };
  }
  const signal = namespace === undefined ? undefined : signalOf(result.code);
  if (signal !== undefined) {
    return { end: 'signal', signal, stderr };
  }
  return { end: 'exit', code: result.code, stdout: Buffer.concat(out).toString('utf8'), stderr };
}

/** By the first it is found while it runs, by the other once we were killed: `exec/tmp.ts` does that. */
function marks(...texts: readonly (string | undefined)[]): Readonly<Record<string, string>> {
  const set = texts.filter((text) => text !== undefined);
  return Object.fromEntries(set.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]));
}

/** A killed process is seen for a moment longer; who asks us right after the end must not see it. */
async function sweepUntilGone(mark: string, sweep: () => void): Promise<void> {
  const until = performance.now() + GONE_WITHIN;
  do {
    sweep();
    if (processesMarked(mark).length === 0) {
      return;
    }
    await wait(10);
  } while (performance.now() < until);
}

/** A wrapper passes on as an exit code which signal ended what it wrapped. */
function signalOf(code: number): string | undefined {
  return Object.entries(constants.signals).find(([, number]) => code === 128 + number)?.[0];
}

function whyRefused(request: ProcessRequest): string | undefined {
  if (!request.path.startsWith('/')) {
    return `"${request.path}" is not an absolute path`;
  }
  try {
    // Asked here because a wrapper could only say so in words of its own.
    accessSync(request.path, access.X_OK);
    accessSync(request.cwd);
  } catch (error) {
    return startMessage(request.path, error instanceof Error ? error : undefined);
  }
  const nul = (text: string): boolean => text.includes('\0');
  if (request.args.some(nul)) {
    return 'an argument holds a NUL character';
  }
  if (
    Object.entries(request.env).some(([name, value]) => nul(name) || nul(value) || name === '' || name.includes('='))
  ) {
    return 'an environment variable holds a NUL character or has no valid name';
  }
  return undefined;
}

function startMessage(path: string, result: object | undefined): string {
  const code = result !== undefined && 'code' in result ? String(result.code) : 'unknown error';
  if (code === 'ENOENT') {
    return `${path} or its working directory does not exist`;
  }
  if (code === 'EACCES') {
    return `${path} may not be executed`;
  }
  if (code === 'E2BIG') {
    return `the arguments for ${path} are too long`;
  }
  return `${path} could not be started (${code})`;
}
