/** Applies the plugins, settles who owns which contract, and is the only way from the core into a plugin. */
import {
  cancelled,
  configFailure,
  fail,
  ok,
  type Checked,
  type Failure,
  type PluginFailure,
  type Result,
} from '../failure.ts';
import type { Event } from '../journal/events.ts';
import { nearest } from '../config/suggest.ts';
import { pluginFailure, readAnswer, sayable, thrown } from './answer.ts';
import type { GateQuestion, Mode, TaskContext, ToolNeed } from './api.ts';
import type { ContractInput, ContractName, ContractOutput } from './contract-api.ts';
import { createHooks, defaultLimits, TapError, type GuardedHooks, type HookLimits, type ModeSink } from './hooks.ts';
import type { LoadedPlugin } from './load.ts';
import { guardMode, modeProblem, sameModes, type OwnedMode } from './modes.ts';
import { isCancelled, Late, within } from './patience.ts';
import { settleOwners, type Use } from './owners.ts';
import { askPreflight, type PreflightTasks } from './preflight.ts';
import { contractSchemas } from './schemas.ts';
import { checkOf } from './validate.ts';

export interface Host {
  /** Guarded: every error of a mode is a value. */
  readonly modes: readonly Mode[];
  readonly plugins: readonly LoadedPlugin[];
  modeOwner(mode: string): LoadedPlugin | undefined;
  owner(contract: string): LoadedPlugin | undefined;
  /** Input and output are checked against the contract's schemas. Never throws. */
  call<N extends ContractName>(
    contract: N,
    input: ContractInput<N>,
    context: TaskContext,
  ): Promise<Result<ContractOutput<N>>>;
  /** The same for `tags.list@1/<registry>`, which has an owner only where {@link owner} says so. */
  listTags(
    registry: string,
    input: ContractInput<'tags.list@1'>,
    context: TaskContext,
  ): Promise<Result<ContractOutput<'tags.list@1'>>>;
  /** The same for `plan.emit@1/<format>`. */
  emitPlan(
    format: string,
    input: ContractInput<'plan.emit@1'>,
    context: TaskContext,
  ): Promise<Result<ContractOutput<'plan.emit@1'>>>;
  /** What the plugins say is missing for their tasks of a plan. Never throws: a plugin that does is among the failures. */
  preflight(request: PreflightTasks): Promise<readonly Failure[]>;
  /** The first plugin's reason to refuse; `undefined`: none has one. A plugin that fails is a failure, never a pass. */
  gate(question: GateQuestion): Promise<Result<string | undefined>>;
  /** Never throws: a reporter that throws is dropped. */
  emit(event: Event): void;
  done(result: { readonly exitCode: number }): Promise<void>;
  /** What the owner of a contract (`image.copy@1`) or of a mode (`image.build@1/apko`, or just `apko`) declares. */
  toolNeeds(contractOrMode: string): readonly ToolNeed[];
}

export interface HostOptions {
  /** Hears of plugins that misbehave where no task can fail: reporters, `done`, a mode's `claims`. */
  readonly warn?: (failure: PluginFailure) => void;
  /** Applied to what plugins throw. */
  readonly redact?: (text: string) => string;
  readonly limits?: HookLimits;
  /** Names of plugins that come with Slipway, loaded or not, for one that is misspelt. */
  readonly known?: readonly string[];
}

/** The plugin that implements a contract, for messages about what it answered. */
export function ownerName({ owner }: Pick<Host, 'owner'>, contract: string): string {
  return owner(contract)?.plugin.name ?? '';
}

/** So many times as long as another tap: a list has a page for each hundred tags. */
const MANY_PAGES = 4;

/** Runs every plugin's `apply` and the `mode` hook; all failures at once. `use` maps a contract without version to a plugin. */
export async function createHost(
  plugins: readonly LoadedPlugin[],
  use: Use,
  options: HostOptions = {},
): Promise<Checked<Host>> {
  const { warn = () => {}, redact = (text) => text, limits = defaultLimits, known = [] } = options;
  const author = { plugin: 'slipway', hook: 'apply' };
  const guarded = createHooks((error) => warn(thrown(author, error, redact)), limits);
  const byName = new Map(plugins.map((loaded) => [loaded.plugin.name, loaded]));
  const located = (failure: PluginFailure): PluginFailure => {
    const at = byName.get(failure.plugin)?.at;
    return at === undefined ? failure : { ...failure, at };
  };

  const failures: Failure[] = applyAll(plugins, guarded).map((error) => located(thrown(author, error, redact)));
  const { modes, error } = await collectModes(guarded, byName);
  if (error !== undefined) {
    failures.push(located(thrown({ plugin: 'slipway', hook: 'mode' }, error, redact)));
  }
  failures.push(...sameModes(modes));
  const { owners, problems } = settleOwners(guarded.claims, use, byName, known);
  failures.push(...problems);
  if (failures.length > 0) {
    return { ok: false, failures };
  }

  for (const [contract, owner] of owners) {
    guarded.own(contract, owner.plugin.name);
  }
  const modeOwner = (name: string): LoadedPlugin | undefined => modes.find(({ mode }) => mode.name === name)?.owner;
  const ownerOf = (name: string): LoadedPlugin | undefined =>
    owners.get(name) ?? modeOwner(name.replace(/^image\.build@1\//, ''));
  /** The same, or a failure after so many milliseconds. */
  const inTime = async <T>(key: string, answer: Promise<Result<T>>, ms: number): Promise<Result<T>> => {
    try {
      return (await within(answer, ms)) as Result<T>;
    } catch (error) {
      if (!(error instanceof Late)) throw error;
      const author = { plugin: owners.get(key)?.plugin.name ?? '', hook: key };
      return fail(pluginFailure(author, `did not end within ${ms / 1000} s`));
    }
  };
  return ok({
    plugins,
    modes: modes.map((owned) => guardMode(owned, { redact, warn, limits })),
    modeOwner,
    owner: (contract) => owners.get(contract),
    call: (contract, input, context) => call(guarded, owners, redact, contract, contract, input, context),
    listTags: (registry, input, context) => {
      const key = `tags.list@1/${registry}`;
      // The tags can be asked for one by one, as long as the probe that waits for the list has time left.
      return inTime(key, call(guarded, owners, redact, 'tags.list@1', key, input, context), MANY_PAGES * limits.tap);
    },
    emitPlan: (format, input, context) => {
      const key = `plan.emit@1/${format}`;
      // No task's limit ends it.
      return inTime(key, call(guarded, owners, redact, 'plan.emit@1', key, input, context), limits.tap);
    },
    preflight: (request) =>
      askPreflight(plugins, (contract) => ownerOf(contract)?.plugin.name, { redact, limits }, request),
    gate: (question) => ask(guarded, redact, question),
    emit: (event) => guarded.hooks.event.call(event),
    done: (result) => guarded.hooks.done.promise(result),
    toolNeeds: (name) => ownerOf(name)?.plugin.needs.tools ?? [],
  });
}

function applyAll(plugins: readonly LoadedPlugin[], guarded: GuardedHooks): readonly TapError[] {
  return plugins.flatMap(({ plugin, options }) => {
    try {
      guarded.during(plugin.name, () => plugin.apply(guarded.hooks, options));
      return [];
    } catch (error) {
      return [error instanceof TapError ? error : new TapError(plugin.name, 'apply', 'failed')];
    }
  });
}

async function collectModes(
  guarded: GuardedHooks,
  byName: ReadonlyMap<string, LoadedPlugin>,
): Promise<{ readonly modes: readonly OwnedMode[]; readonly error?: unknown }> {
  const modes: OwnedMode[] = [];
  let open = true;
  const sink: ModeSink = {
    add: (mode, plugin = '') => {
      const owner = byName.get(plugin);
      if (!open || owner === undefined) {
        throw new TapError(plugin, 'mode', 'added a mode after its tap had ended');
      }
      const problem = modeProblem(mode);
      if (problem !== undefined) {
        throw new TapError(plugin, 'mode', problem);
      }
      modes.push({ mode, owner });
    },
  };
  try {
    await guarded.hooks.mode.promise(sink);
    return { modes };
  } catch (error) {
    return { modes, error };
  } finally {
    open = false;
  }
}

async function call<N extends ContractName>(
  { hooks }: GuardedHooks,
  owners: ReadonlyMap<string, LoadedPlugin>,
  redact: (text: string) => string,
  contract: N,
  key: string,
  input: ContractInput<N>,
  context: TaskContext,
): Promise<Result<ContractOutput<N>>> {
  const owner = owners.get(key);
  if (owner === undefined) {
    return fail(configFailure(`no plugin implements ${key}`, whoDoes(contract, key, owners)));
  }
  const schemas = contractSchemas[contract];
  const problem = checkOf(schemas.input)(input);
  if (problem !== undefined) {
    return fail(pluginFailure({ plugin: 'slipway', hook: key }, `was asked with a wrong input: ${problem}`));
  }
  if (context.signal.aborted && isCancelled(context.signal)) {
    return fail(cancelled);
  }
  const author = { plugin: owner.plugin.name, hook: key };
  try {
    // A copy: a plugin that changes its input must not change the plan. The hook map cannot know the contract's input type.
    const answer = await hooks.task.for(key).promise(structuredClone(input) as never, context);
    const result = readAnswer<ContractOutput<N>>(author, answer, schemas.output, redact);
    return !result.ok && isCancelled(context.signal) ? fail(cancelled) : result;
  } catch (error) {
    if (isCancelled(context.signal)) {
      return fail(cancelled);
    }
    return fail(
      error instanceof Late
        ? pluginFailure(author, 'did not end within its time limit')
        : thrown(author, error, redact),
    );
  }
}

/** Of a format or a host nobody knows all names: what is near, or else what there is, is among those that have an owner. */
function whoDoes(contract: string, key: string, owners: ReadonlyMap<string, unknown>): string {
  const list = 'list a plugin that does under plugins in the settings';
  const parts = [...owners.keys()].flatMap((each) =>
    each.startsWith(`${contract}/`) ? [each.slice(contract.length + 1)] : [],
  );
  if (parts.length === 0) return list;
  const near = nearest(key.slice(contract.length + 1), parts);
  return near === undefined ? `${list}; loaded are ${parts.join(', ')}` : `did you mean "${near}"? If not, ${list}`;
}

async function ask(
  { hooks }: GuardedHooks,
  redact: (text: string) => string,
  question: GateQuestion,
): Promise<Result<string | undefined>> {
  try {
    const answer: string | undefined = await hooks.gate.promise(question);
    return ok(answer === undefined ? undefined : sayable(answer, redact));
  } catch (error) {
    return fail(thrown({ plugin: 'slipway', hook: 'gate' }, error, redact));
  }
}
