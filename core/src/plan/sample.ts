/** Small configs, modes and files in memory for the planner's tests and benchmark: real values, written short. */
import type { BuildEntry, Config, Context, Entry, SyncEntry, Target } from '../config/model.ts';
import type { Settings } from '../config/settings-model.ts';
import { defaultRules } from '../config/policy.ts';
import { configFailure, fail, ok, type Checked, type ConfigFailure, type Position } from '../failure.ts';
import type { Platform } from '../oci/model.ts';
import type { Files, Mode } from '../plugin/api.ts';
import { formatReference, parseReference, type Reference } from '../reference.ts';
import { createPlan, type PlanRequest, type Planned } from './create.ts';

export function reference(text: string): Reference {
  const parsed = parseReference(text);
  if (!parsed.ok) throw new Error(parsed.failure.message);
  return parsed.value;
}

function target(text: string): Target {
  const destination = reference(text);
  if (destination.kind !== 'tagged') throw new Error(`${text} is not a destination`);
  return { destination, templated: false };
}

const FOLDER = '/repo';
const AMD64: Platform = { os: 'linux', architecture: 'amd64' };

function at(line: number): Position {
  return { file: `${FOLDER}/config.yaml`, line, column: 5 };
}

/** `written`: the destination before `--to`, when that mapped it. */
export function sync(
  source: string,
  destination: string,
  more: Partial<SyncEntry> & { readonly written?: string } = {},
): SyncEntry {
  const { written = destination, ...rest } = more;
  const id = `sync:${formatReference(reference(written))}`;
  return {
    kind: 'sync',
    id,
    at: at(1),
    targets: [target(destination)],
    always: false,
    source: reference(source),
    ...rest,
  };
}

export function build(
  source: string,
  destination: string,
  more: Partial<BuildEntry> & { readonly written?: string } = {},
): BuildEntry {
  const { written = destination, ...rest } = more;
  return {
    kind: 'build',
    id: `build:${formatReference(reference(written))}`,
    at: at(1),
    targets: [target(destination)],
    always: false,
    source,
    melangeConfigs: [],
    dockerOptions: {},
    buildOnMainOnly: false,
    options: {},
    ...rest,
  };
}

/** Entries get lines 2, 4, 6 … of the config. */
export function config(...entries: readonly Entry[]): Config {
  return {
    file: `${FOLDER}/config.yaml`,
    folder: FOLDER,
    entries: entries.map((entry, index) => ({ ...entry, at: at(2 + 2 * index) })),
    selections: [],
  };
}

export function settings(trust: Settings['trust'] = []): Settings {
  return {
    folder: FOLDER,
    plugins: [],
    use: {},
    main: 'main',
    publish: 'each',
    mirrors: [],
    plainHttp: [],
    registries: [],
    policy: { ...defaultRules, overrides: [], waivers: [] },
    trust,
    limits: { cpu: 2, host: 4, rampUp: true, task: 60_000, tries: 3 },
  };
}

export function memoryFiles(texts: Readonly<Record<string, string>>): Files {
  return {
    read: async (path) => {
      const text = texts[path];
      return text === undefined ? fail(configFailure(`there is no "${path}"`)) : ok(text);
    },
    list: async (folder) =>
      ok(
        Object.keys(texts)
          .filter((path) => path.startsWith(`${folder}/`))
          .sort(),
      ),
  };
}

/** `FROM` of each line is a base. */
export const dockerMode: Mode = {
  name: 'docker',
  claims: (source) => source.endsWith('Dockerfile'),
  inputs: async (entry, files) => {
    const text = await files.read(entry.source);
    if (!text.ok) return text;
    const bases = [...text.value.matchAll(/^FROM (\S+)/gm)].map(([, name = '']) => ({
      text: name,
      reference: reference(name),
    }));
    return ok({ files: [entry.source], packageIndexes: [], bases, platforms: [AMD64], packages: [], options: {} });
  },
  build: async () => fail(configFailure('this mode only plans')),
};

/** Each line of the source is a package. */
export const apkoMode: Mode = {
  name: 'apko',
  claims: (source) => source.endsWith('.yaml'),
  inputs: async (entry, files) => {
    const text = await files.read(entry.source);
    if (!text.ok) return text;
    const packages = text.value.split('\n').filter((line) => line !== '');
    return ok({ files: [entry.source], packageIndexes: [], bases: [], platforms: [AMD64], packages, options: {} });
  },
  build: async () => fail(configFailure('this mode only plans')),
};

export const onMain: Context = { branch: 'main', sha: '0'.repeat(40), date: '2026-11-23' };

/** Plans with the two modes above, on main, unless told otherwise. */
export function planOf(
  entries: readonly Entry[],
  files: Readonly<Record<string, string>> = {},
  more: Partial<PlanRequest> = {},
): Promise<Checked<Planned, ConfigFailure>> {
  return createPlan({
    config: config(...entries),
    settings: settings(),
    context: onMain,
    modes: [dockerMode, apkoMode],
    files: memoryFiles(files),
    command: 'run',
    ...more,
  });
}

export async function planned(...request: Parameters<typeof planOf>): Promise<Planned> {
  const result = await planOf(...request);
  if (!result.ok) throw new Error(result.failures.map((failure) => failure.message).join('\n'));
  return result.value;
}

/** `line: message` of each failure. */
export async function mistakes(...request: Parameters<typeof planOf>): Promise<readonly string[]> {
  const result = await planOf(...request);
  return result.ok ? [] : result.failures.map(({ message, at: place }) => `${place?.line ?? '-'}: ${message}`);
}
