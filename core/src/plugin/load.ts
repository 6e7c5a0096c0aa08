/** Loads the plugins that the settings list, and the default ones: no other code is looked for. */
import { isFields } from '../config/fields.ts';
import type { PluginSetting, Settings } from '../config/settings-model.ts';
import { configFailure, ok, type Checked, type Failure, type Position } from '../failure.ts';
import type { Plugin } from './api.ts';
import { defaultLimits } from './hooks.ts';
import { Late, within } from './patience.ts';
import { resolvePlugin } from './resolve.ts';
import { readPlugin, type Shape } from './shape.ts';
import { checkOptions } from './validate.ts';

/** A plugin whose shape, API and options were checked; nothing of it has run but its module's top level. */
export interface LoadedPlugin {
  readonly plugin: Plugin;
  /** Checked, with the defaults of its schema. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The line of the settings that names it; absent for a default plugin that they do not name. */
  readonly at?: Position;
}

export interface LoadRequest {
  readonly settings: Pick<Settings, 'plugins' | 'folder'>;
  /** Plugin name → its module's plugin. Loaded always, in this order, before those of the settings. */
  readonly defaults: ReadonlyMap<string, () => Promise<Plugin>>;
  /** Names of plugins that come with Slipway, for one that is misspelt. */
  readonly known?: readonly string[];
  /** Gives the default export; Node's `import` when absent. */
  readonly importModule?: (url: URL) => Promise<unknown>;
  /** Milliseconds that a module may take to load: one that waits at its top for what never comes would be waited for for ever. */
  readonly limit?: number;
}

/** All failures at once, in the order of the settings. */
export async function loadPlugins({
  settings,
  defaults,
  known = [],
  importModule = importDefault,
  limit = defaultLimits.tap,
}: LoadRequest): Promise<Checked<readonly LoadedPlugin[]>> {
  const given = new Map<string, PluginSetting>();
  const failures: Failure[] = [];
  for (const setting of settings.plugins) {
    if (given.has(setting.name)) {
      failures.push(configFailure(`the plugin "${setting.name}" is listed twice`, 'remove one of the two', setting.at));
    } else {
      given.set(setting.name, setting);
    }
  }
  const wanted = [
    ...[...defaults].map(([name, load]) => one(name, given.get(name), load, limit)),
    ...[...given.values()]
      .filter(({ name }) => !defaults.has(name))
      .map((setting) => fromSettings(setting, settings.folder, known, importModule, limit)),
  ];
  const loaded: LoadedPlugin[] = [];
  for (const answer of await Promise.all(wanted)) {
    if (answer.ok) {
      loaded.push(answer.value);
    } else {
      failures.push(...answer.failures);
    }
  }
  failures.push(...sameNames(loaded));
  return failures.length > 0 ? { ok: false, failures } : { ok: true, value: loaded };
}

async function importDefault(url: URL): Promise<unknown> {
  const module: unknown = await import(url.href);
  const given = isFields(module) ? module['default'] : undefined;
  // Of CommonJS the default is all that it exports: compiled from a module, it says so, and has the module's default below.
  return isFields(given) && given['__esModule'] === true ? given['default'] : given;
}

function refused(...failures: readonly Failure[]): Checked<LoadedPlugin> {
  return { ok: false, failures };
}

async function fromSettings(
  setting: PluginSetting,
  folder: string,
  known: readonly string[],
  importModule: (url: URL) => Promise<unknown>,
  limit: number,
): Promise<Checked<LoadedPlugin>> {
  const url = await resolvePlugin(setting.name, folder, known, setting.at);
  return url.ok ? one(setting.name, setting, () => importModule(url.value), limit) : refused(url.failure);
}

async function one(
  name: string,
  setting: PluginSetting | undefined,
  load: () => Promise<unknown>,
  limit: number,
): Promise<Checked<LoadedPlugin>> {
  const at = setting?.at;
  let shape: Shape;
  try {
    shape = readPlugin(await within(load(), limit));
  } catch (error) {
    const said =
      error instanceof Late
        ? `its module was not loaded within ${limit / 1000} s`
        : error instanceof Error
          ? (error.message.split('\n', 1)[0] ?? '')
          : 'it threw';
    return refused(loadFailure(name, `the plugin "${name}" could not be loaded: ${said}`, at));
  }
  if (shape.kind === 'wrong') {
    return refused(loadFailure(name, `"${name}" is not a plugin: ${shape.message}`, at));
  }
  if (shape.kind === 'api') {
    return refused(configFailure(shape.message, shape.hint, at));
  }
  return withOptions(shape.plugin, setting?.options ?? {}, at);
}

function withOptions(
  plugin: Plugin,
  options: Readonly<Record<string, unknown>>,
  at: Position | undefined,
): Checked<LoadedPlugin> {
  const schema = plugin.options ?? { type: 'object', additionalProperties: false, properties: {} };
  const checked = checkOptions(schema, options);
  switch (checked.kind) {
    case 'ok':
      return ok({ plugin, options: checked.options, ...(at === undefined ? {} : { at }) });
    case 'schema':
      return refused(
        loadFailure(plugin.name, `the options schema of plugin ${plugin.name} is wrong: ${checked.message}`, at),
      );
    case 'options':
      return refused(
        ...checked.problems.map(({ message, hint }) =>
          configFailure(`options of plugin ${plugin.name}: ${message}`, hint, at),
        ),
      );
  }
}

/** Two packages may call themselves the same; `use` could not tell them apart. */
function sameNames(loaded: readonly LoadedPlugin[]): readonly Failure[] {
  const seen = new Set<string>();
  return loaded.flatMap(({ plugin, at }) => {
    const first = !seen.has(plugin.name);
    seen.add(plugin.name);
    return first
      ? []
      : [configFailure(`two plugins are named ${plugin.name}`, 'remove one of them from the settings', at)];
  });
}

function loadFailure(plugin: string, message: string, at: Position | undefined): Failure {
  const hint = 'ask its author, or take it out of the settings';
  return {
    reason: 'plugin',
    class: 'permanent',
    plugin,
    hook: 'load',
    message,
    hint,
    ...(at === undefined ? {} : { at }),
  };
}
