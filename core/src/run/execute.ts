/** Runs a plan: starts its tasks in order, and writes down what becomes of each. */
import type { Entry, Selection } from '../config/model.ts';
import type { Failure } from '../failure.ts';
import type { AnnouncedTask, Asked, Row } from '../journal/events.ts';
import type { Task } from '../plan/model.ts';
import { cosignFlags } from '../report/cosign.ts';
import type { Engine, StepContext } from './engine.ts';
import { createEntryEnds, type EntryEnds } from './entry-ends.ts';
import { runLoop, type Ended, type TaskEnd } from './loop.ts';
import { isProbe, type Node } from './nodes.ts';
import { usersOfPackages } from './package-users.ts';
import { entryByEntry, longestWay } from './precedence.ts';
import type { ResourceRules } from './ready.ts';
import { isNetworkBound } from './resources.ts';
import { exitCodeOf, selectionRow, skippedRows } from './rows.ts';
import { notOk, summary } from './task-end.ts';
import { createTries } from './tries.ts';

export interface Executed {
  readonly rows: readonly Row[];
  readonly exitCode: number;
}

export interface ExecuteOptions {
  readonly engine: Engine;
  readonly command: string;
  readonly version: string;
  /** For the journal. */
  readonly asked?: Asked;
  readonly fail: 'subgraph' | 'fast' | 'now';
  /** Selections that gave no entries, each with its failure: they end as failed before anything starts. */
  readonly failed?: readonly FailedSelection[];
  /** Aborted by the user's signal or a time limit. */
  readonly interrupt: AbortSignal;
}

export interface FailedSelection {
  readonly selection: Selection;
  readonly failure: Failure;
}

export async function execute(options: ExecuteOptions): Promise<Executed> {
  const { engine, command, version, asked, fail, failed = [], interrupt } = options;
  const { plan, entries } = engine.planned;
  const started = performance.now();
  const stop = new AbortController();
  const signal = AbortSignal.any([interrupt, stop.signal]);
  const ids = [...plan.entries.map(({ id }) => id), ...failed.map(({ selection }) => selection.id)];
  const entryOf = (id: string): Entry => known(entries, id);
  const ends = createEntryEnds(engine, entryOf);
  const attempt = createTries(engine, signal, contextsOf(engine, entryOf, ends));

  engine.emit({
    type: 'run.start',
    run: engine.run,
    command,
    version,
    entries: ids,
    tasks: plan.tasks.filter(isProbe).map(announce),
    ...(engine.signing === undefined ? {} : { cosign: cosignFlags(engine.signing) }),
    ...(asked === undefined ? {} : { asked }),
  });
  for (const { id, skip } of plan.entries) if (skip !== undefined) ends.endAs(id, skippedRows(entryOf(id), skip));
  for (const { selection, failure } of failed) ends.endAs(selection.id, [selectionRow(selection, failure)]);
  if (failed.length > 0 && fail !== 'subgraph') stop.abort();
  await runLoop({
    tasks: plan.tasks,
    fail,
    signal,
    abort: () => stop.abort(),
    hooks: {
      resource: (task) => resourceOf(task),
      weight: ({ id }) => engine.durations.of(id) ?? 1,
      execute: async (task, outputs) => (task.contract === 'core.together@1' ? together() : attempt(task, outputs)),
      announced(entry, why, tasks) {
        const changes = ends.changesOf(entry);
        engine.emit({ type: 'entry.chain', entry, why, tasks: tasks.map(announce), changes });
      },
      ended(one) {
        tell(one);
        ends.taskEnded(one);
      },
      entryEnded: (id) => ends.end(id),
    },
  });
  const order = new Map(ids.map((id, index) => [id, index]));
  const place = ({ id }: Row): number => order.get(id) ?? 0;
  const rows = (await ends.finish(interrupt.aborted)).toSorted((a, b) => place(a) - place(b));
  const exitCode = exitCodeOf(rows, interrupt.aborted);
  engine.emit({ type: 'run.done', exitCode, seconds: (performance.now() - started) / 1000 });
  return { rows, exitCode };

  function resourceOf(task: Task): ResourceRules<Node> {
    const { cpu, host } = engine.settings.limits;
    if (!isNetworkBound(task)) return { name: 'cpu', limit: cpu, comesBefore: longestWay };
    const registry = task.entry === null ? '' : entryOf(task.entry).targets[0].destination.registry;
    return { name: `host:${registry}`, limit: host, comesBefore: entryByEntry };
  }

  /** That every image has passed is all there is to it: the loop has waited for them. Of a selection nobody knows which they are. */
  function together(): TaskEnd {
    const [unknown] = failed;
    return unknown === undefined ? { state: 'ok', output: null } : notOk(needOf(unknown), signal);
  }

  function tell({ task, end, ms }: Ended): void {
    const output = end.state === 'ok' ? summary(end.output) : undefined;
    // What a probe takes says how busy the registries were, and nothing of the work behind it.
    if (end.state === 'ok' && !isProbe(task)) engine.durations.add(task.id, ms);
    engine.emit({
      type: 'task.done',
      task: task.id,
      state: end.state,
      ms: Math.round(ms),
      ...(output === undefined ? {} : { output }),
      ...(end.state === 'ok' ? {} : { failure: end.failure }),
    });
  }
}

/** What a task's step works with. */
function contextsOf(engine: Engine, entryOf: (id: string) => Entry, ends: EntryEnds) {
  const { plan } = engine.planned;
  const planned = new Map(plan.entries.map((entry) => [entry.id, entry]));
  const packageUsers = usersOfPackages(plan.tasks);
  return (task: Task): Omit<StepContext, 'signal'> => {
    // A package belongs to no entry of its own: it is worked on for the first entry that needs it.
    const id = task.entry ?? packageUsers.get(task.id) ?? '';
    return {
      engine,
      task,
      entry: entryOf(id),
      planned: known(planned, id),
      log: (line) => engine.emit({ type: 'task.log', task: task.id, line }),
      tagged: (target, backup) => ends.tagged(id, target, backup),
    };
  };
}

function known<T>(entries: ReadonlyMap<string, T>, id: string): T {
  const entry = entries.get(id);
  if (entry === undefined)
    throw new Error(`the plan names an entry that it does not list, or the config does not hold: ${id}`);
  return entry;
}

function needOf({ selection, failure }: FailedSelection): Failure {
  return {
    reason: 'need',
    class: 'permanent',
    need: selection.id,
    message: `${selection.id} failed: ${failure.message}`,
    hint: 'with publish: together no tag moves before everything that was selected has passed',
  };
}

function announce({ id, contract, entry, needs }: Task): AnnouncedTask {
  return { id, contract, entry, ...(needs.length === 0 ? {} : { needs }) };
}
