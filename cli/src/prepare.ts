/** From the command line to a plan: context, settings, plugins, config, selections, `--to`, plan. Nothing has run yet. */
import { dirname, resolve } from 'node:path';
import {
  applyLock,
  applyTo,
  attrition,
  checkLocked,
  checkMoved,
  concerns,
  createPlan,
  folderFiles,
  idlePatterns,
  loadConfig,
  loadLock,
  ok,
  readContext,
  type Checked,
  type Config,
  type Context,
  type Expanded,
  type Expansion,
  type FailedSelection,
  type Host,
  type Planned,
  type PlanCommand,
  type Selection,
  type Settings,
  type Signing,
  type ToolFinder,
  type Unlocked,
} from '@slipway/core';
import { createToolFinder } from '@slipway/tools';
import type { Io } from './io.ts';
import { loadEngine } from './load.ts';
import { saveMemoryFor, saveMemoryForConfig } from './memory.ts';
import type { Options } from './options.ts';
import { untoldTools } from './tool-copies.ts';

export interface Prepared {
  readonly config: Config;
  readonly settings: Settings;
  readonly host: Host;
  readonly planned: Planned;
  /** What became of the config's selections, where somebody was asked. */
  readonly expansions: readonly Expansion[];
  /** Those of them that failed, and that this command is about. */
  readonly failed: readonly FailedSelection[];
  readonly finder: ToolFinder;
  /** Whose signatures this run makes and believes; absent: unsigned. */
  readonly signing?: Signing;
  readonly warnings: readonly string[];
}

/** `asks`: its abort ends what registries are asked; absent: nobody is asked, and selections stay as they are. */
export async function prepare(
  io: Io,
  options: Options,
  command: PlanCommand,
  asks?: AbortSignal,
): Promise<Checked<Prepared>> {
  const inputs = await loadInputs(io, options);
  if (!inputs.ok) return inputs;
  const { context, folder, host, settings, warnings } = inputs.value;
  const expanded = await expansionOf(io, inputs.value, options, asks);
  if (!expanded.ok) return expanded;
  const { expansions, unlocked } = expanded.value;
  const mapped =
    options.to === undefined ? ok(expanded.value.config) : applyTo(expanded.value.config, options.to, io.cwd);
  if (!mapped.ok) return mapped;
  saveMemoryFor(mapped.value.entries.length);
  const planned = await createPlan({
    config: mapped.value,
    settings,
    context,
    modes: host.modes,
    files: folderFiles(folder),
    command,
    only: options.only,
    exclude: options.exclude,
    unsigned: options.to !== undefined && settings.scratch === undefined,
  });
  // Where entries that became one could not be planned for that very reason, it is said of all of them.
  const wanted = planned.ok ? planned.value.plan.entries : mapped.value.entries;
  const moved =
    options.to === undefined
      ? ok(undefined)
      : checkMoved(mapped.value, options.to, new Set(wanted.map(({ id }) => id)));
  if (!planned.ok) return moved.ok ? planned : { ok: false, failures: [...moved.failures, ...planned.failures] };
  if (!moved.ok) return moved;
  const signing = options.to === undefined ? settings.signing : settings.scratch;
  const failed = failedSelections(expansions, mapped.value.selections, { ...options, command });
  const asked = [...planned.value.plan.entries, ...failed.map(({ selection }) => selection)].map(({ id }) => id);
  const locked = checkLocked(unlocked, asked);
  if (!locked.ok) return locked;
  return {
    ok: true,
    value: {
      config: mapped.value,
      settings,
      host,
      planned: planned.value,
      expansions,
      failed,
      finder: createToolFinder({ env: io.env }),
      ...(signing === undefined ? {} : { signing }),
      warnings: [
        ...warnings,
        ...idlePatterns(settings, mapped.value),
        ...emptySelections(expansions),
        ...besides(expansions, failed),
        ...untoldTools(settings, host, planned.value),
      ],
    },
  };
}

/** What the user wrote, as it stands. */
interface Inputs {
  /** Selections are not expanded, and `--to` is not applied. */
  readonly config: Config;
  readonly folder: string;
  readonly context: Context;
  readonly settings: Settings;
  readonly host: Host;
  readonly warnings: readonly string[];
}

export async function loadInputs(io: Io, options: Options): Promise<Checked<Inputs>> {
  const file = resolve(io.cwd, options.config);
  const folder = dirname(file);
  saveMemoryForConfig(file);
  const engine = await loadEngine(io, options, folder);
  if (!engine.ok) return engine;
  const { settings, host, warnings } = engine.value;
  const context = await readContext({ cwd: folder, env: io.env, date: new Date() });
  const modeProperties = Object.fromEntries(host.modes.map(({ name, properties = {} }) => [name, properties]));
  const config = await loadConfig(file, { context, modeProperties });
  if (!config.ok) return config;
  const all = [...warnings, ...config.warnings];
  return { ok: true, value: { config: config.value, folder, context, settings, host, warnings: all } };
}

interface Known extends Expanded {
  /** What `--frozen` asks for and has not. */
  readonly unlocked: Unlocked;
}

/** By the lock, which asks nobody; else by the registries, where they may be asked. */
async function expansionOf(
  io: Io,
  { config, folder, settings }: Inputs,
  { frozen }: Options,
  asks: AbortSignal | undefined,
): Promise<Checked<Known>> {
  const unlocked: Unlocked = new Map();
  if (frozen) {
    const lock = await loadLock(folder);
    return lock.ok ? applyLock(config, lock.value) : lock;
  }
  if (asks === undefined || config.selections.length === 0) return ok({ config, expansions: [], unlocked });
  const { expand } = await import('./expand.ts');
  const expanded = await expand(io, config, settings, asks);
  return expanded.ok ? ok({ ...expanded.value, unlocked }) : expanded;
}

/** With the destinations that `--to` has made. */
function failedSelections(
  expansions: readonly Expansion[],
  left: readonly Selection[],
  concern: Parameters<typeof concerns>[0],
): readonly FailedSelection[] {
  return left.flatMap((selection) => {
    const failure = expansions.find((each) => each.selection.id === selection.id)?.failure;
    return failure === undefined || !concerns(concern, selection) ? [] : [{ selection, failure }];
  });
}

/** Not what the command is about, but what it is about may take one of their images. */
function besides(expansions: readonly Expansion[], failed: readonly FailedSelection[]): readonly string[] {
  return expansions.flatMap(({ selection, failure }) =>
    failure === undefined || failed.some((each) => each.selection.id === selection.id)
      ? []
      : [`${selection.id} gives no entries: ${failure.message}`],
  );
}

/** Allowed, and said all the same. */
function emptySelections(expansions: readonly Expansion[]): readonly string[] {
  return expansions.flatMap(({ selection, selected, failure }) =>
    failure === undefined && selected?.tags.length === 0
      ? [`${selection.id} selects nothing, which it allows: ${attrition(selected)}`]
      : [],
  );
}
