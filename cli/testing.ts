/** Surroundings for the tests of the command: a folder of their own, and the command run in this process. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Failure } from '@slipway/core';
import { seedImage, startScriptedRegistry } from '@slipway/core/testing';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, onTestFinished } from 'vitest';
import type { Io } from './src/io.ts';
import { runProgram } from './src/program.ts';
import { envelopeSchema } from './src/schemas/envelope.ts';
import { eventsSchema } from './src/schemas/events.ts';
import { reportSchema } from './src/schemas/report.ts';

/** A folder with these files, by their path in it; gone after the test. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Around {
  readonly cwd: string;
  /** The whole environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its abort is a Ctrl-C. */
  readonly interrupt?: AbortSignal;
}

/** A world without a terminal, and what is written in it. */
export function worldOf({ cwd, env = {}, interrupt = new AbortController().signal }: Around): {
  readonly world: Io;
  readonly written: Omit<Ran, 'code'>;
} {
  const written = { stdout: '', stderr: '' };
  const world: Io = {
    cwd,
    env,
    stdout: (text) => void (written.stdout += text),
    stderr: (text) => void (written.stderr += text),
    terminal: false,
    color: false,
    rows: () => 24,
    columns: () => 80,
    interrupt,
  };
  return { world, written };
}

/** One command line, in this process, without a terminal. */
export async function command(around: Around, ...args: readonly string[]): Promise<Ran> {
  const { world, written } = worldOf(around);
  const code = await runProgram(world, args);
  return { code, ...written };
}

/** Images `a` and `b` of a registry, published to `to/a` and `to/b`, that have newer versions at their source. `seed` makes others. */
export async function outdated() {
  const registry = await startScriptedRegistry();
  onTestFinished(() => registry.close());
  const names = ['a', 'b'];
  const seed = (version: string): void => names.forEach((name) => seedImage(registry, name, version, { tag: '1' }));
  const entries = names.map(
    (name) => `  - { source: ${registry.host}/${name}:1, destination: ${registry.host}/to/${name}:1 }\n`,
  );
  const cwd = folderWith({
    'config.yaml': `sync:\n${entries.join('')}`,
    'slipway.config.yaml': "trust: [{ match: '*', level: copy }]\n",
  });
  seed('old');
  expect((await command({ cwd }, 'run')).code).toBe(0);
  seed('new');
  return { registry, cwd, seed };
}

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
const isAnswer = ajv.compile(envelopeSchema);
const isEvent = ajv.compile(eventsSchema);
const isReport = ajv.compile(reportSchema);

/** What tests look at in an answer; which of the lists there are depends on the command. */
export interface Answer {
  readonly command: string;
  readonly ok: boolean;
  readonly failures: readonly Failure[];
  readonly entries: readonly {
    readonly id: string;
    readonly kind: string;
    readonly mode?: string;
    readonly targets: readonly string[];
    readonly at: string;
    readonly skip?: string;
  }[];
}

/** What a command printed with `--json`: one envelope, and nothing else. */
export function answerOf({ stdout }: Pick<Ran, 'stdout'>): Answer {
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  const answer: unknown = JSON.parse(stdout);
  expect(isAnswer(answer) ? [] : isAnswer.errors, stdout.slice(0, 2000)).toEqual([]);
  return answer as Answer;
}

/** Complaints of the schema about an event; none when it is one. */
export function complaintsAbout(event: unknown): readonly string[] {
  return isEvent(event) ? [] : (isEvent.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** The same of a `run.json`. */
export function complaintsAboutReport(report: unknown): readonly string[] {
  return isReport(report)
    ? []
    : (isReport.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
