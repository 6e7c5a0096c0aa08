/** `slipway diff`: what a sync would do, and what that costs. It changes nothing anywhere. */
import PQueue from 'p-queue';
import type { Config, Selection, SyncEntry, Target } from '../config/model.ts';
import { cancelled, type Failure, type Result } from '../failure.ts';
import { ownTargets } from '../lock/lockable.ts';
import type { PlannedEntry } from '../plan/model.ts';
import { taskId } from '../plan/task-id.ts';
import { formatReference, formatRepository, type Digest, type Repository, type Tag } from '../reference.ts';
import type { Rehearsal, Tally } from '../registry/rehearsal.ts';
import type { Engine, Probed } from '../run/engine.ts';
import { isImmutable } from '../run/steps/immutable.ts';
import { lastingTargets, ownDigest } from '../run/targets.ts';
import type { Expansion } from '../selection/expand.ts';
import { goneTags, homeOf } from './gone.ts';
import type { Cost, Diff, DiffQuota, DiffRow, DiffSelection } from './model.ts';
import { rehearseEntry, rehearsingEngine } from './rehearse.ts';

export interface DiffRequest {
  /** Of a session that was opened with `rehearsal`. */
  readonly engine: Engine;
  readonly rehearsal: Rehearsal;
  /** What became of the selections; none where a lock has said it. */
  readonly expansions: readonly Expansion[];
  /** What a sync costs is found out too: it reads the manifests of all that moves. */
  readonly cost: boolean;
  readonly signal: AbortSignal;
}

/** What became of an entry, for its rows and for those that take its image. */
interface Settled {
  readonly rows: readonly DiffRow[];
  readonly tally?: Tally;
  /** What its tags name after the sync. */
  readonly digest?: Digest;
}

export async function diffAll({ engine: real, rehearsal, expansions, cost, signal }: DiffRequest): Promise<Diff> {
  const engine = rehearsingEngine(real);
  const { plan, entries } = engine.planned;
  const tasks = new Map(plan.tasks.map((task) => [task.id, task]));
  const queue = new PQueue({ concurrency: engine.settings.limits.host });
  const settled = new Map<string, Promise<Settled>>();
  for (const planned of plan.entries) {
    const entry = entries.get(planned.id);
    if (entry?.kind === 'sync' && planned.skip === undefined) settled.set(entry.id, settle(entry, planned));
  }
  const all = await Promise.all(settled.values());
  const lists = await listSelections({ engine, rehearsal, expansions });
  const tallies = [...all.flatMap(({ tally }) => tally ?? []), ...lists.tallies];
  const quota = quotaOf(engine.config, engine);
  return {
    rows: [...all.flatMap(({ rows }) => rows), ...lists.rows],
    selections: expansions.map(describe),
    ...(cost ? { cost: costOf(tallies) } : {}),
    hosts: cost ? hostsOf(tallies) : {},
    ...(quota === undefined ? {} : { quota }),
  };

  async function settle(entry: SyncEntry, planned: PlannedEntry): Promise<Settled> {
    // Goes on once all entries are in `settled`, so that an entry finds those that come after it.
    await Promise.resolve();
    const [need] = planned.needs;
    const taken = need === undefined ? undefined : await settled.get(need);
    if (need !== undefined && taken?.digest === undefined && entries.get(need) !== undefined && isTaken(entry.id)) {
      const why =
        taken === undefined ? `takes what ${need} will come to` : `takes the image of ${need}, which is not known`;
      return { rows: rowsFor(entry, () => ({ kind: 'waits', why })) };
    }
    const of = taken?.digest;
    const rehearse = () =>
      rehearsal.count(entry.source, () =>
        rehearseEntry({ engine, entry, planned, tasks, signal, ...(of === undefined ? {} : { of }) }, cost),
      );
    const counted = await queue.add(async () => (signal.aborted ? undefined : rehearse()));
    if (counted === undefined) return { rows: rowsFor(entry, () => failedRow(cancelled)) };
    const { value, tally } = counted;
    // What a registry answers is told where its entry stands.
    if (!value.ok) return { rows: await failedRows(entry, { at: entry.at, ...value.failure }) };
    const { probed } = value.value;
    const digest = value.value.digest ?? probed.wanted;
    const rows = rowsFor(entry, (target) => compare(entry, target, probed, digest));
    const own = cost ? rows.map((row, index) => (index === 0 ? { ...row, cost: costOf([tally]) } : row)) : rows;
    return { rows: own, tally, ...(digest === undefined ? {} : { digest }) };
  }

  /** Whether the plan has it take the image of another entry that is part of this command. */
  function isTaken(id: string): boolean {
    return (tasks.get(taskId(id, 'probe'))?.needs.length ?? 0) > 0;
  }

  /** That the source has the tag no more is no failure where the destination has it: it is what was asked. */
  async function failedRows(entry: SyncEntry, failure: Failure): Promise<readonly DiffRow[]> {
    const { registry } = engine;
    const failed = rowsFor(entry, () => failedRow(failure));
    if (failure.reason !== 'registry' || failure.side !== 'source') return failed;
    const source = await registry.head(entry.source, 'source');
    if (!source.ok || source.value !== undefined) return failed;
    const there = new Map<string, Digest>();
    for (const { destination } of entry.targets) {
      const head = await registry.head(destination, 'destination');
      if (head.ok && head.value !== undefined) there.set(formatReference(destination), head.value.digest);
    }
    return rowsFor(entry, ({ destination }) => {
      const from = there.get(formatReference(destination));
      return from === undefined ? failedRow(failure) : { kind: 'gone', from };
    });
  }
}

type RowState = Pick<DiffRow, 'kind' | 'from' | 'to' | 'why' | 'failure'>;

function rowsFor(entry: SyncEntry, state: (target: Target) => RowState): readonly DiffRow[] {
  return entry.targets.map((target) => ({
    id: entry.id,
    source: formatReference(entry.source),
    destination: formatReference(target.destination),
    ...state(target),
  }));
}

function failedRow(failure: Failure): RowState {
  return { kind: 'failed', failure };
}

function compare(
  entry: SyncEntry,
  target: Target,
  { before, why }: Pick<Probed, 'before' | 'why'>,
  to: Digest | undefined,
): RowState {
  const text = formatReference(target.destination);
  const from = before[text] ?? undefined;
  const named = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  // A list of tags says that it is there; what it names was not looked up.
  if (!Object.hasOwn(before, text) || to === undefined) return { kind: 'same', why };
  const isDated = !lastingTargets(entry).includes(target);
  const stays = (isDated && ownDigest(entry, before) === to) || (from !== undefined && isImmutable(entry));
  if (from === to || stays) return { kind: 'same', ...(from === undefined ? {} : { from, to: from }) };
  return { kind: from === undefined ? 'new' : 'moved', ...named };
}

/** What a sync lists to know which tags are meant, and what is at the destination that the source has no more. */
async function listSelections({
  engine,
  rehearsal,
  expansions,
}: Pick<DiffRequest, 'engine' | 'rehearsal' | 'expansions'>): Promise<{
  readonly rows: readonly DiffRow[];
  readonly tallies: readonly Tally[];
}> {
  const { registry, config } = engine;
  const published = ownTargets(config);
  const tallies: Tally[] = [];
  const listed = new Map<string, Promise<Result<readonly Tag[]>>>();
  const rows = await Promise.all(
    expansions.map(async ({ selection }) => {
      const source = await sourceTags(selection.source);
      const home = homeOf(selection);
      if (home === undefined || !source.ok) return [];
      const there = await registry.tags(home.repository, 'destination');
      // A repository that nothing was ever sent to.
      if (!there.ok) return [];
      const gone = goneTags(home, there.value, source.value, published);
      return Promise.all(gone.map(({ tag, from }) => goneRow(engine, selection, home.repository, tag, from)));
    }),
  );
  return { rows: rows.flat(), tallies };

  function sourceTags(repository: Repository): Promise<Result<readonly Tag[]>> {
    const name = formatRepository(repository);
    const known =
      listed.get(name) ??
      rehearsal
        .count(repository, () => registry.tags(repository, 'source'))
        .then(({ value, tally }) => {
          tallies.push(tally);
          return value;
        });
    listed.set(name, known);
    return known;
  }
}

async function goneRow(
  { registry }: Engine,
  { id, source }: Selection,
  repository: Repository,
  tag: Tag,
  from: Tag,
): Promise<DiffRow> {
  const reference = { kind: 'tagged', ...repository, tag } as const;
  const head = await registry.head(reference, 'destination');
  return {
    id,
    source: formatReference({ kind: 'tagged', ...source, tag: from }),
    destination: formatReference(reference),
    kind: 'gone',
    ...(head.ok && head.value !== undefined ? { from: head.value.digest } : {}),
  };
}

function describe({ selection, selected, failure }: Expansion): DiffSelection {
  return {
    id: selection.id,
    source: formatRepository(selection.source),
    seen: selected?.seen ?? 0,
    selected: selected?.tags.length ?? 0,
    dropped: { ...selected?.dropped },
    ...(failure === undefined ? {} : { failure }),
  };
}

function costOf(tallies: readonly Tally[]): Cost {
  const sum = (of: (tally: Tally) => number): number => tallies.reduce((total, tally) => total + of(tally), 0);
  return {
    requests: sum(({ requests }) => [...requests.values()].reduce((total, each) => total + each, 0)),
    bytes: sum(({ bytes }) => bytes),
    pulls: sum(({ pulls }) => pulls),
  };
}

function hostsOf(tallies: readonly Tally[]): Readonly<Record<string, number>> {
  const hosts = new Map<string, number>();
  for (const { requests } of tallies)
    for (const [host, count] of requests) hosts.set(host, (hosts.get(host) ?? 0) + count);
  return Object.fromEntries([...hosts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What Docker Hub said last while this diff was made. */
function quotaOf({ entries }: Config, { registry }: Engine): DiffQuota | undefined {
  for (const entry of entries) {
    if (entry.kind !== 'sync' || entry.source.registry !== 'docker.io') continue;
    const quota = registry.quota(entry.source);
    if (quota === undefined) continue;
    const { remaining, limit, window } = quota;
    return { registry: 'docker.io', remaining, window, ...(limit === undefined ? {} : { limit }) };
  }
  return undefined;
}
