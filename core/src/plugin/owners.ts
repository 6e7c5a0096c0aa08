/** Settles which plugin answers for which contract. */
import type { Settings } from '../config/settings-model.ts';
import { nearest } from '../config/suggest.ts';
import { configFailure, type Failure } from '../failure.ts';
import { pluginFailure } from './answer.ts';
import type { LoadedPlugin } from './load.ts';
import { contractNames, contractOf, isContractKey } from './schemas.ts';

/** Contract without version → plugin name, from the settings. */
export type Use = Settings['use'];

export interface Owners {
  readonly owners: ReadonlyMap<string, LoadedPlugin>;
  readonly problems: readonly Failure[];
}

/** One owner a contract, and one a part of those that have parts: who taps it alone, or whom `use` names. */
export function settleOwners(
  claims: ReadonlyMap<string, readonly string[]>,
  use: Use,
  byName: ReadonlyMap<string, LoadedPlugin>,
  /** Names that `use` may say too: it loads those that come with Slipway. */
  loadable: readonly string[],
): Owners {
  const problems: Failure[] = useProblems(claims, use, byName, loadable).concat(unknownContracts(claims, byName));
  const owners = new Map<string, LoadedPlugin>();
  const keys = new Set<string>([...contractNames, ...[...claims.keys()].filter(isContractKey)]);
  for (const contract of keys) {
    const names = claims.get(contract) ?? [];
    const meant = use[withoutVersion(contract)]?.plugin;
    // Of several parts the plugin that is named may serve only some: the others stay with whom they have.
    const chosen =
      meant !== undefined && contract !== contractOf(contract) && !names.includes(meant) ? undefined : meant;
    const name = chosen ?? names[0];
    if (chosen === undefined && names.length > 1) {
      const hint = `decide it in the settings: use: { ${withoutVersion(contract)}: ${names.at(-1)} }`;
      const at = names.map((each) => byName.get(each)?.at).find((position) => position !== undefined);
      problems.push(configFailure(`${contract} is implemented by two plugins: ${names.join(' and ')}`, hint, at));
    }
    const owner = name === undefined ? undefined : byName.get(name);
    if (owner !== undefined) {
      owners.set(contract, owner);
    }
  }
  return { owners, problems };
}

function useProblems(
  claims: ReadonlyMap<string, readonly string[]>,
  use: Use,
  byName: ReadonlyMap<string, LoadedPlugin>,
  loadable: readonly string[],
): Failure[] {
  const known = contractNames.map(withoutVersion);
  return Object.entries(use).flatMap(([name, { plugin, at }]) => {
    const contract = contractNames.find((each) => withoutVersion(each) === name);
    if (contract === undefined) {
      return [configFailure(`use: there is no contract "${name}"`, suggest(name, known, 'the contracts are'), at)];
    }
    if (!byName.has(plugin)) {
      const names = [...new Set([...byName.keys(), ...loadable])];
      return [configFailure(`use: there is no plugin "${plugin}"`, suggest(plugin, names, 'the plugins are'), at)];
    }
    const able = [...claims].flatMap(([key, names]) => (contractOf(key) === contract ? names : []));
    if (able.includes(plugin)) {
      return [];
    }
    const hint = able.length === 0 ? 'no loaded plugin does: list one under plugins' : `${able.join(', ')} does`;
    return [configFailure(`use: the plugin ${plugin} does not implement ${contract}`, hint, at)];
  });
}

function unknownContracts(
  claims: ReadonlyMap<string, readonly string[]>,
  byName: ReadonlyMap<string, LoadedPlugin>,
): Failure[] {
  return [...claims]
    .filter(([contract]) => !isContractKey(contract))
    .flatMap(([contract, names]) =>
      names.map((plugin) => {
        const at = byName.get(plugin)?.at;
        const failure = pluginFailure(
          { plugin, hook: contract },
          contract.startsWith('core.')
            ? "is the core's own step and cannot be implemented"
            : 'is no contract of this plugin API',
        );
        const hint = contract.startsWith('image.build')
          ? 'a build mode is added with hooks.mode'
          : contract.startsWith('tags.list@1')
            ? 'it names a registry host, as tags.list@1/docker.io'
            : contract.startsWith('plan.emit@1')
              ? 'it names a format, as plan.emit@1/github'
              : suggest(contract, contractNames, 'the contracts are');
        return { ...failure, hint, ...(at === undefined ? {} : { at }) };
      }),
    );
}

function suggest(word: string, known: readonly string[], introduction: string): string {
  const near = nearest(word, known);
  return near === undefined ? `${introduction} ${known.join(', ')}` : `did you mean "${near}"?`;
}

function withoutVersion(contract: string): string {
  return contract.slice(0, contract.indexOf('@'));
}
