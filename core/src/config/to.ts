/** `--to PREFIX`: every destination elsewhere, so that a run can be tried without touching what is public. */
import { configFailure, fail, ok, type ConfigFailure, type Result } from '../failure.ts';
import { formatReference, parseRepository, type Reference, type Tagged } from '../reference.ts';
import { checkCollisions } from './collisions.ts';
import { failed, loaded, type Loaded } from './loaded.ts';
import type { Config, Entry, Target } from './model.ts';
import { quote } from './quote.ts';

/**
 * `host/a/b:t` becomes `PREFIX/a/b:t`. Two destinations that become one are failures. A sync's source that names another
 * entry's destination by tag alone follows; one pinned by digest does not, since its bytes are where they are.
 */
export function applyTo(config: Config, prefix: string): Loaded<Config> {
  const base = prefix.replace(/\/+$/, '');
  const checked = checkPrefix(base);
  if (!checked.ok) return failed([checked.failure]);

  const problems: ConfigFailure[] = [];
  const moved = new Map<string, Tagged>();
  const move = (target: Target, entry: Entry): Target => {
    const repository = parseRepository(`${base}/${target.destination.path}`);
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

function checkPrefix(prefix: string): Result<void, ConfigFailure> {
  const repository = parseRepository(`${prefix}/name`);
  if (repository.ok) return ok(undefined);
  return fail(
    configFailure(
      `--to ${quote(prefix)} is not a registry or a repository prefix`,
      'for example ghcr.io/example/scratch',
    ),
  );
}
