/** Builds the tools that are not in the cache yet, one at a time, by one process at a time. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cancelled, configFailure, fail, makeFolder, ok } from '@slipway/core';
import type { Failure, FoundTool, Result, ToolFailure } from '@slipway/core';
import lockfile from 'proper-lockfile';
import semver from 'semver';
import { builtPath, cacheFolder, nameCache, noCache } from './cache.ts';
import type { Environment, Place } from './cache.ts';
import { buildTool, findGo, requiredGo } from './go.ts';
import type { Go } from './go.ts';
import { isProgram } from './path.ts';
import { catalogue as allPins, modulesFolder } from './pins.ts';
import type { Pin } from './pins.ts';

export interface InstallProgress {
  /** `waiting`: another process is installing. */
  readonly state: 'waiting' | 'building' | 'built';
  readonly tool: string;
  /** 1-based, of those that have to be built. */
  readonly index: number;
  readonly total: number;
  /** Since this tool's build began. */
  readonly seconds: number;
  /** On two idle cores with empty caches; more on a busy machine. */
  readonly expectedSeconds: number;
}

export interface InstallOptions extends Place {
  readonly names: readonly string[];
  readonly env: Environment;
  readonly signal: AbortSignal;
  /** Called when a build begins, every few seconds, and when it ends. */
  readonly onProgress?: (progress: InstallProgress) => void;
  readonly catalogue?: readonly Pin[];
}

/**
 * Builds what is missing of `names` from the pinned modules, into the cache. What another process built meanwhile is
 * taken as it is. Fails with `missing-tool` without a fitting Go, with `tool` when a build fails, with `config` where tools cannot
 * be kept; what was built before that stays.
 */
export async function installTools(options: InstallOptions): Promise<Result<readonly FoundTool[]>> {
  const { names, env, signal, catalogue = allPins } = options;
  const pins = catalogue.filter((pin) => names.includes(pin.name));
  const unknown = names.filter((name) => !pins.some((pin) => pin.name === name));
  if (unknown.length > 0) {
    const known = catalogue.map((pin) => pin.name).join(', ');
    return fail(configFailure(`cannot build ${unknown.join(', ')}`, `Slipway builds: ${known}`));
  }
  const cache = cacheFolder(env);
  if (cache === undefined) return fail(configFailure(noCache, nameCache));
  const modules = options.modules ?? modulesFolder;
  const go = await findGo(env, await newestRequirement(pins, modules), signal);
  if (!go.ok) return go;
  const tools = await Promise.all(
    pins.map(async (pin) => ({
      pin,
      module: join(modules, pin.name),
      path: await builtPath(cache, pin, go.value.version, options),
    })),
  );
  const failure = (await allBuilt(tools)) ? undefined : await buildInto(cache, tools, go.value, options);
  if (failure !== undefined) return fail(failure);
  return ok(tools.map(({ pin, path }) => ({ name: pin.name, path, version: pin.version })));
}

interface Wanted {
  readonly pin: Pin;
  readonly module: string;
  readonly path: string;
}

async function newestRequirement(pins: readonly Pin[], modules: string): Promise<string> {
  const files = await Promise.all(pins.map((pin) => readFile(join(modules, pin.name, 'go.mod'), 'utf8')));
  return semver.rsort(files.map(requiredGo))[0] ?? '0.0.0';
}

async function allBuilt(tools: readonly Wanted[]): Promise<boolean> {
  return (await missingOf(tools)).length === 0;
}

async function missingOf(tools: readonly Wanted[]): Promise<readonly Wanted[]> {
  const built = await Promise.all(tools.map(({ path }) => isProgram(path)));
  return tools.filter((_, index) => !built[index]);
}

async function buildInto(
  cache: string,
  tools: readonly Wanted[],
  go: Go,
  options: InstallOptions,
): Promise<Failure | undefined> {
  try {
    return await buildLocked(tools, go, cache, options);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && 'syscall' in error)) throw error;
    const hint = 'See who may write there, and whether the disk is full, or name another folder with SLIPWAY_TOOLS';
    return configFailure(`tools cannot be kept in ${cache} (${String(error.code)})`, hint);
  }
}

async function buildLocked(
  tools: readonly Wanted[],
  go: Go,
  cache: string,
  options: InstallOptions,
): Promise<Failure | undefined> {
  makeFolder(cache);
  // Losing the lock (a machine that slept past it) ends the build: two in one folder would cost more than starting again.
  const lost = new AbortController();
  const release = await lock(cache, lost, tools, options);
  if (release === undefined) return cancelled;
  try {
    const failure = await buildMissing(await missingOf(tools), go, cache, {
      ...options,
      signal: AbortSignal.any([options.signal, lost.signal]),
    });
    return failure === cancelled && !options.signal.aborted ? lockLost(cache) : failure;
  } finally {
    // The lock may be lost by now; then there is nothing to release.
    await release().catch(() => undefined);
  }
}

function lockLost(cache: string): ToolFailure {
  return {
    reason: 'tool',
    class: 'transient',
    tool: 'go',
    message: `the build ended: its lock on ${cache} was lost, as when a machine sleeps or somebody removes it`,
    hint: 'Run it again; what was built before stays',
  };
}

/** Undefined when aborted while waiting for another process. */
async function lock(
  cache: string,
  lost: AbortController,
  tools: readonly Wanted[],
  { signal, onProgress }: InstallOptions,
): Promise<(() => Promise<void>) | undefined> {
  const since = Date.now();
  while (!signal.aborted) {
    try {
      // The holder shows a sign of life every 5 s; a killed one is believed gone after 30 s.
      return await lockfile.lock(cache, { stale: 30_000, update: 5_000, onCompromised: () => lost.abort() });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ELOCKED')) throw error;
    }
    onProgress?.({
      state: 'waiting',
      tool: tools[0]?.pin.name ?? '',
      index: 1,
      total: tools.length,
      seconds: (Date.now() - since) / 1000,
      expectedSeconds: tools.reduce((sum, { pin }) => sum + pin.expectedSeconds, 0),
    });
    await sleep(500, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

/** Only with the lock held: the scratch folder is one for all. */
async function buildMissing(
  missing: readonly Wanted[],
  go: Go,
  cache: string,
  options: InstallOptions,
): Promise<Failure | undefined> {
  const scratch = join(cache, '.build');
  for (const [position, { pin, module, path }] of missing.entries()) {
    if (options.signal.aborted) return cancelled;
    // A killed build may have left half a gigabyte there.
    await rm(scratch, { recursive: true, force: true });
    await mkdir(scratch);
    const report = reporter(pin, position + 1, missing.length, options.onProgress);
    const { env, signal } = options;
    const built = await buildTool({ go, pin, module, path, scratch, env, signal }).finally(() => report.stop());
    await rm(scratch, { recursive: true, force: true });
    if (!built.ok) return built.failure;
    report.built();
  }
  return undefined;
}

interface Reporter {
  stop(): void;
  built(): void;
}

function reporter(pin: Pin, index: number, total: number, onProgress: InstallOptions['onProgress']): Reporter {
  const start = Date.now();
  const tell = (state: InstallProgress['state']): void => {
    const seconds = (Date.now() - start) / 1000;
    onProgress?.({ state, tool: pin.name, index, total, seconds, expectedSeconds: pin.expectedSeconds });
  };
  tell('building');
  const timer = setInterval(() => tell('building'), 5_000);
  return { stop: () => clearInterval(timer), built: () => tell('built') };
}
