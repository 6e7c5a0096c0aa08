/** Which entries take which others' images. Found from references: a sync's source, the images a build is made on. */
import type { Config, Entry } from '../config/model.ts';
import { configFailure, type ConfigFailure } from '../failure.ts';
import type { ModeInputs } from '../plugin/api.ts';
import { formatReference, formatRepository, type Digest, type Reference, type Tagged } from '../reference.ts';
import { writtenDestination } from './pattern.ts';

/** An entry's target, as `--to` mapped it. */
export interface Owned {
  readonly entry: string;
  readonly target: Tagged;
}

export interface Links {
  /** Sync entry → the other entry's target that is its source. */
  readonly sources: ReadonlyMap<string, Owned>;
  /** Sync entry pinned by digest → the build entry that publishes to the source's repository. No edge: the digest is there. */
  readonly pinned: ReadonlyMap<string, { readonly entry: string; readonly digest: Digest }>;
  /** Build entry → text in its source → the target that it names. */
  readonly bases: ReadonlyMap<string, ReadonlyMap<string, Owned>>;
}

export function linkEntries(config: Config, inputs: ReadonlyMap<string, ModeInputs>): Links {
  const owners = targetOwners(config.entries);
  const sources = new Map<string, Owned>();
  const bases = new Map<string, ReadonlyMap<string, Owned>>();
  for (const entry of config.entries) {
    if (entry.kind === 'sync') {
      const owner = ownerOf(entry.source, owners);
      if (owner !== undefined) sources.set(entry.id, owner);
      continue;
    }
    const named = new Map<string, Owned>();
    for (const { text, reference } of inputs.get(entry.id)?.bases ?? []) {
      const owner = ownerOf(reference, owners);
      if (owner !== undefined) named.set(text, owner);
    }
    bases.set(entry.id, named);
  }
  return { sources, pinned: pinnedToBuilds(config.entries, sources), bases };
}

/** The entries that `id` takes an image from, each once, in the order they are named. */
export function needsOfEntry(id: string, links: Links): readonly string[] {
  const source = links.sources.get(id);
  if (source !== undefined) return [source.entry];
  return [...new Set([...(links.bases.get(id)?.values() ?? [])].map((base) => base.entry))];
}

/**
 * An image of another entry is ours: it is complete as it is, and judged by what is attached to it. Of one that is pinned, who
 * signed it is still a question: the digest may be older than the entry.
 */
export function retagFailures(config: Config, { sources, pinned }: Links): readonly ConfigFailure[] {
  const kinds = new Map(config.entries.map(({ id, kind }) => [id, kind]));
  return config.entries.flatMap((entry) => {
    const taken = sources.get(entry.id)?.entry;
    const origin = taken ?? pinned.get(entry.id)?.entry;
    if (entry.kind !== 'sync' || origin === undefined) return [];
    const keys = taken === undefined ? (['platforms'] as const) : (['platforms', 'verify'] as const);
    return keys
      .filter((key) => entry[key] !== undefined)
      .map((key) =>
        configFailure(
          `the source of "${entry.id}" is what "${origin}" publishes, so "${key}" means nothing here`,
          key === 'verify' && kinds.get(origin) === 'build'
            ? 'leave it out: what a build publishes was signed here, and that is verified'
            : `ask for it at "${origin}"`,
          entry.at,
        ),
      );
  });
}

/** What is pinned names no target: its text ends with a digest. */
function ownerOf(reference: Reference, owners: ReadonlyMap<string, Owned>): Owned | undefined {
  return owners.get(formatReference(reference));
}

/**
 * Target → entry. Each target is here as `--to` mapped it and as the config has it: what a Dockerfile names is never
 * mapped, and it means the entry all the same.
 */
function targetOwners(entries: readonly Entry[]): ReadonlyMap<string, Owned> {
  const owners = new Map<string, Owned>();
  const claim = (text: string, entry: string, target: Tagged): void => {
    if (!owners.has(text)) owners.set(text, { entry, target });
  };
  for (const entry of entries)
    for (const { destination } of entry.targets) claim(formatReference(destination), entry.id, destination);
  for (const entry of entries) {
    const repository = writtenRepository(entry);
    for (const { destination } of entry.targets) claim(`${repository}:${destination.tag}`, entry.id, destination);
  }
  return owners;
}

function writtenRepository(entry: Entry): string {
  const destination = writtenDestination(entry);
  const colon = destination.lastIndexOf(':');
  return colon > destination.lastIndexOf('/') ? destination.slice(0, colon) : destination;
}

/** Repositories that a build's image reaches count as the build's, also through retags: the gate may have refused what lies there. */
function pinnedToBuilds(entries: readonly Entry[], sources: ReadonlyMap<string, Owned>): Links['pinned'] {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const builds = new Map<string, string>();
  const origins = new Map<string, string | undefined>();
  for (const entry of entries) {
    const build = originOf(entry.id, byId, sources, origins);
    if (build === undefined) continue;
    const repositories = [
      writtenRepository(entry),
      ...entry.targets.map((target) => formatRepository(target.destination)),
    ];
    for (const repository of repositories) if (!builds.has(repository)) builds.set(repository, build);
  }
  const pinned = new Map<string, { readonly entry: string; readonly digest: Digest }>();
  for (const entry of entries) {
    if (entry.kind !== 'sync' || entry.source.kind !== 'pinned') continue;
    const build = builds.get(formatRepository(entry.source));
    if (build !== undefined) pinned.set(entry.id, { entry: build, digest: entry.source.digest });
  }
  return pinned;
}

/** The build at the end of a line of retags; `undefined` when there is none, or the line is a cycle. Remembers the whole line. */
function originOf(
  id: string,
  byId: ReadonlyMap<string, Entry>,
  sources: ReadonlyMap<string, Owned>,
  origins: Map<string, string | undefined>,
): string | undefined {
  const line = new Set<string>();
  let at: string | undefined = id;
  while (at !== undefined && !origins.has(at) && !line.has(at)) {
    line.add(at);
    at = sources.get(at)?.entry;
  }
  const last = [...line].at(-1);
  const origin =
    at !== undefined ? origins.get(at) : last !== undefined && byId.get(last)?.kind === 'build' ? last : undefined;
  for (const each of line) origins.set(each, origin);
  return origin;
}
