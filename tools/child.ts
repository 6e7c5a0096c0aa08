/** Starts the repository's own tools (formatter, linter, compiler, tests) for the scripts of this folder. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');

export interface Ended {
  readonly ok: boolean;
  /** 1 when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ChildOptions {
  /** `show`: straight to our own terminal; `keep`: into the result. */
  readonly output: 'show' | 'keep';
  /** Added to our own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program in the repository's root until it ends; SIGTERM and SIGINT are passed on. */
export function child(program: string, args: readonly string[], { output, env }: ChildOptions): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const started = spawn(program, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: output === 'show' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  started.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  started.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  const passOn = (signal: NodeJS.Signals): void => void started.kill(signal);
  process.on('SIGINT', passOn).on('SIGTERM', passOn);
  const end = (code: number, problem = ''): void => {
    process.off('SIGINT', passOn).off('SIGTERM', passOn);
    const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString('utf8');
    resolve({ ok: code === 0, code, stdout: text(stdout), stderr: text(stderr) + problem });
  };
  started.on('error', (error) => end(1, error.message));
  started.on('close', (code) => end(code ?? 1));
  return promise;
}
