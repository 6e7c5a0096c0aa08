/** Says what the demo does, runs its commands, and stops it when one ends otherwise than it should. */
import { relative } from 'node:path';
import { runAny, type Output } from './world/processes.ts';

/** The demo did not show what it promises; the message says which part. */
export class DemoError extends Error {}

export interface Console {
  say(line: string): void;
  heading(line: string): void;
  /** Prints the command, runs it, shows its output unless `quiet`; any other exit code than `expect` ends the demo. */
  command(command: string, args: readonly string[], options?: CommandOptions): Promise<Output>;
}

interface CommandOptions {
  /** 0 unless told. */
  readonly expect?: number;
  readonly quiet?: boolean;
}

export interface ConsoleOptions {
  /** Where commands run; programs in it are printed relative to it. */
  readonly root: string;
  readonly env: () => Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export function createConsole({ root, env, signal }: ConsoleOptions): Console {
  const started = Date.now();
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  return {
    say,
    heading(line) {
      const seconds = Math.round((Date.now() - started) / 1000);
      say(`\n== ${line} (${seconds} s)`);
    },
    async command(command, args, { expect = 0, quiet = false } = {}) {
      const name = command.startsWith(`${root}/`) ? relative(root, command) : command;
      say(`$ ${[name, ...args].map(quoted).join(' ')}`);
      const output = await runAny(command, args, {
        cwd: root,
        env: env(),
        signal,
        timeout: 300_000,
        ...(quiet ? {} : { onOutput: (stream, chunk) => void process[stream].write(chunk) }),
      });
      signal.throwIfAborted();
      if (output.code === expect) return output;
      if (quiet) process.stderr.write(output.stdout + output.stderr);
      throw new DemoError(`${name} ${args[0] ?? ''} ended with ${output.code}; ${expect} was expected`);
    },
  };
}

/** As a shell would need it, for readers who try the command themselves. */
function quoted(argument: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
