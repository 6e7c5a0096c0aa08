/** Cycles as the user reads them: with the whole path, at the line of an entry that is in it. */
import type { Config } from '../config/model.ts';
import { configFailure, type ConfigFailure } from '../failure.ts';
import { findCycles, needsGraph } from './graph.ts';
import { needsOfEntry, type Links } from './links.ts';
import type { PackageEdges } from './packages.ts';

/** Retags of each other, Dockerfiles that are FROM each other, and mixtures of both. */
export function entryCycles(config: Config, links: Links): readonly ConfigFailure[] {
  const at = new Map(config.entries.map((entry) => [entry.id, entry.at]));
  const graph = needsGraph(at.keys(), (id) => needsOfEntry(id, links));
  return findCycles(graph).map((cycle) => {
    const message = cycle.length === 1 ? 'this entry needs itself' : 'these entries need each other';
    return configFailure(
      `${message}: ${path(cycle)}`,
      'one of them must take its image from elsewhere',
      at.get(cycle[0] ?? ''),
    );
  });
}

/** Melange configs whose build environments need each other's packages. */
export function packageCycles(config: Config, edges: PackageEdges): readonly ConfigFailure[] {
  const graph = needsGraph(edges.ofConfig.keys(), (each) => edges.ofConfig.get(each) ?? []);
  return findCycles(graph).map((cycle) => {
    const user = config.entries.find(
      (entry) => entry.kind === 'build' && entry.melangeConfigs.some((each) => cycle.includes(each)),
    );
    const hint = 'one of them must install a package that is made elsewhere';
    return configFailure(`these melange configs need each other's packages: ${path(cycle)}`, hint, user?.at);
  });
}

/** `a → b → a`: a needs b, b needs a. */
function path(cycle: readonly string[]): string {
  return [...cycle, ...cycle.slice(0, 1)].join(' → ');
}
