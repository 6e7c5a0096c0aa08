/** For which architectures packages are built: those that images ask for, as far as a package can be built for them. */
import type { BuildEntry } from '../config/model.ts';
import { configFailure, type ConfigFailure } from '../failure.ts';
import { apkArchitectureOf } from '../oci/apk-architecture.ts';
import { formatPlatform } from '../oci/model.ts';
import type { ModeInputs } from '../plugin/api.ts';
import { packageTask, type ChainEntry } from './chain.ts';
import { platformsOf } from './entries.ts';
import type { PackageConfig } from './melange.ts';
import type { Task } from './model.ts';
import type { PackageEdges } from './packages.ts';

/** Without a platform there would be no `--arch`, and melange would build for every architecture it knows. */
export function platformFailures(
  builds: readonly BuildEntry[],
  inputs: ReadonlyMap<string, ModeInputs>,
  { ofImage }: PackageEdges,
): readonly ConfigFailure[] {
  return builds
    .filter(({ id }) => inputs.has(id) && (ofImage.get(id) ?? []).length > 0)
    .filter((entry) => platformsOf(entry, inputs.get(entry.id)).length === 0)
    .map(({ id, at }) =>
      configFailure(
        `"${id}" takes melange packages, but nothing says for which platforms`,
        'add "platforms:" to the entry',
        at,
      ),
    );
}

/** A package that is built for none of an image's platforms can only be a mistake. */
export function architectureFailures(
  builds: readonly BuildEntry[],
  inputs: ReadonlyMap<string, ModeInputs>,
  { ofImage }: PackageEdges,
  configs: ReadonlyMap<string, PackageConfig>,
): readonly ConfigFailure[] {
  return builds.flatMap((entry) => {
    const asked = platformsOf(entry, inputs.get(entry.id)).map(formatPlatform).map(architectureOf);
    if (asked.length === 0) return [];
    const taken = (ofImage.get(entry.id) ?? []).flatMap((path) => configs.get(path) ?? []);
    return taken.flatMap(({ config, architectures: only }) => {
      if (only === undefined || asked.some((architecture) => isAmong(only, architecture))) return [];
      const message = `"${entry.id}" is for ${asked.join(', ')}, and "${config}" makes packages for ${only.join(', ')} only`;
      return [
        configFailure(message, 'change "platforms:" of the entry, or target-architecture of the package', entry.at),
      ];
    });
  });
}

export interface PlannedPackage {
  readonly task: Task;
  readonly config: PackageConfig;
}

/** The packages that entries which run take, and what those need: one task a config, whoever shares it; sorted. */
export function packageTasks(
  running: readonly ChainEntry[],
  { ofConfig }: PackageEdges,
  configs: ReadonlyMap<string, PackageConfig>,
): readonly PlannedPackage[] {
  return [...architecturesAsked(running, ofConfig)]
    .flatMap(([path, asked]): readonly PlannedPackage[] => {
      const config = configs.get(path);
      if (config === undefined) return [];
      const { architectures: only } = config;
      const architectures = only === undefined ? asked : asked.filter((architecture) => isAmong(only, architecture));
      return [{ task: packageTask(path, architectures, ofConfig.get(path) ?? []), config }];
    })
    .sort((a, b) => (a.task.id < b.task.id ? -1 : 1));
}

/** Config → the architectures that images which take it ask for, directly or through other packages; sorted. */
function architecturesAsked(
  running: readonly ChainEntry[],
  ofConfig: PackageEdges['ofConfig'],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  const open: { readonly config: string; readonly architecture: string }[] = [];
  for (const entry of running) {
    if (entry.kind !== 'build') continue;
    const architectures = entry.platforms.map(architectureOf);
    for (const config of entry.packages) for (const architecture of architectures) open.push({ config, architecture });
  }
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { config, architecture } = next;
    const known = found.get(config) ?? new Set();
    if (known.has(architecture)) continue;
    found.set(config, known.add(architecture));
    for (const need of ofConfig.get(config) ?? []) open.push({ config: need, architecture });
  }
  return new Map([...found].map(([config, architectures]) => [config, [...architectures].sort()]));
}

/** `only`: Alpine's names. `architecture`: OCI's, as `arm64`, `arm/v7`. */
function isAmong(only: readonly string[], architecture: string): boolean {
  return only.includes(apkArchitectureOf(architecture) ?? '');
}

/** `linux/arm64/v8` → `arm64`, `linux/arm/v7` → `arm/v7`: 64-bit variants are one architecture for packages. */
function architectureOf(platform: string): string {
  const [, architecture = '', variant]: (string | undefined)[] = platform.split('/');
  return architecture === 'arm' && variant !== undefined ? `${architecture}/${variant}` : architecture;
}
