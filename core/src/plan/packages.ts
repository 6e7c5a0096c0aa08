/**
 * Which melange configs a build takes, and which of them need each other: an edge for every name that a config's build
 * environment or an image installs and that another config makes. Names that no config makes come from elsewhere.
 */
import { configFailure, type ConfigFailure, type Position } from '../failure.ts';
import type { MelangePackage, PackageConfig } from './melange.ts';

/** A build entry, as far as packages are concerned. */
export interface Image {
  readonly entry: string;
  readonly at: Position;
  /** Its own `melangeConfigs`. */
  readonly configs: readonly string[];
  /** Names of packages it installs. */
  readonly installs: readonly string[];
}

export interface PackageEdges {
  /** Entry id → configs whose packages it takes: its own, in their order, then others that make what it installs. */
  readonly ofImage: ReadonlyMap<string, readonly string[]>;
  /** Config → the configs that must be built before it. */
  readonly ofConfig: ReadonlyMap<string, readonly string[]>;
  readonly failures: readonly ConfigFailure[];
}

interface Provider {
  readonly config: string;
  readonly package: MelangePackage;
}

/** `configs`: every config that some entry names, and that could be read. */
export function packageEdges(images: readonly Image[], configs: ReadonlyMap<string, PackageConfig>): PackageEdges {
  const failures: ConfigFailure[] = [];
  const told = new Set<string>();
  const tell = (who: string, clash: Clash, at: Position | undefined): void => {
    const key = [clash.name, ...[...clash.configs].sort()].join(' ');
    if (told.has(key)) return;
    told.add(key);
    failures.push(clashFailure(who, clash, at));
  };
  const providers = providersOf(configs.values());
  const namedBy = new Map<string, Set<Image>>();
  for (const image of images) {
    for (const config of image.configs) namedBy.set(config, (namedBy.get(config) ?? new Set()).add(image));
    for (const clash of conflictsIn(image, configs)) tell(`"${image.entry}" takes`, clash, image.at);
  }

  const ofConfig = new Map<string, readonly string[]>();
  for (const { config, needs } of configs.values()) {
    const users = namedBy.get(config) ?? new Set();
    // A config that names its own package bootstraps: that one comes from elsewhere, so it is no edge and hides others.
    const near = (other: string): boolean => other === config || setsMeet(users, namedBy.get(other));
    const closure = installClosure(needs, providers, near);
    ofConfig.set(
      config,
      closure.configs.filter((other) => other !== config),
    );
    const at = [...users][0]?.at;
    for (const clash of closure.clashes) tell(`"${config}" needs`, clash, at);
  }

  const ofImage = new Map<string, readonly string[]>();
  for (const image of images) {
    const own = new Set(image.configs);
    const closure = installClosure(image.installs, providers, (config) => own.has(config));
    for (const clash of closure.clashes) tell(`"${image.entry}" installs`, clash, image.at);
    ofImage.set(image.entry, [
      ...new Set([...image.configs.filter((config) => configs.has(config)), ...closure.configs]),
    ]);
  }
  return { ofImage, ofConfig, failures };
}

interface Clash {
  readonly name: string;
  readonly configs: readonly string[];
}

/** Configs that make `names`, and what comes with them when they are installed, in the order they are met. */
function installClosure(
  names: readonly string[],
  providers: ReadonlyMap<string, readonly Provider[]>,
  near: (config: string) => boolean,
): { readonly configs: readonly string[]; readonly clashes: readonly Clash[] } {
  const configs = new Set<string>();
  const clashes: Clash[] = [];
  const open = new Set(names);
  // A set being walked also yields what is added on the way.
  for (const name of open) {
    const all = providers.get(name) ?? [];
    const own = all.length > 1 ? all.filter((provider) => near(provider.config)) : all;
    const candidates = own.length > 0 ? own : all;
    const makers = [...new Set(candidates.map((provider) => provider.config))];
    if (makers.length > 1) clashes.push({ name, configs: makers });
    for (const provider of candidates) {
      configs.add(provider.config);
      for (const runtime of provider.package.runtime) open.add(runtime);
    }
  }
  return { configs: [...configs], clashes };
}

function providersOf(configs: Iterable<PackageConfig>): ReadonlyMap<string, readonly Provider[]> {
  const providers = new Map<string, Provider[]>();
  for (const { config, packages } of configs) {
    for (const each of packages) {
      for (const name of new Set([each.name, ...each.provides])) {
        const known = providers.get(name) ?? [];
        known.push({ config, package: each });
        providers.set(name, known);
      }
    }
  }
  return providers;
}

/**
 * Two of an image's own configs make the same package: which one is installed would be chance. A name that both only
 * provide is no mistake until something installs it.
 */
function conflictsIn(image: Image, configs: ReadonlyMap<string, PackageConfig>): readonly Clash[] {
  const makers = new Map<string, Set<string>>();
  const made = new Set<string>();
  for (const path of image.configs) {
    for (const { name, provides } of configs.get(path)?.packages ?? []) {
      made.add(name);
      for (const each of [name, ...provides]) makers.set(each, (makers.get(each) ?? new Set()).add(path));
    }
  }
  return [...makers]
    .filter(([name, paths]) => paths.size > 1 && made.has(name))
    .map(([name, paths]) => ({ name, configs: [...paths] }));
}

function clashFailure(who: string, { name, configs }: Clash, at: Position | undefined): ConfigFailure {
  const makers = configs.map((config) => `"${config}"`).join(' and ');
  return configFailure(
    `${who} the package "${name}", which ${makers} all make`,
    'leave all but one of them out of melangeConfigs',
    at,
  );
}

function setsMeet<T>(a: ReadonlySet<T>, b: ReadonlySet<T> | undefined): boolean {
  return b !== undefined && [...a].some((each) => b.has(each));
}
