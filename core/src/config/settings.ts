/** The settings, from checked data to a {@link Settings} with every default filled in. */
import { dirname } from 'node:path';
import { configFailure, type ConfigFailure, type Result } from '../failure.ts';
import { readCheck } from './check.ts';
import type { Document, Path } from './document.ts';
import { parseDuration } from './duration.ts';
import { count, fields, flag, items, text } from './fields.ts';
import { parseHost, parsePrefix } from './hosts.ts';
import { failed, loaded, type Loaded } from './loaded.ts';
import type { Mirror, PluginSetting, Settings, TrustLevel } from './settings-model.ts';
import { readPolicy } from './policy.ts';
import { quote } from './quote.ts';
import { settingsSchema } from './settings-schema.ts';
import { parseBandwidth } from './bandwidth.ts';
import { readRegistries } from './registries.ts';
import { readSigning } from './signing.ts';
import { compileSchema, validate, type Validator } from './validate.ts';

export interface SettingsDefaults {
  /** UTC, as `2026-11-23`: waivers that ended before are warned of. */
  readonly date: string;
  /** CPU-heavy tasks at once, when the settings do not say. */
  readonly parallelism: number;
}

const DEFAULT_TASK = 15 * 60_000;
/** Far below what a timer can count, 2^31 ms. */
const MAX_TASK = 7 * 86_400_000;

let validator: Validator | undefined;

/** All that is wrong in the settings at once. Plugins' options are free here: their schemas are known only once they are loaded. */
export async function readSettings(document: Document, defaults: SettingsDefaults): Promise<Loaded<Settings>> {
  const folder = dirname(document.file);
  const problems = document.data === null ? [] : validate(document, (validator ??= compileSchema(settingsSchema({}))));
  const warnings: string[] = [];
  const root = fields(document.data);
  const policy = readPolicy(document, defaults.date, problems, warnings, folder);
  const check = readCheck(document, defaults.date, problems, warnings, folder);
  const signing = await readSigning(document, folder, problems);
  const registries = await readRegistries(document, folder, problems);
  const settings: Settings = {
    file: document.file,
    folder,
    plugins: readPlugins(),
    use: readUse(),
    main: text(root['main']) ?? 'main',
    publish: root['publish'] === 'together' ? 'together' : 'each',
    mirrors: items(root['mirrors']).flatMap((item, index) => readMirror(item, ['mirrors', index]) ?? []),
    plainHttp: items(root['plainHttp']).flatMap((item, index) => {
      const host = text(item);
      return host ? (accept(parseHost(host), ['plainHttp', index]) ?? []) : [];
    }),
    registries,
    policy,
    trust: items(root['trust']).map((item, index) => {
      const level: TrustLevel = fields(item)['level'] === 'copy' ? 'copy' : 'full';
      return { match: text(fields(item)['match']) ?? '', level, at: document.locate(['trust', index]) };
    }),
    ...signing,
    ...(check === undefined ? {} : { check }),
    limits: readLimits(),
  };
  return problems.length > 0 ? failed(problems) : loaded(settings, warnings);

  /** The value, or `undefined` once the failure is noted at its place. */
  function accept<T>(result: Result<T, ConfigFailure>, path: Path): T | undefined {
    if (result.ok) return result.value;
    problems.push({ ...result.failure, at: document.locate(path) });
    return undefined;
  }

  function readPlugins(): readonly PluginSetting[] {
    const seen = new Set<string>();
    return items(root['plugins']).flatMap((item, index) => {
      const name = text(item) ?? text(fields(item)['name']);
      if (name === undefined) return [];
      const at = document.locate(['plugins', index]);
      if (seen.has(name)) {
        problems.push(configFailure(`the plugin ${quote(name)} is listed twice`, 'keep one of them', at));
      }
      seen.add(name);
      return [{ name, options: fields(fields(item)['options']), at }];
    });
  }

  function readUse(): Settings['use'] {
    return Object.fromEntries(
      Object.entries(fields(root['use'])).map(([contract, plugin]) => [
        contract,
        { plugin: text(plugin) ?? '', at: document.locate(['use', contract], 'key') },
      ]),
    );
  }

  function readMirror(item: unknown, path: Path): Mirror | undefined {
    const [source, mirror] = [text(fields(item)['source']), text(fields(item)['mirror'])];
    const from = source ? accept(parsePrefix(source), [...path, 'source']) : undefined;
    const to = mirror ? accept(parsePrefix(mirror), [...path, 'mirror']) : undefined;
    if (from === undefined || to === undefined) return undefined;
    return { source: from, mirror: to, trusted: flag(fields(item)['trusted']) ?? false };
  }

  function readLimits(): Settings['limits'] {
    const limits = fields(root['limits']);
    const task = parseDuration(text(limits['task']) ?? '') ?? DEFAULT_TASK;
    if (task > MAX_TASK) {
      problems.push(configFailure('"task" is longer than 7d', 'for example 2h', document.locate(['limits', 'task'])));
    }
    const bandwidth = parseBandwidth(text(limits['bandwidth']) ?? '');
    return {
      cpu: count(limits['cpu']) ?? Math.max(1, defaults.parallelism),
      host: count(limits['host']) ?? 8,
      rampUp: flag(limits['rampUp']) ?? true,
      ...(bandwidth === undefined ? {} : { bandwidth }),
      task,
      tries: count(limits['tries']) ?? 3,
    };
  }
}
