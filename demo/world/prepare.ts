/** Makes sure that the programs are there which the world and Slipway need, on a bare machine too. */
import { catalogue, createToolFinder, ensureDebianPackages, installTools, pinnedNeed } from '@slipway/tools';
import type { InstallProgress, Pin } from '@slipway/tools';
import type { Failure, ToolFinder } from '@slipway/core';
import { runAny } from './processes.ts';

export interface PrepareOptions {
  /** Debian packages that must be there. */
  readonly packages: readonly string[];
  /** Names of tools; all but those of the benchmarks when absent. */
  readonly tools?: readonly string[];
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Installs what is missing, saying what and how long it takes; answers with a finder that finds it all. */
export async function prepare(options: PrepareOptions): Promise<ToolFinder> {
  const { packages, log, signal } = options;
  const debian = await ensureDebianPackages(packages, {
    run: async (program, args, env) => {
      const output = await runAny(program, args, { env, signal, timeout: 600_000 });
      return { ok: output.code === 0, stdout: output.stdout, stderr: output.stderr };
    },
    onInstall: (names) => log(`installing Debian packages: ${names.join(', ')} (about half a minute)`),
  });
  if (!debian.ok) throw notPrepared(debian.failure);
  const pins = catalogue.filter(({ name, kind }) => options.tools?.includes(name) ?? kind !== 'bench');
  const missing = await missingPins(pins);
  if (missing.length > 0) await build(missing, options);
  return createToolFinder({ env: process.env });
}

async function missingPins(pins: readonly Pin[]): Promise<readonly Pin[]> {
  const finder = createToolFinder({ env: process.env });
  const found = await Promise.all(pins.map((pin) => finder.find(pinnedNeed(pin))));
  return pins.filter((_, index) => found[index]?.ok !== true);
}

async function build(missing: readonly Pin[], { log, signal }: PrepareOptions): Promise<void> {
  const minutes = Math.ceil(missing.reduce((sum, pin) => sum + pin.expectedSeconds, 0) / 60);
  log(
    `building ${missing.map(({ name }) => name).join(', ')} from pinned sources: about ${minutes} min, once on this machine`,
  );
  const built = await installTools({
    names: missing.map(({ name }) => name),
    env: process.env,
    signal,
    onProgress: progressPrinter(log),
  });
  if (!built.ok) throw notPrepared(built.failure);
}

/** A line when a build begins and ends, and one every half minute, so that a log shows that something happens. */
function progressPrinter(log: (line: string) => void): (progress: InstallProgress) => void {
  let shown = '';
  return ({ state, tool, index, total, seconds, expectedSeconds }) => {
    const key = `${state} ${tool} ${Math.floor(seconds / 30)}`;
    if (key === shown) return;
    shown = key;
    const time = state === 'built' ? `${seconds.toFixed(0)} s` : `${seconds.toFixed(0)} of about ${expectedSeconds} s`;
    log(
      state === 'waiting'
        ? `waiting for another installation: ${time}`
        : `[${index}/${total}] ${state} ${tool}: ${time}`,
    );
  };
}

function notPrepared(failure: Failure): Error {
  const output = failure.reason === 'tool' ? failure.output : undefined;
  return new Error([failure.message, output, failure.hint].filter((part) => part !== undefined).join('\n'));
}
