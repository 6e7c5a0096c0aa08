/** From the command line to a plan: context, settings, plugins, config, `--to`, plan. Nothing has run and nobody was asked yet. */
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import {
  applyTo,
  configFailure,
  createHost,
  createPlan,
  folderFiles,
  loadConfig,
  loadPlugins,
  loadSettings,
  readContext,
  type Config,
  type Failure,
  type Host,
  type Planned,
  type PlanCommand,
  type Settings,
  type Signing,
  type ToolFinder,
} from '@slipway/core';
import { createToolFinder } from '@slipway/tools';
import { defaultPlugins } from './default-plugins.ts';
import type { Io } from './io.ts';
import type { Options } from './options.ts';

export interface Prepared {
  readonly config: Config;
  readonly settings: Settings;
  readonly host: Host;
  readonly planned: Planned;
  readonly finder: ToolFinder;
  /** Whose signatures this run makes and believes; absent: unsigned. */
  readonly signing?: Signing;
  readonly warnings: readonly string[];
}

export type Preparation = { readonly ok: true; readonly value: Prepared } | { readonly ok: false; readonly failures: readonly Failure[] };

export async function prepare(io: Io, options: Options, command: PlanCommand): Promise<Preparation> {
  const file = resolve(io.cwd, options.config);
  const folder = dirname(file);
  const loadedSettings = await readSettings(io, options, folder);
  if (!loadedSettings.ok) return loadedSettings;
  const { settings, warnings } = loadedSettings.value;
  const plugins = await loadPlugins({ settings, defaults: defaultPlugins });
  if (!plugins.ok) return plugins;
  const host = await createHost(plugins.value, settings.use, { warn: ({ message }) => io.stderr(`warning: ${message}\n`) });
  if (!host.ok) return host;
  const context = await readContext({ cwd: folder, env: io.env, date: new Date() });
  const modeProperties = Object.fromEntries(host.value.modes.map(({ name, properties = {} }) => [name, properties]));
  const config = await loadConfig(file, { context, modeProperties });
  if (!config.ok) return config;
  const mapped = options.to === undefined ? config : applyTo(config.value, options.to);
  if (!mapped.ok) return mapped;
  const planned = await createPlan({
    config: mapped.value,
    settings,
    context,
    modes: host.value.modes,
    files: folderFiles(folder),
    command,
    only: options.only,
    exclude: options.exclude,
    unsigned: options.to !== undefined && settings.scratch === undefined,
  });
  if (!planned.ok) return planned;
  const signing = options.to === undefined ? settings.signing : settings.scratch;
  return {
    ok: true,
    value: {
      config: mapped.value,
      settings,
      host: host.value,
      planned: planned.value,
      finder: createToolFinder({ env: io.env }),
      ...(signing === undefined ? {} : { signing }),
      warnings: [...warnings, ...config.warnings],
    },
  };
}

/** The settings alone, for commands that look at registries or tools without a config. */
export async function readSettings(
  io: Io,
  options: Pick<Options, 'settings' | 'jobs'>,
  folder: string,
): Promise<{ readonly ok: true; readonly value: { readonly settings: Settings; readonly warnings: readonly string[] } } | { readonly ok: false; readonly failures: readonly Failure[] }> {
  const loaded = await loadSettings({
    ...(options.settings === undefined ? {} : { file: resolve(io.cwd, options.settings) }),
    folder,
    date: new Date().toISOString().slice(0, 10),
    parallelism: availableParallelism(),
  });
  if (!loaded.ok) return loaded;
  const { limits } = loaded.value;
  const settings = options.jobs === undefined ? loaded.value : { ...loaded.value, limits: { ...limits, cpu: options.jobs } };
  return { ok: true, value: { settings, warnings: loaded.warnings } };
}

/** What must hold before anything runs: an identity to sign with, and every tool that the plan may need. */
export async function preflight(io: Io, { planned, host, finder, signing }: Prepared, to: boolean): Promise<readonly Failure[]> {
  const contracts = new Set(planned.plan.tasks.map(({ contract }) => contract));
  const failures: Failure[] = [];
  if (contracts.has('statement.sign@1')) failures.push(...whyNoIdentity(io, signing, to));
  const needs = new Map([...contracts].flatMap((contract) => host.toolNeeds(contract)).map((need) => [need.name, need]));
  for (const need of needs.values()) {
    const found = await finder.find(need);
    if (!found.ok) failures.push(found.failure);
  }
  return failures;
}

/** Never a browser: without a key there must be a token that is there already. */
function whyNoIdentity({ env }: Io, signing: Signing | undefined, to: boolean): readonly Failure[] {
  if (signing === undefined) {
    if (to) return [];
    return [configFailure('nothing says who signs', 'set signing.key and signing.publicKey, or signing.keyless, in slipway.config.yaml; --to PREFIX tries a run without signing')];
  }
  if (signing.key?.startsWith('env://') === true && !env[signing.key.slice('env://'.length)]) {
    return [configFailure(`signing.key names ${signing.key}, and that variable is empty`, 'export it, or name a key file')];
  }
  if (signing.key !== undefined) return [];
  const tokens = [signing.identityTokenEnv, 'SIGSTORE_ID_TOKEN', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'];
  if (tokens.some((name) => name !== undefined && env[name])) return [];
  return [configFailure('there is no key and no ambient identity to sign with', 'in GitHub Actions give the job id-token: write; elsewhere set SIGSTORE_ID_TOKEN, or signing.key in the settings')];
}
