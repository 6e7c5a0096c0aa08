/**
 * The hooks that plugins tap, with a guard around every tap: an author cannot fall into tapable's traps. Reproduced with 2.3.4:
 * a sync throw in a later tap of an async hook leaves its promise pending for ever, `before` with an unknown name moves a tap
 * to the front, `null` counts as an answer, and errors do not say whose they are.
 */
import { AsyncSeriesBailHook, AsyncSeriesHook, HookMap, SyncHook } from 'tapable';
import type { Result } from '../failure.ts';
import type { Event } from '../journal/events.ts';
import type { GateQuestion, Hooks, Mode, TaskContext } from './api.ts';
import type { ContractInput, ContractName, ContractOutput } from './contract-api.ts';
import { Late, untilStopped, within } from './patience.ts';

/** Implements a contract. `plugin` is the plugin's own name; `part` the registry host, for `tags.list@1`, or the format, for `plan.emit@1`. */
export function implement<N extends ContractName>(
  hooks: Hooks,
  contract: N,
  plugin: string,
  run: (input: ContractInput<N>, context: TaskContext) => Promise<Result<ContractOutput<N>>>,
  part?: string,
): void {
  hooks.task.for(part === undefined ? contract : `${contract}/${part}`).tapPromise(plugin, run);
}

/** What a tap did wrong, with its plugin and hook. Never leaves the plugin folder: the host makes a failure of it. */
export class TapError extends Error {
  readonly plugin: string;
  readonly hook: string;

  /** `cause`: what the tap threw, where that is why. */
  constructor(plugin: string, hook: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.plugin = plugin;
    this.hook = hook;
  }
}

export interface HookLimits {
  /** Milliseconds for one tap of a hook that has no task's time limit. */
  readonly tap: number;
  /** Milliseconds that a task's tap has to settle after its signal aborted. */
  readonly stop: number;
}

/** `stop` is less than what a step has (`run/time-limit.ts`), which does not know whose plugin it was that did not end. */
export const defaultLimits: HookLimits = { tap: 30_000, stop: 1_300 };

export interface GuardedHooks {
  readonly hooks: Hooks;
  /** Lets `plugin` tap while `apply` runs. Throws {@link TapError}: what `apply` threw, or a tap that is not allowed. */
  during(plugin: string, apply: () => unknown): void;
  /** Contract name → plugins that tapped it, in order. */
  readonly claims: ReadonlyMap<string, readonly string[]>;
  /** Only the owner's tap answers; set once, when owners are decided. */
  own(contract: string, plugin: string): void;
}

/** What the host gives to `hooks.mode.promise`. */
export interface ModeSink {
  add(mode: Mode, plugin?: string): void;
}

type FullTap = Parameters<NonNullable<Parameters<Hooks['event']['intercept']>[0]['register']>>[0];
type AsyncFunction = (...args: readonly unknown[]) => unknown;

/** `report` hears of reporters that throw and of `done` taps that fail: neither may fail a run. */
export function createHooks(report: (error: TapError) => void, limits: HookLimits = defaultLimits): GuardedHooks {
  let applying: string | undefined;
  const claims = new Map<string, string[]>();
  const owners = new Map<string, string>();

  /** The first interceptor: whose tap it is, and whether it is of a kind that cannot go wrong. */
  const check = (hook: string, tap: FullTap): AsyncFunction => {
    const plugin = applying;
    if (plugin === undefined) {
      throw new TapError(tap.name, hook, 'tapped the hook after its apply had ended');
    }
    if (tap.name !== plugin) {
      throw new TapError(plugin, hook, `tapped as "${tap.name}": a tap has its plugin's name`);
    }
    if (tap.before !== undefined) {
      throw new TapError(plugin, hook, 'tapped with "before", which is not supported');
    }
    if (tap.type === 'async') {
      throw new TapError(plugin, hook, 'used tapAsync: use tapPromise');
    }
    if (typeof tap.fn !== 'function') {
      throw new TapError(plugin, hook, 'tapped without a function');
    }
    return tap.fn as AsyncFunction;
  };

  const guardAsync = (hook: string, wrap: (run: AsyncFunction, plugin: string) => AsyncFunction) => (tap: FullTap) => {
    const plugin = tap.name;
    const run = stamped(plugin, hook, check(hook, tap));
    // Always of the promise kind, and built anew so that no option of the author's slips through.
    return {
      name: plugin,
      type: 'promise' as const,
      fn: wrap(run, plugin),
      ...(tap.stage === undefined ? {} : { stage: tap.stage }),
    };
  };

  /** The second interceptor: who taps a contract is written down; two taps are settled by the host, not by their order. */
  const claim = (contract: string) => (tap: FullTap) => {
    const names = claims.get(contract) ?? [];
    if (names.includes(tap.name)) {
      throw new TapError(tap.name, contract, 'tapped the same contract twice');
    }
    claims.set(contract, [...names, tap.name]);
    return tap;
  };

  const limited =
    (hook: string) =>
    (run: AsyncFunction, plugin: string) =>
    (...args: readonly unknown[]) =>
      within(run(...args), limits.tap).catch((error: unknown) => {
        throw error instanceof Late
          ? new TapError(plugin, hook, `did not settle within ${limits.tap / 1000} s`)
          : error;
      });

  const mode = new AsyncSeriesHook<[{ add(mode: Mode): void }]>(['modes'], 'mode');
  // Each tap gets a sink of its own, so that the host knows whose mode it is.
  const signed = (run: AsyncFunction, plugin: string) => (sink: unknown) =>
    limited('mode')(run, plugin)({ add: (added: Mode) => (sink as ModeSink).add(added, plugin) });
  mode.intercept({ register: guardAsync('mode', signed) });

  const gate = new AsyncSeriesBailHook<[GateQuestion], string | undefined>(['question'], 'gate');
  // Each tap has a copy of its own: what one changed, the next would judge, and the signer attest.
  const sentence =
    (run: AsyncFunction, plugin: string) =>
    async (...args: readonly unknown[]) => {
      const answer = await limited('gate')(run, plugin)(...structuredClone(args));
      if (answer === undefined || (typeof answer === 'string' && answer.trim() !== '')) {
        return answer;
      }
      throw new TapError(plugin, 'gate', 'answered with something that is not a sentence');
    };
  gate.intercept({ register: guardAsync('gate', sentence) });

  const done = new AsyncSeriesHook<[{ readonly exitCode: number }]>(['result'], 'done');
  const reported =
    (run: AsyncFunction, plugin: string) =>
    async (...args: readonly unknown[]) => {
      await Promise.resolve(limited('done')(run, plugin)(...args)).catch(report);
    };
  done.intercept({ register: guardAsync('done', reported) });

  const event = new SyncHook<[Event]>(['event'], 'event');
  event.intercept({
    register: (tap) => ({ ...tap, type: 'sync', fn: dropping(tap.name, check('event', tap), report) }),
  });

  const task: Hooks['task'] = new HookMap((contract: string) => {
    const hook = new AsyncSeriesBailHook<[input: never, context: TaskContext], unknown>(['input', 'context'], contract);
    const owned =
      (run: AsyncFunction, plugin: string) =>
      async (...args: readonly unknown[]) => {
        if (owners.get(contract) !== plugin) {
          return undefined;
        }
        return untilStopped(run(...args), signalOf(args[1]), limits.stop);
      };
    hook.intercept({ register: guardAsync(contract, owned) });
    hook.intercept({ register: claim(contract) });
    return sealed(hook);
  }, 'task');

  return {
    hooks: Object.freeze({
      mode: sealed(mode),
      task: sealed(task),
      gate: sealed(gate),
      event: sealed(event),
      done: sealed(done),
    }),
    claims,
    own: (contract, plugin) => void owners.set(contract, plugin),
    during: (plugin, apply) => {
      applying = plugin;
      try {
        const answer = apply();
        if (answer instanceof Promise) {
          answer.catch(() => {});
          throw new TapError(plugin, 'apply', 'is asynchronous: taps must be there when it returns');
        }
      } catch (error) {
        throw stamp(plugin, 'apply', error);
      } finally {
        applying = undefined;
      }
    },
  };
}

/** A plugin's interceptor that throws would hang an async hook, and could replace other plugins' taps. */
function sealed<H extends { intercept: unknown }>(hook: H): H {
  hook.intercept = () => {
    throw new Error('hooks may be tapped, not intercepted');
  };
  return hook;
}

/** Never throws at once, never answers null, and says whose error it is. */
function stamped(plugin: string, hook: string, run: AsyncFunction): AsyncFunction {
  return async (...args) => {
    try {
      return (await run(...args)) ?? undefined;
    } catch (error) {
      throw stamp(plugin, hook, error);
    }
  };
}

function stamp(plugin: string, hook: string, error: unknown): TapError {
  if (error instanceof TapError) {
    return error;
  }
  const said = error instanceof Error ? error.message : typeof error === 'string' ? error : '';
  const line = said.split('\n', 1)[0]?.trim() ?? '';
  return new TapError(plugin, hook, line === '' ? 'threw something that is no error' : `threw: ${line}`, error);
}

/** A reporter that throws, at once or later, is reported once and not called again. */
function dropping(plugin: string, run: AsyncFunction, report: (error: TapError) => void): AsyncFunction {
  let dropped = false;
  const drop = (error: unknown): void => {
    if (!dropped) {
      report(stamp(plugin, 'event', error));
    }
    dropped = true;
  };
  return (event) => {
    if (dropped) {
      return;
    }
    try {
      // A copy: the rows of the run, and its exit code, are made of what is in it.
      const answer = run(structuredClone(event));
      if (answer instanceof Promise) {
        answer.catch(drop);
      }
    } catch (error) {
      drop(error);
    }
  };
}

function signalOf(context: unknown): AbortSignal {
  const signal = typeof context === 'object' && context !== null && 'signal' in context ? context.signal : undefined;
  return signal instanceof AbortSignal ? signal : AbortSignal.abort();
}
