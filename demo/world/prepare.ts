/** Makes sure that the programs are there which the world and Slipway need, on a bare machine too. */
import { catalogue, createToolFinder, ensureDebianPackages, installTools, pinnedNeed, type Pin } from '@slipway/tools';
import type { ToolFinder } from '@slipway/core';
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
  if (!debian.ok) throw new Error(`${debian.failure.message}. ${debian.failure.hint ?? ''}`);
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
    onProgress: ({ state, tool, index, total, seconds }) => {
      if (state === 'built') log(`built ${tool} (${index} of ${total}) in ${Math.round(seconds)} s`);
    },
  });
  if (!built.ok) throw new Error(`${built.failure.message}. ${built.failure.hint ?? ''}`);
}
