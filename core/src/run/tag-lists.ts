/**
 * What registries' own lists say of tags, so that a repository of a hundred unchanged tags costs one or two requests a side and
 * not a hundred. What a list says is a hint: whoever acts on it asks for the tag itself first.
 */
import type { Entry } from '../config/model.ts';
import { fail, ok, configFailure, type Result } from '../failure.ts';
import type { Planned } from '../plan/create.ts';
import type { TaskContext } from '../plugin/api.ts';
import type { Host } from '../plugin/host.ts';
import {
  formatRepository,
  isLocation,
  parseDigest,
  type Digest,
  type Repository,
  type Tag,
  type Tagged,
} from '../reference.ts';
import type { Registry, Side } from '../registry/model.ts';

/** With fewer tags than this a list saves nothing. */
const WORTHWHILE = 3;

export interface TagLists {
  /** Whether somebody lists the tags of this registry. */
  knows(repository: Pick<Repository, 'registry'>): boolean;
  /** `undefined`: no list says so, or none is worth its requests. `open` makes the context of the one task that asks. */
  digestOf(
    reference: Tagged,
    side: Side,
    open: (contract: string) => Promise<TaskContext & AsyncDisposable>,
  ): Promise<Digest | undefined>;
  /** The destination's tags, listed once; a failure where that is not worth it. */
  namesOf(destination: Repository): Promise<Result<ReadonlySet<Tag>>>;
  /** All tags of a source's repository, listed once, at its origin: a mirror may lack what is attached under tags. */
  allOf(source: Repository): Promise<Result<ReadonlySet<Tag>>>;
  /** The same, unless the list is longer than there are images wanted of it. */
  fewOf(source: Repository): Promise<ReadonlySet<Tag> | undefined>;
  /** Whether another entry of the plan takes this one's digest. */
  isTaken(entry: string): boolean;
}

export function createTagLists({
  planned,
  host,
  registry,
}: {
  readonly planned: Planned;
  readonly host: Pick<Host, 'owner' | 'listTags'>;
  readonly registry: Pick<Registry, 'tags'>;
}): TagLists {
  let wanted: ReadonlyMap<string, ReadonlySet<string>> | undefined;
  let taken: ReadonlySet<string> | undefined;
  const lists = new Map<string, Promise<ReadonlyMap<string, Digest>>>();
  const names = new Map<string, Promise<Result<ReadonlySet<Tag>>>>();
  const few = new Map<string, Promise<Result<ReadonlySet<Tag>>>>();
  /** Counted when the first list is thought of: most runs have no use for one. */
  const tagsIn = (repository: Repository, side: Side): ReadonlySet<string> =>
    (wanted ??= countTags(planned)).get(keyOf(repository, side)) ?? new Set();

  const knows = ({ registry: hostName }: Pick<Repository, 'registry'>): boolean =>
    host.owner(`tags.list@1/${hostName}`) !== undefined;

  return {
    knows,
    async digestOf({ registry: hostName, path, tag }, side, open) {
      if (!knows({ registry: hostName })) return undefined;
      const repository = { registry: hostName, path };
      const tags = tagsIn(repository, side);
      if (tags.size < WORTHWHILE) return undefined;
      const key = formatRepository(repository);
      let list = lists.get(key);
      if (list === undefined) {
        list = ask(repository, tags, open);
        lists.set(key, list);
      }
      return (await list).get(tag);
    },
    async namesOf(destination) {
      if (isLocation(destination) || tagsIn(destination, 'destination').size < WORTHWHILE) {
        return fail(configFailure('a list is not worth it'));
      }
      return listed(destination, 'destination');
    },
    allOf: (source) => listed(source, 'source'),
    async fewOf(source) {
      const key = keyOf(source, 'source');
      const pages = Math.max(1, tagsIn(source, 'source').size);
      const known =
        names.get(key) ?? few.get(key) ?? registry.tags(source, 'source', { pages, exact: true }).then(asSet);
      few.set(key, known);
      const found = await known;
      if (!found.ok) return undefined;
      // Whoever wants all of them has them.
      names.set(key, known);
      return found.value;
    },
    isTaken: (entry) => (taken ??= new Set(planned.plan.entries.flatMap(({ needs }) => needs))).has(entry),
  };

  function listed(repository: Repository, side: Side): Promise<Result<ReadonlySet<Tag>>> {
    const key = keyOf(repository, side);
    const known = names.get(key) ?? registry.tags(repository, side, { exact: true }).then(asSet);
    names.set(key, known);
    return known;
  }

  /** Whatever goes wrong, the tags are asked for one by one. */
  async function ask(
    repository: Repository,
    tags: ReadonlySet<string>,
    open: (contract: string) => Promise<TaskContext & AsyncDisposable>,
  ): Promise<ReadonlyMap<string, Digest>> {
    const { registry: hostName } = repository;
    await using context = await open(`tags.list@1/${hostName}`);
    const input = { repository, tags: [...tags].sort(), requests: Math.max(1, Math.floor(tags.size / 2)) };
    const answer = await host.listTags(hostName, input, context);
    if (!answer.ok) {
      context.log(`no list of the tags of ${formatRepository(repository)}: ${answer.failure.message}`);
      return new Map();
    }
    return new Map(
      Object.entries(answer.value.tags).flatMap(([tag, text]) => {
        const digest = parseDigest(text);
        return digest === undefined ? [] : [[tag, digest] as const];
      }),
    );
  }
}

/** Side and repository → the tags that probes of this run would ask for. */
function countTags({ plan, entries }: Planned): ReadonlyMap<string, ReadonlySet<string>> {
  const wanted = new Map<string, Set<string>>();
  const add = ({ tag, ...repository }: Pick<Tagged, 'registry' | 'path' | 'tag'>, side: Side): void => {
    const key = keyOf(repository, side);
    const tags = wanted.get(key) ?? new Set();
    wanted.set(key, tags.add(tag));
  };
  for (const { id, skip } of plan.entries) {
    const entry = entries.get(id);
    if (entry === undefined || skip !== undefined) continue;
    for (const { destination } of entry.targets) add(destination, 'destination');
    const source = tagOf(entry);
    if (source !== undefined) add(source, 'source');
  }
  return wanted;
}

function asSet(tags: Result<readonly Tag[]>): Result<ReadonlySet<Tag>> {
  return tags.ok ? ok(new Set(tags.value)) : tags;
}

function tagOf(entry: Entry): Tagged | undefined {
  return entry.kind === 'sync' && entry.source.kind === 'tagged' ? entry.source : undefined;
}

function keyOf(repository: Pick<Repository, 'registry' | 'path'>, side: Side): string {
  return `${side} ${formatRepository(repository)}`;
}
