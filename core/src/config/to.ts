/** `--to PREFIX`: every destination elsewhere, so that a run can be tried without touching what is public. */
import { resolve } from 'node:path';
import { configFailure, fail, ok, type ConfigFailure, type Result } from '../failure.ts';
import { locationScheme, parsePlace, settleLocation } from '../location.ts';
import {
  archiveScheme,
  formatRepository,
  layoutScheme,
  formatReference,
  type Reference,
  type Tagged,
} from '../reference.ts';
import { checkCollisions, placeOf } from './collisions.ts';
import { failed, loaded, type Loaded } from './loaded.ts';
import type { Config, Entry, Target } from './model.ts';
import { quote } from './quote.ts';

/** In a prefix: the registry that a destination has in the config. */
const REGISTRY = '{registry}';

/**
 * `host/a/b:t` becomes `PREFIX/a/b:t`; with `oci:DIR`, the layout `DIR/a/b`. A relative `DIR` is in `cwd`. Two destinations may
 * become one: see {@link checkMoved}. A sync's source that names another entry's destination by tag alone follows; one pinned by
 * digest does not, since its bytes are where they are.
 */
export function applyTo(config: Config, prefix: string, cwd: string = config.folder): Loaded<Config> {
  const checked = readPrefix(prefix, 'registry.example', config.folder, cwd);
  if (!checked.ok) return failed([checked.failure]);

  const problems: ConfigFailure[] = [];
  const bases = new Map<string, Result<string, ConfigFailure>>();
  const baseFor = (registry: string): Result<string, ConfigFailure> => {
    const base = bases.get(registry) ?? readPrefix(prefix, registry, config.folder, cwd);
    bases.set(registry, base);
    return base;
  };
  const moved = new Map<string, Tagged>();
  const move = (target: Target, entry: Entry): Target => {
    const { registry, path, tag } = target.destination;
    const base = baseFor(registry);
    const repository = base.ok ? parsePlace(`${base.value}/${path.replace(/^\//, '')}`) : base;
    if (!repository.ok) {
      problems.push({ ...repository.failure, at: entry.at });
      return target;
    }
    const destination: Tagged = { kind: 'tagged', ...repository.value, tag };
    moved.set(formatReference(target.destination), destination);
    return { ...target, destination };
  };
  const entries = config.entries.map((entry): Entry => {
    const [first, ...others] = entry.targets;
    return { ...entry, targets: [move(first, entry), ...others.map((target) => move(target, entry))] };
  });
  if (problems.length > 0) return failed(problems);
  // Only shown any more: those that become entries have done so.
  const selections = config.selections.map((selection) => {
    const { destination } = selection;
    const slash = destination.indexOf('/');
    const base = baseFor(locationScheme(destination) ?? destination.slice(0, slash));
    return { ...selection, destination: `${base.ok ? base.value : prefix}${destination.slice(slash)}` };
  });
  return loaded({ ...config, entries: entries.map((entry) => followSource(entry, moved)), selections });
}

/** Fails where two of the entries that are asked for have become one destination, or one takes what two have become. */
export function checkMoved({ entries }: Config, prefix: string, asked: ReadonlySet<string>): Loaded<void> {
  const located = entries.flatMap(({ id, at, targets }) => targets.map(({ destination }) => ({ id, destination, at })));
  const why = prefix.includes(REGISTRY)
    ? undefined
    : `"--to ${prefix}" leaves out the registry, in which alone the two differ; --to '${prefix.replace(/\/+$/, '')}/${REGISTRY}' keeps it`;
  const problems = checkCollisions(
    located.filter(({ id }) => asked.has(id)),
    why,
  );
  const places = Map.groupBy(located, placeOf);
  for (const entry of entries) {
    if (entry.kind !== 'sync' || entry.source.kind !== 'tagged' || !asked.has(entry.id)) continue;
    if ((places.get(placeOf({ destination: entry.source, at: entry.at }))?.length ?? 0) < 2) continue;
    const name = formatReference(entry.source);
    problems.push(configFailure(`the source of "${entry.id}" becomes ${name}, and so does another`, why, entry.at));
  }
  return problems.length > 0 ? failed(problems) : loaded(undefined);
}

/** A source with a digest is never found: destinations have none. */
function followSource(entry: Entry, moved: ReadonlyMap<string, Reference>): Entry {
  if (entry.kind !== 'sync') return entry;
  return { ...entry, source: moved.get(formatReference(entry.source)) ?? entry.source };
}

/** `prefix` with `registry` filled in, which stands in the path alone: nobody is sent to the registry of the config by a trial. */
function readPrefix(prefix: string, registry: string, folder: string, cwd: string): Result<string, ConfigFailure> {
  const scheme = locationScheme(prefix);
  const filled = prefix.replaceAll(REGISTRY, pathPart(registry));
  // On the command line ".." is what it is in a shell: there is no config that could have been written by somebody else.
  const written = scheme === layoutScheme ? `${scheme}${resolve(cwd, filled.slice(scheme.length))}` : filled;
  const base = written.replace(/\/+$/, '');
  const hosted = scheme !== undefined || !prefix.split('/', 1)[0]?.includes(REGISTRY);
  const place = scheme === archiveScheme || prefix === scheme || !hosted ? undefined : parsePlace(`${base}/name`);
  if (place?.ok === true) {
    return ok(
      scheme === undefined ? base : formatRepository(settleLocation(place.value, folder)).replace(/\/name$/, ''),
    );
  }
  return fail(
    configFailure(
      `--to ${quote(prefix)} is not a registry or a repository prefix`,
      `for example ghcr.io/example/scratch, ghcr.io/example/scratch/${REGISTRY}, or oci:./out for layouts in a folder`,
    ),
  );
}

/** `Localhost:5000` → `localhost-5000`, and `oci:` → `oci`: a part of a repository's name, and of a path. */
function pathPart(registry: string): string {
  return registry
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '');
}
