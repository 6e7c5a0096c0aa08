/** The one shape of every `--json` answer (schemas/envelope.ts), and the exit codes. Results go to stdout, all else to stderr. */
import { formatFailure, readRegular, type Failure } from '@slipway/core';
import { annotateFailures } from './actions.ts';
import type { Io } from './io.ts';

export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, missingTool: 5, interrupted: 130 } as const;

/** Prints a command's result as JSON when asked for, else as `text` has it. Returns the exit code, for the caller to return. */
export function answer(
  io: Io,
  json: boolean,
  command: string,
  exitCode: number,
  body: Readonly<Record<string, unknown>>,
  text: () => string,
): number {
  io.stdout(json ? `${JSON.stringify({ slipway: 1, command, ok: exitCode === EXIT.done, ...body })}\n` : text());
  return exitCode;
}

/** The command did not do its work: says why on stderr, and in the envelope when that was asked for. */
export function refuse(io: Io, json: boolean, command: string, failures: readonly Failure[]): number {
  if (json) io.stdout(refusal(command, failures));
  annotateFailures(io, failures);
  const readSource = sourceReader();
  for (const failure of failures) io.stderr(`${formatFailure(failure, readSource, io.cwd)}\n`);
  return exitOf(failures);
}

/** The envelope of a command that was refused. */
export function refusal(command: string, failures: readonly Failure[]): string {
  return `${JSON.stringify({ slipway: 1, command, ok: false, failures })}\n`;
}

/** Bytes of a file of which the line to blame is shown. */
const MAX_SOURCE = 64 * 1024 * 1024;

/** Each file is read once, however many failures it has. */
function sourceReader(): (file: string) => string | undefined {
  const read = new Map<string, string | undefined>();
  return (file) => {
    if (!read.has(file)) read.set(file, readRegular(file, MAX_SOURCE));
    return read.get(file);
  };
}

/** The first that applies of 130, 2, 5, 1, 3. */
function exitOf(failures: readonly Failure[]): number {
  const reasons = new Set(failures.map(({ reason }) => reason));
  if (reasons.has('cancelled')) return EXIT.interrupted;
  if (reasons.has('config') || reasons.has('plugin')) return EXIT.usage;
  if (reasons.has('missing-tool')) return EXIT.missingTool;
  return reasons.size === 1 && reasons.has('policy') ? EXIT.refused : EXIT.failed;
}
