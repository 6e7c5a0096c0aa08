/** Collects the modes that plugins bring, and guards every call into them. */
import { isFields } from '../config/fields.ts';
import { cancelled, configFailure, fail, type Failure, type PluginFailure, type Result } from '../failure.ts';
import { pluginFailure, readAnswer, thrown, type Author } from './answer.ts';
import type { BuildContext, Built, JsonSchema, Mode, ModeInputs } from './api.ts';
import type { HookLimits } from './hooks.ts';
import type { LoadedPlugin } from './load.ts';
import { isCancelled, Late, untilStopped, within } from './patience.ts';
import { builtSchema, modeInputsSchema, resolvedSchema } from './schemas.ts';

export interface OwnedMode {
  readonly mode: Mode;
  readonly owner: LoadedPlugin;
}

export interface ModeGuard {
  readonly redact: (text: string) => string;
  /** Hears of a mode whose `claims` throws: it counts as not claiming. */
  readonly warn: (failure: PluginFailure) => void;
  readonly limits: HookLimits;
}

const NAME = /^[a-z][a-z0-9]*(?:[+-][a-z0-9]+)*$/;

/** What is wrong with a mode as it was added, if anything. */
export function modeProblem(mode: unknown): string | undefined {
  if (!isFields(mode)) {
    return 'added a mode that is not an object';
  }
  if (typeof mode['name'] !== 'string' || !NAME.test(mode['name'])) {
    return 'added a mode whose "name" is not of lower-case words';
  }
  for (const part of ['claims', 'inputs', 'build']) {
    if (typeof mode[part] !== 'function') {
      return `added the mode ${mode['name']}, whose "${part}" is not a function`;
    }
  }
  if (mode['resolve'] !== undefined && typeof mode['resolve'] !== 'function') {
    return `added the mode ${mode['name']}, whose "resolve" is not a function`;
  }
  if (mode['properties'] !== undefined && !isFields(mode['properties'])) {
    return `added the mode ${mode['name']}, whose "properties" are not JSON Schemas`;
  }
  if (mode['perPlatform'] !== undefined && typeof mode['perPlatform'] !== 'boolean') {
    return `added the mode ${mode['name']}, whose "perPlatform" is neither true nor false`;
  }
  return undefined;
}

/** Two modes of one name cannot be told apart in a config. */
export function sameModes(modes: readonly OwnedMode[]): readonly Failure[] {
  return modes.flatMap(({ mode, owner }, index) => {
    const first = modes.find((other) => other.mode.name === mode.name);
    if (first === undefined || first === modes[index]) {
      return [];
    }
    const names = `${first.owner.plugin.name} and ${owner.plugin.name}`;
    return [
      configFailure(
        `the mode "${mode.name}" is brought by two plugins: ${names}`,
        'take one of them out of the settings',
        owner.at ?? first.owner.at,
      ),
    ];
  });
}

/** The same mode, whose every answer is checked and whose every error is a value. */
export function guardMode({ mode, owner }: OwnedMode, { redact, warn, limits }: ModeGuard): Mode {
  const author: Author = { plugin: owner.plugin.name, hook: `image.build@1/${mode.name}` };
  const settle = async <T>(
    what: string,
    schema: JsonSchema,
    run: () => Promise<unknown>,
    signal?: AbortSignal,
  ): Promise<Result<T>> => {
    try {
      // Without a task the limit's own timer must keep the process alive: an answer that never comes would end it.
      const answer = await (signal === undefined
        ? within(run(), limits.tap)
        : untilStopped(run(), signal, limits.stop));
      return readAnswer<T>({ ...author, hook: `${author.hook} ${what}` }, answer, schema, redact);
    } catch (error) {
      if (signal !== undefined && isCancelled(signal)) {
        return fail(cancelled);
      }
      if (error instanceof Late) {
        return fail(pluginFailure(author, `${what} did not end within its time limit`));
      }
      return fail(thrown({ ...author, hook: `${author.hook} ${what}` }, error, redact));
    }
  };
  return {
    name: mode.name,
    ...(mode.properties === undefined ? {} : { properties: mode.properties }),
    ...(mode.perPlatform === undefined ? {} : { perPlatform: mode.perPlatform }),
    claims: (source) => {
      try {
        const answer: unknown = mode.claims(source);
        if (typeof answer === 'boolean') {
          return answer;
        }
        warn(pluginFailure(author, 'claims gave no boolean'));
      } catch (error) {
        warn(thrown({ ...author, hook: `${author.hook} claims` }, error, redact));
      }
      return false;
    },
    inputs: (entry, files) =>
      settle<ModeInputs>('inputs', modeInputsSchema, async () => mode.inputs(structuredClone(entry), files)),
    ...(mode.resolve === undefined
      ? {}
      : {
          resolve: (context: BuildContext) =>
            settle<Readonly<Record<string, string>>>(
              'resolve',
              resolvedSchema,
              async () => mode.resolve?.(ownCopy(context)),
              context.signal,
            ),
        }),
    build: (context) => settle<Built>('build', builtSchema, async () => mode.build(ownCopy(context)), context.signal),
  };
}

/** A mode that changes what it is asked must not change the plan. */
function ownCopy(context: BuildContext): BuildContext {
  const { entry, platforms, packageRepositories, bases, inputs } = context;
  return { ...context, ...structuredClone({ entry, platforms, packageRepositories, bases, inputs }) };
}
