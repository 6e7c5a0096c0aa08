/** From the command line to a plan: context, settings, plugins, config, selections, `--to`, plan. Nothing has run yet. */
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  applyLock,
  applyTo,
  attrition,
  checkLocked,
  checkMoved,
  concerns,
  configFailure,
  createPlan,
  folderFiles,
  idlePatterns,
  loadConfig,
  loadLock,
  ok,
  readContext,
  variableIn,
  type Checked,
  type Config,
  type Context,
  type Expanded,
  type Expansion,
  type FailedSelection,
  type Failure,
  type Host,
  type Planned,
  type PlanCommand,
  type Position,
  type Selection,
  type Settings,
  type Signing,
  type ToolFinder,
  type ToolNeed,
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

/** `asks`: ends what is under way; absent: nobody is asked, and selections stay as they are. */
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

/** What must hold before anything runs: an identity to sign with, and every tool that the plan may need. */
export async function preflight(io: Io, prepared: Prepared, to: boolean): Promise<readonly Failure[]> {
  const failures: Failure[] = [...whyNotSigned(io, prepared, to)];
  for (const need of toolNeeds(prepared)) {
    const found = await prepared.finder.find(need);
    if (!found.ok) failures.push(found.failure);
  }
  return [...failures, ...(await lackingHere(io, prepared))];
}

/** What keeps this machine from signing what the plan signs. */
export function whyNotSigned(io: Io, prepared: Prepared, to: boolean): readonly Failure[] {
  const contracts = contractsOf(prepared);
  const legacy = contracts.has(LEGACY);
  return [
    ...(legacy || contracts.has('statement.sign@1') ? whyNoIdentity(io, prepared.signing, to) : []),
    ...(legacy && prepared.host.owner(LEGACY) === undefined ? [noLegacySigner] : []),
  ];
}

/** Every tool that a plugin which has something to do here declares. */
export function toolNeeds(prepared: Prepared): readonly ToolNeed[] {
  const needs = [...contractsOf(prepared)].flatMap((contract) => prepared.host.toolNeeds(contract));
  return [...new Map(needs.map((need) => [`${need.name} ${need.range}`, need])).values()];
}

const LEGACY = 'payload.sign@1';

/** The steps that attach sign too where the legacy format is asked for; the plan is the same for every format. */
function contractsOf({ planned, signing }: Prepared): ReadonlySet<string> {
  const contracts = new Set<string>(planned.plan.tasks.map(({ contract }) => contract));
  const format = signing?.format ?? 'bundle';
  return format === 'bundle' || !contracts.has('core.attach@1') ? contracts : contracts.add(LEGACY);
}

/** Looking at what is published takes somebody whose signatures count; of a mirror it is looked at whether its tags are there. */
export function whyNobodyCounts({ signing, planned }: Prepared): Failure | undefined {
  if (signing !== undefined || planned.plan.entries.every(({ trust }) => trust === 'copy')) return undefined;
  return configFailure(
    'nothing says whose signatures count',
    'set signing.key and signing.publicKey, or signing.keyless, in the settings (signing.scratch for --to)',
  );
}

const noLegacySigner = configFailure(
  'signing.format asks for legacy signatures, and no plugin implements payload.sign@1',
  'list a signer that does, as sign-cosign, or set signing.format: bundle',
);

/** What plugins say this machine lacks for the plan, as an emulator for a foreign architecture. */
export function lackingHere(io: Io, { config, planned, host }: Prepared): Promise<readonly Failure[]> {
  const { plan, entries } = planned;
  const at = (entry: string): Position | undefined => entries.get(entry)?.at;
  return host.preflight({ tasks: plan.tasks, at, root: config.folder, env: io.env });
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Never a browser: without a key there must be a token that is there already. */
function whyNoIdentity({ env }: Io, signing: Signing | undefined, to: boolean): readonly Failure[] {
  if (signing === undefined) {
    if (to) return [];
    return [
      configFailure(
        'nothing says who signs',
        'set signing.key and signing.publicKey, or signing.keyless, in slipway.config.yaml; --to PREFIX tries a run without signing',
      ),
    ];
  }
  const variable = variableIn(signing.key);
  if (variable !== undefined && !env[variable]) {
    const message = `signing.key names ${signing.key}, and that variable is empty`;
    return [configFailure(message, 'export it, or name a key file', signing.keyAt)];
  }
  if (signing.key !== undefined) {
    if (signing.key.includes('://') || isFile(signing.key)) return [];
    return [
      configFailure(
        `the key file ${signing.key} is not there`,
        'make it with: cosign generate-key-pair',
        signing.keyAt,
      ),
    ];
  }
  const tokens = [signing.identityTokenEnv, 'SIGSTORE_ID_TOKEN', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'];
  if (tokens.some((name) => name !== undefined && env[name])) return [];
  return [
    configFailure(
      'there is no key and no ambient identity to sign with',
      'in GitHub Actions give the job id-token: write; elsewhere set SIGSTORE_ID_TOKEN, or signing.key in the settings',
    ),
  ];
}
