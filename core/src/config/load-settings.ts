/** Finds and reads `slipway.config.*`. */
import { readdir } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { configFailure, type ConfigFailure } from '../failure.ts';
import { unlocated, type Document } from './document.ts';
import { fields } from './fields.ts';
import { failed, loaded, type Loaded } from './loaded.ts';
import type { Settings } from './settings-model.ts';
import { plainData } from './plain-data.ts';
import { readText } from './read-text.ts';
import { readSettings, type SettingsDefaults } from './settings.ts';
import { parseYaml } from './yaml.ts';

const MAX_BYTES = 4 * 1024 * 1024;
/** In the order in which they are preferred. */
const PLACES = ['yaml', 'yml', 'json', 'js', 'mjs', 'ts'].map((extension) => `slipway.config.${extension}`);

export interface SettingsOptions extends SettingsDefaults {
  /** `--settings FILE`; otherwise `slipway.config.*` in `folder`, if there is one. */
  readonly file?: string;
  /** The config's folder: searched alone, never the folders above it. */
  readonly folder: string;
}

/** Everything that is wrong at once; without a settings file, the defaults. Settings in JavaScript or TypeScript are run. */
export async function loadSettings(options: SettingsOptions): Promise<Loaded<Settings>> {
  const folder = resolve(options.folder);
  const { file } = options;
  const found: Found | undefined =
    file === undefined ? await findSettings(folder) : { document: await readDocument(resolve(file)), warnings: [] };
  if (found === undefined) return withoutFile(folder, options, await strays(folder));
  if (!found.document.ok) return found.document;
  const settings = await readSettings(found.document.value, options);
  return settings.ok ? loaded(settings.value, [...found.warnings, ...settings.warnings]) : settings;
}

interface Found {
  readonly document: Loaded<Document>;
  readonly warnings: readonly string[];
}

async function withoutFile(
  folder: string,
  defaults: SettingsDefaults,
  warnings: readonly string[],
): Promise<Loaded<Settings>> {
  const settings = await readSettings(unlocated(join(folder, 'defaults'), null), defaults);
  if (!settings.ok) return settings;
  const { file: _, ...rest } = settings.value;
  return loaded(rest, warnings);
}

/** What was surely meant for settings: without a word of it there would be no policy, and nobody would know why. */
async function strays(folder: string): Promise<readonly string[]> {
  const names: readonly string[] = await readdir(folder).catch(() => []);
  return names
    .filter((name) => /^slipway\.(?:config\.(?:[cm]ts|cjs|jsonc|json5|toml)|ya?ml|json|toml)$/.test(name))
    .map((name) => `${name} is ignored: settings are named ${PLACES.join(', ').replace(/, (?=[^,]*$)/, ' or ')}`);
}

async function findSettings(folder: string): Promise<Found | undefined> {
  const names: readonly string[] = await readdir(folder).catch(() => []);
  const [first, ...ignored] = PLACES.filter((place) => names.includes(place));
  if (first === undefined) return undefined;
  const file = join(folder, first);
  const warnings = ignored.map((name) => `${name} is ignored, because ${first} is there`);
  return { document: (await search(folder, file)) ?? failed([unreadable(file)]), warnings };
}

/**
 * A loader that throws, or a file that may not be read, makes cosmiconfig go on as if there were no settings, and so no
 * policy. Hence the loader gives failures as values, and finding anything but `expected` is `undefined`.
 */
async function search(folder: string, expected: string): Promise<Loaded<Document> | undefined> {
  const { cosmiconfig } = await import('cosmiconfig');
  // Kept beside, since cosmiconfig passes on what a loader gives as `any`.
  let document: Loaded<Document> = loaded(unlocated(expected, null));
  const load = async (file: string) => (document = await readDocument(file));
  const loaders = Object.fromEntries(PLACES.map((place) => [extname(place), load]));
  try {
    const explorer = cosmiconfig('slipway', {
      searchPlaces: PLACES,
      searchStrategy: 'none',
      loaders,
      cache: false,
      ignoreEmptySearchPlaces: false,
    });
    const result = await explorer.search(folder);
    return result?.filepath === expected ? document : undefined;
  } catch {
    return undefined;
  }
}

function unreadable(file: string): ConfigFailure {
  return configFailure(
    `the settings ${file} cannot be read`,
    'make it a regular file that this user may read, or name one with --settings',
  );
}

/** Any settings file by its extension; what it holds is not checked yet. */
async function readDocument(file: string): Promise<Loaded<Document>> {
  const extension = extname(file);
  if (['.js', '.mjs', '.ts'].includes(extension)) return runSettings(file);
  if (!['.yaml', '.yml', '.json'].includes(extension)) {
    return failed([
      configFailure(`the settings ${file} are of no known kind`, 'they end in .yaml, .yml, .json, .js, .mjs or .ts'),
    ]);
  }
  const text = await readText(file, MAX_BYTES);
  if (!text.ok) return failed([{ hint: 'name the settings with --settings', ...text.failure }]);
  return parseYaml(text.value, file);
}

async function runSettings(file: string): Promise<Loaded<Document>> {
  const at = { file, line: 1, column: 1 };
  try {
    const module: unknown = await import(pathToFileURL(file).href);
    const data = plainData(fields({ ...Object(module) })['default']);
    return data.ok ? loaded(unlocated(file, data.value)) : failed([{ ...data.failure, at }]);
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n', 1)[0] : 'it threw no error';
    return failed([
      configFailure(
        `the settings could not be run: ${why}`,
        `they export their settings as default, from ${dirname(file)}`,
        at,
      ),
    ]);
  }
}
