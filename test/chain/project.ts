/** A repository as a user has it (config, settings, images) in a folder of its own, and Slipway run on it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Event, Row } from '@slipway/core';
import { worldEnvironment } from '../../demo/world/settings.ts';
import { freshFolder, launcher, root, slipway, world, writeFiles, writeSettings, type RunOptions } from '../world.ts';

type Entry = Readonly<Record<string, unknown>>;

export interface ProjectOptions {
  readonly sync?: readonly Entry[];
  readonly build?: readonly Entry[];
  /** Top-level keys of the settings that differ from the world's. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** What `--json` printed; which fields there are depends on the command. */
interface Envelope {
  readonly slipway: number;
  readonly command: string;
  readonly ok: boolean;
  readonly entries: readonly (Row & { readonly ok?: boolean; readonly missing?: readonly string[] })[];
  readonly tools: readonly { readonly name: string; readonly started: number }[];
  readonly failures?: readonly { readonly message: string; readonly hint?: string }[];
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Throws when stdout was no JSON: asked for only where there must be an envelope. */
  readonly answer: Envelope;
  /** The rows by the last part of their destination, as `image:latest` in `host/test/image-1f2e:latest`. */
  row(destination: string): Row;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran & { readonly signal: NodeJS.Signals | null }>;
}

export interface Project {
  readonly folder: string;
  /** One command with `--json`. */
  run(command: string, ...args: readonly string[]): Promise<Ran>;
  runWith(options: RunOptions, command: string, ...args: readonly string[]): Promise<Ran>;
  /** The same, without waiting for its end. */
  start(command: string, ...args: readonly string[]): Running;
  /** With these variables too. */
  startWith(env: Readonly<Record<string, string>>, command: string, ...args: readonly string[]): Running;
  /** Writes config and settings anew; what is not given stays. */
  change(options: ProjectOptions): Promise<void>;
  /** Events of every run so far, oldest run first. */
  journals(): Promise<readonly (readonly Event[])[]>;
}

export const HELLO = 'images/hello/apko.yaml';

export async function project(options: ProjectOptions): Promise<Project> {
  const folder = await freshFolder();
  let current = options;
  const write = async (): Promise<void> => {
    const { sync, build } = current;
    // JSON is YAML too.
    await writeFile(
      join(folder, 'config.yaml'),
      JSON.stringify({ ...(sync ? { sync } : {}), ...(build ? { build } : {}) }),
    );
    await writeSettings(folder, current.settings);
    await writeFiles(folder, current.files ?? {});
  };
  await writeFiles(folder, { [HELLO]: await readFile(join(root, HELLO), 'utf8') });
  await write();
  const runWith: Project['runWith'] = async (how, command, ...args) =>
    ranFrom(await slipway(commandLine(command, args), { cwd: folder, ...how }));
  return {
    folder,
    runWith,
    run: (command, ...args) => runWith({}, command, ...args),
    start: (command, ...args) => start(folder, commandLine(command, args)),
    startWith: (more, command, ...args) => start(folder, commandLine(command, args), more),
    async change(next) {
      current = { ...current, ...next };
      await write();
    },
    async journals() {
      const runs = join(folder, '.slipway', 'runs');
      const names = (await readdir(runs).catch((): string[] => [])).toSorted();
      return Promise.all(names.map(async (name) => events(await readFile(join(runs, name), 'utf8'))));
    },
  };
}

function commandLine(command: string, args: readonly string[]): readonly string[] {
  return [command, '--json', '--progress', 'quiet', ...args];
}

function ranFrom({ code, stdout, stderr }: Pick<Ran, 'code' | 'stdout' | 'stderr'>): Ran {
  return {
    code,
    stdout,
    stderr,
    // The envelope's schema is published, and tested against this output elsewhere.
    get answer() {
      return envelope(stdout, stderr);
    },
    row(destination) {
      const row = envelope(stdout, stderr).entries.find((each) => each.destination.endsWith(destination));
      if (row === undefined) throw new Error(`no row for ${destination} in ${stdout}${stderr}`);
      return row;
    },
  };
}

function envelope(stdout: string, stderr: string): Envelope {
  if (!stdout.startsWith('{"slipway":1,')) throw new Error(`no envelope: ${stdout}${stderr}`);
  return JSON.parse(stdout) as Envelope;
}

function start(folder: string, args: readonly string[], more: Readonly<Record<string, string>> = {}): Running {
  const env = { ...process.env, ...worldEnvironment(world()), ...more };
  const child = spawn(launcher(), args, {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const ended = new Promise<Awaited<Running['ended']>>((resolve) =>
    child.on('close', (code, signal) =>
      resolve(Object.assign(ranFrom({ code: code ?? -1, stdout, stderr }), { signal })),
    ),
  );
  return { child, ended };
}

function events(text: string): readonly Event[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event);
}

/** Processes (but this one) that have `text` in their environment or command line. */
export async function processesWith(text: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
      const [environ, cmdline] = await Promise.all([read('environ'), read('cmdline')]);
      return environ.includes(text) || cmdline.includes(text) ? `${pid} ${cmdline.replaceAll('\0', ' ')}` : '';
    }),
  );
  return found.filter((line) => line !== '');
}
