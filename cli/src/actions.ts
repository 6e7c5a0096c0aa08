/** What the command does besides, when it runs in a job of GitHub Actions: annotations, the job's summary, outputs. */
import { randomUUID } from 'node:crypto';
import { appendFileSync, statSync } from 'node:fs';
import {
  failureAnnotations,
  formatOutputs,
  jobSummary,
  movedSince,
  stepOutputs,
  withoutCommands,
  workflowCommand,
} from '@slipway/core';
import type { Failure, Row } from '@slipway/core';
import type { Io } from './io.ts';

/** Bytes of a step's summary; one that is larger is not shown at all. */
const MAX_SUMMARY = 1_048_576;

/**
 * In a job of GitHub Actions, the same world with a guard: what others wrote (names, logs of tools) must not become a command of
 * the runner's. Commands of our own go through `workflow`.
 */
export function forActions(io: Io): Io {
  if (io.env['GITHUB_ACTIONS'] !== 'true') return io;
  return {
    ...io,
    stdout: (text) => io.stdout(withoutCommands(text)),
    stderr: (text) => io.stderr(withoutCommands(text)),
    workflow: io.stderr,
  };
}

/** The root of the checkout. */
export function workspaceOf({ cwd, env }: Io): string {
  return env['GITHUB_WORKSPACE'] || cwd;
}

export function annotateFailures(io: Io, failures: readonly Failure[]): void {
  for (const line of failureAnnotations(failures, workspaceOf(io))) io.workflow?.(`${line}\n`);
}

export interface ActionsResult {
  readonly run: string;
  readonly command: string;
  readonly rows: readonly Row[];
  readonly edges: readonly (readonly [string, string])[];
  readonly exitCode: number;
  /** Patterns of `--only`. */
  readonly only: readonly string[];
  readonly seconds: number;
  /** On which it ended, `2026-11-25`, UTC. */
  readonly day: string;
}

/** The run is what it is: files that cannot be written are told, and change nothing of it. */
export function writeActionsFiles(io: Io, result: ActionsResult): void {
  if (io.workflow === undefined) return;
  const { GITHUB_STEP_SUMMARY: summary, GITHUB_OUTPUT: outputs } = io.env;
  if (summary) {
    append(io, summary, () => {
      const limit = MAX_SUMMARY - (statSync(summary, { throwIfNoEntry: false })?.size ?? 0);
      return jobSummary({ ...result, limit });
    });
  }
  for (const message of movedSince(io.env['SLIPWAY_NEEDS'] ?? '', result.rows))
    io.workflow(`${workflowCommand('warning', message)}\n`);
  if (outputs) {
    const [only, ...others] = result.only;
    // A pattern that names one entry, as a workflow with a job for each has it.
    const entry = others.length > 0 ? undefined : only?.replaceAll(/\\(.)/g, '$1');
    const values = stepOutputs({ ...result, ...(entry === undefined ? {} : { entry }) });
    append(io, outputs, () => formatOutputs(values, () => `slipway_${randomUUID()}`));
  }
}

function append(io: Io, file: string, text: () => string): void {
  try {
    appendFileSync(file, text());
  } catch (error) {
    io.stderr(`warning: ${file} cannot be written: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
