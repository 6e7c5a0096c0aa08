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
import { checkCollisions } from './collisions.ts';
import { failed, loaded, type Loaded } from './loaded.ts';
import type { Config, Entry, Target } from './model.ts';
import { quote } from './quote.ts';

/**
 * `host/a/b:t` becomes `PREFIX/a/b:t`; with `oci:DIR`, the layout `DIR/a/b`. A relative `DIR` is in `cwd`. Two destinations that
 * become one are failures. A sync's source that names another entry's destination by tag alone follows; one pinned by digest does
 * not, since its bytes are where they are.
 */
export function applyTo(config: Config, prefix: string, cwd: string = config.folder): Loaded<Config> {
  const checked = readPrefix(prefix, config.folder, cwd);
  if (!checked.ok) return failed([checked.failure]);
  const base = checked.value;

  const problems: ConfigFailure[] = [];
  const moved = new Map<string, Tagged>();
  const move = (target: Target, entry: Entry): Target => {
    const repository = parsePlace(`${base}/${target.destination.path.replace(/^\//, '')}`);
    if (!repository.ok) {
      problems.push({ ...repository.failure, at: entry.at });
      return target;
    }
    const destination: Tagged = { kind: 'tagged', ...repository.value, tag: target.destination.tag };
    moved.set(formatReference(target.destination), destination);
    return { ...target, destination };
  };
  const entries = config.entries.map((entry): Entry => {
    const [first, ...others] = entry.targets;
    return { ...entry, targets: [move(first, entry), ...others.map((target) => move(target, entry))] };
  });
  const located = entries.flatMap((entry) => entry.targets.map(({ destination }) => ({ destination, at: entry.at })));
  problems.push(...checkCollisions(located, `"--to ${base}" leaves out the registry, in which alone the two differ`));
  if (problems.length > 0) return failed(problems);
  // Only shown any more: those that become entries have done so.
  const selections = config.selections.map((selection) => {
    const { destination } = selection;
    return { ...selection, destination: `${base}${destination.slice(destination.indexOf('/'))}` };
  });
  return loaded({ ...config, entries: entries.map((entry) => followSource(entry, moved)), selections });
}

/** A source with a digest is never found: destinations have none. */
function followSource(entry: Entry, moved: ReadonlyMap<string, Reference>): Entry {
  if (entry.kind !== 'sync') return entry;
  return { ...entry, source: moved.get(formatReference(entry.source)) ?? entry.source };
}

function readPrefix(prefix: string, folder: string, cwd: string): Result<string, ConfigFailure> {
  const scheme = locationScheme(prefix);
  // On the command line ".." is what it is in a shell: there is no config that could have been written by somebody else.
  const written = scheme === layoutScheme ? `${scheme}${resolve(cwd, prefix.slice(scheme.length))}` : prefix;
  const base = written.replace(/\/+$/, '');
  const place = scheme === archiveScheme || prefix === scheme ? undefined : parsePlace(`${base}/name`);
  if (place?.ok === true) {
    return ok(
      scheme === undefined ? base : formatRepository(settleLocation(place.value, folder)).replace(/\/name$/, ''),
    );
  }
  return fail(
    configFailure(
      `--to ${quote(prefix)} is not a registry or a repository prefix`,
      'for example ghcr.io/example/scratch, or oci:./out for layouts in a folder',
    ),
  );
}
