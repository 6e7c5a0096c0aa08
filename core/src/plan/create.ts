/**
 * The plan: a pure function of config, settings, context, modes and files. No network, no clock, no tool.
 *
 *   modes and inputs of builds → packages → links between entries → cycles → selection → chains → rules of order
 *
 * All mistakes are told at once: a phase that fails leaves out what it could not read, and the next ones go on without it.
 */
import { join } from 'node:path';
import type { BuildEntry, Config, Context, Entry } from '../config/model.ts';
import type { Settings } from '../config/settings-model.ts';
import { configFailure, type Checked, type ConfigFailure } from '../failure.ts';
import type { Files, Mode, ModeInputs } from '../plugin/api.ts';
import { chainTasks, togetherTask } from './chain.ts';
import { entryCycles, packageCycles } from './cycles.ts';
import { draftEntries } from './entries.ts';
import { linkEntries, needsOfEntry, retagFailures } from './links.ts';
import { packageName, parseMelange, type PackageConfig } from './melange.ts';
import type { Plan } from './model.ts';
import { askMode, chooseMode } from './modes.ts';
import { packagePipelines } from './package-pipelines.ts';
import { architectureFailures, packageTasks, platformFailures } from './package-tasks.ts';
import { packageEdges, type Image } from './packages.ts';
import { checkOrder } from './rules.ts';
import { selectEntries, type Command } from './select.ts';

export interface PlanRequest {
  /** Its destinations are mapped by `--to` already. */
  readonly config: Config;
  readonly settings: Settings;
  readonly context: Context;
  readonly modes: readonly Mode[];
  readonly files: Files;
  /** `sync` and `build` plan entries of that kind, and what those need. */
  readonly command: Command;
  /** A `--to` run without `signing.scratch`: nothing is signed or attached, so the chain ends with the gate and the tag. */
  readonly unsigned?: boolean;
  readonly only?: readonly string[];
  readonly exclude?: readonly string[];
}

export interface Planned {
  readonly plan: Plan;
  /** Of every build entry of the config, by entry id. */
  readonly inputs: ReadonlyMap<string, ModeInputs>;
  /** Every entry of the config by id, also those that were not selected. */
  readonly entries: ReadonlyMap<string, Entry>;
  /** Of every entry that only tags the image of another one again, the two by id; also where one of them does not run. */
  readonly origins: ReadonlyMap<string, string>;
  /** Of every package task in the plan, by task id. */
  readonly packages: ReadonlyMap<string, PackageConfig>;
}

/** Makes the plan, or tells everything that is wrong with the config, in the order of its lines. */
export async function createPlan(request: PlanRequest): Promise<Checked<Planned, ConfigFailure>> {
  const { config, settings, context } = request;
  const { modes, inputs, failures: modeFailures } = await readBuilds(request);
  const { configs, failures: fileFailures } = await readPackages(request);
  const links = linkEntries(config, inputs);
  const packages = packageEdges(imagesOf(config, inputs), configs);
  const wanted = { command: request.command, only: request.only ?? [], exclude: request.exclude ?? [] };
  const { selected, failures: patternFailures } = selectEntries(
    config.entries,
    wanted,
    (id) => needsOfEntry(id, links),
    config.selections,
  );
  const failures = [
    ...modeFailures,
    ...fileFailures,
    ...packages.failures,
    ...platformFailures(builds(config), inputs, packages),
    ...architectureFailures(builds(config), inputs, packages, configs),
    ...retagFailures(config, links),
    ...entryCycles(config, links),
    ...packageCycles(config, packages),
    ...patternFailures,
  ];
  if (failures.length > 0) return { ok: false, failures: byPosition(failures, config) };

  const { drafts, origins } = draftEntries({
    unsigned: request.unsigned ?? false,
    config,
    settings,
    context,
    selected,
    modes,
    inputs,
    links,
    packages,
  });
  const running = drafts.flatMap(({ chain }) => chain ?? []);
  const shared = packageTasks(running, packages, configs);
  const together = settings.publish === 'together' && running.length > 0 ? [togetherTask(running)] : [];
  const plan: Plan = {
    entries: drafts.map((draft) => draft.entry),
    tasks: [...shared.map(({ task }) => task), ...together, ...running.flatMap(chainTasks)],
  };
  const broken = checkOrder(plan);
  if (broken.length > 0) return { ok: false, failures: broken };
  const entries = new Map(config.entries.map((entry) => [entry.id, entry]));
  const planned = new Map(shared.map(({ task, config: made }) => [task.id, made]));
  return { ok: true, value: { plan, inputs, entries, origins, packages: planned } };
}

/** Each build entry's mode, and what it says of the entry: asked once. */
async function readBuilds({ config, modes, files }: PlanRequest): Promise<{
  readonly modes: ReadonlyMap<string, Mode>;
  readonly inputs: ReadonlyMap<string, ModeInputs>;
  readonly failures: readonly ConfigFailure[];
}> {
  const chosen = new Map<string, Mode>();
  const inputs = new Map<string, ModeInputs>();
  const failures: ConfigFailure[] = [];
  for (const entry of builds(config)) {
    const mode = chooseMode(entry, modes);
    if (!mode.ok) {
      failures.push(mode.failure);
      continue;
    }
    chosen.set(entry.id, mode.value);
    const asked = await askMode(mode.value, entry, files);
    if (asked.ok) inputs.set(entry.id, asked.value);
    else failures.push(asked.failure);
  }
  return { modes: chosen, inputs, failures };
}

/** Every melange config that an entry names, read once; a mistake in one is told at the first entry that names it. */
async function readPackages({ config, files }: PlanRequest): Promise<{
  readonly configs: ReadonlyMap<string, PackageConfig>;
  readonly failures: readonly ConfigFailure[];
}> {
  const users = new Map<string, BuildEntry>();
  for (const entry of builds(config))
    for (const path of entry.melangeConfigs) if (!users.has(path)) users.set(path, entry);
  const configs = new Map<string, PackageConfig>();
  const failures: ConfigFailure[] = [];
  for (const [path, { at }] of users) {
    const text = await files.read(path);
    if (!text.ok) {
      failures.push(configFailure(text.failure.message, text.failure.hint, text.failure.at ?? at));
      continue;
    }
    const pipelines = await packagePipelines(files, path, text.value);
    const parsed = parseMelange(path, text.value, join(config.folder, path), pipelines);
    if (parsed.ok) configs.set(path, parsed.value);
    else failures.push(parsed.failure);
  }
  return { configs, failures };
}

function builds(config: Config): readonly BuildEntry[] {
  return config.entries.filter((entry) => entry.kind === 'build');
}

function imagesOf(config: Config, inputs: ReadonlyMap<string, ModeInputs>): readonly Image[] {
  return builds(config).map((entry) => ({
    entry: entry.id,
    at: entry.at,
    configs: entry.melangeConfigs,
    installs: (inputs.get(entry.id)?.packages ?? []).flatMap((text) => packageName(text) ?? []),
  }));
}

/** The config's own lines first, then other files; what has no place comes last. What is wrong in a file that many include is told once. */
function byPosition(failures: readonly ConfigFailure[], config: Config): readonly ConfigFailure[] {
  const rank = ({ at }: ConfigFailure): readonly [number, string, number, number] =>
    at === undefined ? [2, '', 0, 0] : [at.file === config.file ? 0 : 1, at.file, at.line, at.column];
  const told = new Map(failures.map((failure) => [JSON.stringify([failure.at, failure.message]), failure]));
  return [...told.values()].sort((a, b) => {
    const [kindA, fileA, lineA, columnA] = rank(a);
    const [kindB, fileB, lineB, columnB] = rank(b);
    return kindA - kindB || (fileA < fileB ? -1 : fileA > fileB ? 1 : 0) || lineA - lineB || columnA - columnB;
  });
}
