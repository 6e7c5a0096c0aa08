/** The repositories that a config publishes to, and what it names there. Pure. */
import type { Config, Selection } from '../config/model.ts';
import { fillIn, splitTag } from '../config/targets.ts';
import { parsePlace } from '../location.ts';
import { formatRepository, isLocation, type Repository } from '../reference.ts';
import { backupNames, namePattern } from '../run/steps/backup.ts';

export interface Place {
  readonly repository: Repository;
  readonly named: ReadonlySet<string>;
  /** Whether a template with {date} or {sha} could have made the tag. */
  readonly isDated: (tag: string) => boolean;
  readonly isBackup: (tag: string) => boolean;
  /** Why none of its tags may go. */
  readonly closed?: string;
}

interface Gathered {
  readonly repository: Repository;
  readonly named: Set<string>;
  readonly dated: RegExp[];
  readonly backups: ((tag: string) => boolean)[];
}

/**
 * By `registry/path`, in the config's order. `config` is the whole of it, with its selections expanded as far as they could be:
 * where one could not, nobody knows what it names, and its repository is closed.
 */
export function placesOf(config: Config): ReadonlyMap<string, Place> {
  const gathered = new Map<string, Gathered>();
  for (const entry of config.entries) {
    for (const target of entry.targets) {
      const { destination, templated } = target;
      const name = formatRepository(destination);
      const at = gathered.get(name) ?? emptyAt(destination);
      gathered.set(name, at);
      at.named.add(destination.tag);
      if (templated) at.dated.push(new RegExp(`^${namePattern(target)}$`));
      const isBackup = backupNames(entry);
      if (isBackup !== undefined) at.backups.push(isBackup);
    }
  }
  const unknown = config.selections.map(homeOf);
  return new Map(
    [...gathered].map(([name, { repository, named, dated, backups }]) => {
      const open = unknown.find((home) => home === undefined || home.name === name);
      const closed = isLocation(repository)
        ? 'it is a layout'
        : unknown.includes(undefined)
          ? 'a selection could not be expanded, and its repository depends on its tags'
          : open === undefined
            ? undefined
            : `the tags of ${open.id} are not known`;
      const place: Place = {
        repository,
        named,
        isDated: (tag) => dated.some((pattern) => pattern.test(tag)),
        isBackup: (tag) => backups.some((test) => test(tag)),
        ...(closed === undefined ? {} : { closed }),
      };
      return [name, place] as const;
    }),
  );
}

function emptyAt({ registry, path }: Repository): Gathered {
  return { repository: { registry, path }, named: new Set(), dated: [], backups: [] };
}

/** Where the tags of a selection go; `undefined`: not to one repository that can be told. */
function homeOf({ id, destination, values }: Selection): { readonly id: string; readonly name: string } | undefined {
  const [place] = splitTag(destination);
  const filled = fillIn(place, values, ['registry', 'path', 'name']);
  const repository = filled.ok ? parsePlace(filled.value) : filled;
  return repository.ok ? { id, name: formatRepository(repository.value) } : undefined;
}

/** The names by which `--only` may mean a tag: its destination, the ids that an entry of it would have, and its repository. */
export function namesOf({ repository }: Place, tag: string): readonly string[] {
  const name = formatRepository(repository);
  const text = `${name}:${tag}`;
  return [text, `sync:${text}`, `build:${text}`, name];
}
