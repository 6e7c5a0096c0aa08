/** What becomes of each selected entry: its trust level, whether it runs here, and which chain of tasks it gets. */
import { isAbsolute, relative } from 'node:path';
import type { BuildEntry, Config, Context, Entry, SyncEntry } from '../config/model.ts';
import type { Settings, TrustLevel } from '../config/settings-model.ts';
import type { Position } from '../failure.ts';
import { formatPlatform, type Platform } from '../oci/model.ts';
import type { Mode, ModeInputs } from '../plugin/api.ts';
import { areInRegistries, formatReference, formatRepository, sameRepository } from '../reference.ts';
import type { ChainEntry, RetagChain, Settles, SyncChain, Taken } from './chain.ts';
import { needsGraph, topologicalOrder } from './graph.ts';
import { needsOfEntry, type Links, type Owned } from './links.ts';
import type { Admission, PlannedEntry } from './model.ts';
import { plannedMode } from './modes.ts';
import type { PackageEdges } from './packages.ts';
import { glob, writtenDestination } from './pattern.ts';

/** What the earlier phases found. */
export interface Findings {
  readonly config: Config;
  readonly settings: Settings;
  readonly context: Context;
  readonly unsigned: boolean;
  readonly selected: ReadonlySet<string>;
  readonly modes: ReadonlyMap<string, Mode>;
  readonly inputs: ReadonlyMap<string, ModeInputs>;
  readonly links: Links;
  readonly packages: PackageEdges;
}

export interface Draft {
  readonly entry: PlannedEntry;
  /** Absent when the entry is skipped. */
  readonly chain?: ChainEntry;
}

/** One draft per selected entry, in the config's order; and what of the config is a retag of what. */
export function draftEntries(findings: Findings): {
  readonly drafts: readonly Draft[];
  readonly origins: ReadonlyMap<string, string>;
} {
  const selected = findings.config.entries.filter((entry) => findings.selected.has(entry.id));
  const skips = skipReasons(selected, findings);
  const trust = trustLevels(findings);
  const origins = retagOrigins(findings, trust);
  const settlesAt = settlingSteps(findings, trust, origins);
  const place = placesFrom(findings.config.folder);
  const drafts = selected.map((entry) =>
    draft(entry, findings, {
      ...{ skips, settlesAt, place },
      ...{ level: trust.get(entry.id) ?? 'full', retagOf: origins.get(entry.id) },
    }),
  );
  return { drafts, origins };
}

interface Fate {
  readonly skips: ReadonlyMap<string, string>;
  readonly settlesAt: (entry: string) => Settles;
  readonly level: TrustLevel;
  readonly retagOf: string | undefined;
  readonly place: (at: Position) => string;
}

function draft(entry: Entry, findings: Findings, { skips, settlesAt, level, retagOf, place }: Fate): Draft {
  const skip = skips.get(entry.id);
  const take = (owned: Owned): Taken =>
    findings.selected.has(owned.entry) && !skips.has(owned.entry)
      ? { entry: owned.entry, target: formatReference(owned.target), settles: settlesAt(owned.entry) }
      : { current: formatReference(owned.target) };
  const targets = entry.targets.map((target) => formatReference(target.destination));
  const [{ destination }] = entry.targets;
  const source = entry.kind === 'sync' ? formatReference(entry.source) : entry.source;
  const mode = entry.kind === 'build' ? plannedMode(modeOf(entry, findings.modes), entry) : undefined;
  const needs = needsOfEntry(entry.id, findings.links).filter(
    (need) => findings.selected.has(need) && (skip !== undefined || !skips.has(need)),
  );
  const admits = entry.kind === 'sync' ? admissionOf(entry) : undefined;
  const unsigned = findings.unsigned && level === 'full';
  const planned: PlannedEntry = {
    id: entry.id,
    kind: entry.kind,
    ...(mode === undefined ? {} : { mode }),
    source,
    destination: formatReference(destination),
    targets,
    at: place(entry.at),
    needs,
    trust: level,
    ...(retagOf === undefined ? {} : { retagOf }),
    ...(admits === undefined ? {} : { admits }),
    ...(skip === undefined ? {} : { skip }),
    ...(unsigned ? { unsigned } : {}),
  };
  if (skip !== undefined) return { entry: planned };
  const common = {
    id: entry.id,
    source,
    repository: formatRepository(destination),
    targets,
    trust: level,
    always: entry.always,
    together: findings.settings.publish === 'together',
    shape: level === 'copy' ? 'mirror' : unsigned ? 'unsigned' : 'full',
  } as const;
  if (entry.kind === 'build') return { entry: planned, chain: { ...common, ...buildChain(entry, findings, take) } };
  const copying = {
    ...common,
    ...(admits === undefined ? {} : { admits }),
    foreignLayers: entry.foreignLayers === true && areInRegistries(entry.source, destination),
  };
  return { entry: planned, chain: syncChain(copying, { entry, links: findings.links, retagOf }, take) };
}

/** What the source must prove, if anything. */
function admissionOf({ verify }: SyncEntry): Admission | undefined {
  if (verify === undefined) return undefined;
  return verify.accept.length > 0 ? 'image.verify@1' : 'core.admit@1';
}

/** Tags that move together cannot be waited for by what must pass before they move. */
function settlingSteps(
  { config, settings, links, unsigned }: Findings,
  trust: ReadonlyMap<string, TrustLevel>,
  origins: ReadonlyMap<string, string>,
): (entry: string) => Settles {
  const entries = new Map(config.entries.map((entry) => [entry.id, entry]));
  return (id) => {
    const entry = entries.get(id);
    if (settings.publish === 'each' || entry === undefined) return 'tag';
    if (trust.get(id) !== 'copy' && !unsigned) return 'verify';
    if (entry.kind === 'build') return 'push';
    const inPlace = origins.has(id) && isInPlace(entry, links);
    return inPlace ? 'resolve' : 'copy';
  };
}

function isInPlace(entry: SyncEntry, links: Links): boolean {
  return sameRepository(links.sources.get(entry.id)?.target ?? entry.source, entry.targets[0].destination);
}

/**
 * Sync entry → the entry whose image it only tags again, which for a retag of a retag is that of the first. It is judged
 * by what is attached to the image there. An image of a `trust: copy` entry has nothing attached, so a sync of it into
 * `trust: full` is no retag: it goes through the whole chain.
 */
function retagOrigins({ links }: Findings, trust: ReadonlyMap<string, TrustLevel>): ReadonlyMap<string, string> {
  const origins = new Map<string, string>();
  if (links.sources.size === 0 && links.pinned.size === 0) return origins;
  const graph = needsGraph(trust.keys(), (id) => needsOfEntry(id, links));
  // A retag's source comes before it in this order, so its own origin is known.
  for (const id of topologicalOrder(graph)) {
    const from = links.sources.get(id)?.entry ?? links.pinned.get(id)?.entry;
    if (from === undefined || trust.get(id) === 'copy' || trust.get(from) === 'copy') continue;
    origins.set(id, origins.get(from) ?? from);
  }
  return origins;
}

/** A retag takes another entry's target, or names its image by digest. */
function syncChain(
  copying: Omit<SyncChain, 'kind' | 'taken'>,
  { entry, links, retagOf }: { readonly entry: SyncEntry; readonly links: Links; readonly retagOf: string | undefined },
  take: (owned: Owned) => Taken,
): SyncChain | RetagChain {
  const owned = links.sources.get(entry.id);
  const pinned = links.pinned.get(entry.id);
  const taken = owned === undefined ? undefined : take(owned);
  const again = taken ?? (pinned === undefined ? undefined : { pinned: pinned.digest });
  if (retagOf === undefined || again === undefined)
    return { ...copying, kind: 'sync', ...(taken === undefined ? {} : { taken }) };
  const shape = copying.shape === 'unsigned' ? 'unsigned' : 'retag';
  return { ...copying, kind: 'retag', shape, inPlace: isInPlace(entry, links), taken: again };
}

function buildChain(entry: BuildEntry, { modes, inputs, links, packages }: Findings, take: (owned: Owned) => Taken) {
  const bases = [...(links.bases.get(entry.id) ?? [])].map(([text, owned]) => [text, take(owned)] as const);
  return {
    kind: 'build',
    mode: modeOf(entry, modes),
    platforms: platformsOf(entry, inputs.get(entry.id)).map(formatPlatform),
    bases: new Map(bases),
    packages: packages.ofImage.get(entry.id) ?? [],
  } as const;
}

function modeOf({ id }: BuildEntry, modes: ReadonlyMap<string, Mode>): string {
  return modes.get(id)?.name ?? '';
}

/** What the entry says, otherwise what its source says. */
export function platformsOf(entry: BuildEntry, inputs: ModeInputs | undefined): readonly Platform[] {
  return entry.platforms ?? inputs?.platforms ?? [];
}

/** By the first pattern that matches what the config has: a `--to` prefix must not change what is trusted. */
function trustLevels({ config, settings }: Findings): ReadonlyMap<string, TrustLevel> {
  const rules = settings.trust.map(({ match, level }) => ({ matches: glob(match), level }));
  return new Map(
    config.entries.map((entry) => {
      const written = writtenDestination(entry);
      return [entry.id, rules.find((rule) => rule.matches(entry.id) || rule.matches(written))?.level ?? 'full'];
    }),
  );
}

/**
 * `buildOnMainOnly` elsewhere, and syncs of what is skipped. A Dockerfile on a skipped image is still built, on the image
 * that its tag names now: a branch changes the one, and leaves the other as main made it.
 */
function skipReasons(
  selected: readonly Entry[],
  { config, settings, context, links, selected: ids }: Findings,
): ReadonlyMap<string, string> {
  const reasons = new Map<string, string>();
  if (!selected.some((entry) => entry.kind === 'build' && entry.buildOnMainOnly)) return reasons;
  const entries = new Map(config.entries.map((entry) => [entry.id, entry]));
  const branch = context.branch === undefined ? 'no branch' : `branch "${context.branch}"`;
  const graph = needsGraph(ids, (id) => needsOfEntry(id, links).filter((need) => ids.has(need)));
  for (const id of topologicalOrder(graph)) {
    const entry = entries.get(id);
    const source = links.sources.get(id)?.entry ?? '';
    const why = reasons.get(source);
    if (why !== undefined) reasons.set(id, `its source ${source} is skipped: ${why}`);
    else if (entry?.kind === 'build' && entry.buildOnMainOnly && context.branch !== settings.main) {
      reasons.set(id, `buildOnMainOnly: this is ${branch}, not "${settings.main}"`);
    }
  }
  return reasons;
}

/** `config.yaml:12:5`, from the config's folder. */
function placesFrom(folder: string): (at: Position) => string {
  const names = new Map<string, string>();
  return ({ file, line, column }) => {
    let name = names.get(file);
    if (name === undefined) {
      name = isAbsolute(file) ? relative(folder, file) : file;
      names.set(file, name);
    }
    return [name, line, column].join(':');
  };
}
