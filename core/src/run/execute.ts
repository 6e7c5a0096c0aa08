/** Runs a plan: every task's input is put together, its step is called, tried again where that can help, and written down. */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { cancelled, type Failure, type Result } from '../failure.ts';
import { archiveScheme, formatPinned, formatRepository, pin } from '../reference.ts';
import type { AnnouncedTask, Row } from '../journal/events.ts';
import { cosignFlags } from '../report/cosign.ts';
import type { Task } from '../plan/model.ts';
import type { Entry, Selection } from '../config/model.ts';
import type { Engine, Probed, StepContext } from './engine.ts';
import { evidenceOf } from './evidence.ts';
import { wantedDigest } from './wanted.ts';
import { runLoop, type Ended, type TaskEnd } from './loop.ts';
import { resolveInput } from './resolve-input.ts';
import { remember, type EntryRecord } from './record.ts';
import { bugFailure, traceOf } from './bug-failure.ts';
import { createAttempts } from './attempts.ts';
import { isProbe, type Node } from './nodes.ts';
import { entryByEntry, longestWay } from './precedence.ts';
import type { ResourceRules } from './ready.ts';
import { exitCodeOf, rowsOf, selectionRow, skippedRows } from './rows.ts';
import { usersOfPackages } from './package-users.ts';
import { perform, stepName } from './perform.ts';
import { isNetworkBound } from './resources.ts';
import { endOf, notOk, summary } from './task-end.ts';
import { stateFailure } from './state-failure.ts';

export interface Executed {
  readonly rows: readonly Row[];
  readonly exitCode: number;
}

export interface ExecuteOptions {
  readonly engine: Engine;
  readonly command: string;
  readonly version: string;
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

/** First wait before a transient failure is tried again, in milliseconds; it doubles. */
const FIRST_WAIT = 500;

export async function execute(options: ExecuteOptions): Promise<Executed> {
  const { engine, command, version, fail, failed = [], interrupt } = options;
  const { plan, entries } = engine.planned;
  const started = performance.now();
  const stop = new AbortController();
  const signal = AbortSignal.any([interrupt, stop.signal]);
  const planned = new Map(plan.entries.map((entry) => [entry.id, entry]));
  const packageUsers = usersOfPackages(plan.tasks);
  const records = new Map<string, EntryRecord>();
  const rows: Row[] = [];
  /** Images whose evidence is in the journal. */
  const told = new Set<string>();
  /** Entries whose archive is still to be written: only then is it known what they came to. */
  const held: string[] = [];
  const attempts = createAttempts(signal, engine.settings.limits.task);
  const at = (): { readonly t: number } => ({ t: engine.now().getTime() });

  engine.emit({
    ...at(),
    type: 'run.start',
    run: engine.run,
    command,
    version,
    entries: [...plan.entries.map(({ id }) => id), ...failed.map(({ selection }) => selection.id)],
    tasks: plan.tasks.filter(isProbe).map(announce),
    ...(engine.signing === undefined ? {} : { cosign: cosignFlags(engine.signing) }),
  });
  for (const { id, skip } of plan.entries) {
    if (skip !== undefined) endEntry(id, skippedRows(entryOf(id), skip));
  }
  for (const { selection, failure } of failed) endEntry(selection.id, [selectionRow(selection, failure)]);
  if (failed.length > 0 && fail !== 'subgraph') stop.abort();
  await runLoop({
    tasks: plan.tasks,
    fail,
    signal,
    abort: () => stop.abort(),
    hooks: {
      resource: (task) => resourceOf(task),
      weight: ({ id }) => engine.durations.of(id) ?? 1,
      execute: (task, outputs) => executeTask(task, outputs),
      announced: (entry, why, tasks) => {
        const changes = recordOf(entry).probed?.changes ?? [];
        engine.emit({ ...at(), type: 'entry.chain', entry, why, tasks: tasks.map(announce), changes });
      },
      ended: (result) => taskEnded(result),
      entryEnded: (id) => {
        if (entryOf(id).targets[0].destination.registry === archiveScheme) held.push(id);
        else concludeEntry(id);
      },
    },
  });
  await concludeHeld();
  const position = new Map(
    [...plan.entries.map(({ id }) => id), ...failed.map(({ selection }) => selection.id)].map((id, index) => [
      id,
      index,
    ]),
  );
  const place = ({ id }: Row): number => position.get(id) ?? 0;
  rows.sort((a, b) => place(a) - place(b));
  const exitCode = exitCodeOf(rows, interrupt.aborted);
  engine.emit({ ...at(), type: 'run.done', exitCode, seconds: (performance.now() - started) / 1000 });
  return { rows, exitCode };

  function endEntry(entry: string, ended: readonly Row[]): void {
    rows.push(...ended);
    engine.emit({ ...at(), type: 'entry.done', entry, rows: ended });
  }

  function concludeEntry(id: string): void {
    tellEvidence(id, recordOf(id));
    endEntry(id, rowsOf(entryOf(id), recordOf(id)));
    // What it held, scans above all, is in the journal now.
    records.delete(id);
  }

  /** An interrupted run writes no archive: the next one goes on from what it gathered. */
  async function concludeHeld(): Promise<void> {
    const unwritten = interrupt.aborted ? undefined : await engine.finishLayouts();
    for (const id of held) {
      const archive = formatRepository(entryOf(id).targets[0].destination);
      const failure = unwritten === undefined ? cancelled : unwritten.get(archive);
      const state = failure === cancelled ? 'cancelled' : 'failed';
      if (failure !== undefined) {
        const record = recordOf(id);
        record.broken ??= { step: 'tag', end: { state, failure } };
        // Its tags are in the archive that was not written.
        delete record.tagged;
      }
      concludeEntry(id);
    }
  }

  function tellEvidence(entry: string, record: EntryRecord): void {
    const image = evidenceOf(record);
    if (image === undefined || told.has(image.digest)) return;
    told.add(image.digest);
    engine.emit({ ...at(), type: 'image', entry, image });
  }

  function entryOf(id: string): Entry {
    const entry = entries.get(id);
    if (entry === undefined) throw new Error(`the plan names an entry that the config does not hold: ${id}`);
    return entry;
  }

  function recordOf(id: string): EntryRecord {
    let record = records.get(id);
    if (record === undefined) {
      record = { signed: false, ms: 0 };
      records.set(id, record);
    }
    return record;
  }

  function resourceOf(task: Task): ResourceRules<Node> {
    const { cpu, host } = engine.settings.limits;
    if (!isNetworkBound(task)) return { name: 'cpu', limit: cpu, comesBefore: longestWay };
    const registry = task.entry === null ? '' : entryOf(task.entry).targets[0].destination.registry;
    return { name: `host:${registry}`, limit: host, comesBefore: entryByEntry };
  }

  async function executeTask(task: Task, outputs: ReadonlyMap<string, unknown>): Promise<TaskEnd> {
    // That every image has passed is all there is to it: the loop has waited for them. Of a selection nobody knows which they are.
    if (task.contract === 'core.together@1') {
      const [unknown] = failed;
      return unknown === undefined ? { state: 'ok', output: null } : notOk(needOf(unknown), signal);
    }
    for (let attempt = 1; ; attempt += 1) {
      engine.emit({ ...at(), type: 'task.start', task: task.id, attempt });
      const input = resolveInput(task.input, outputs);
      const result = await attempts.run(task, (own) => tryStep(stepContext(task, own), input));
      if (result.ok) return endOf(task, result.value, subjectOf(task, result.value));
      const { failure } = result;
      const last = attempt >= engine.settings.limits.tries;
      if (failure.class !== 'transient' || last || signal.aborted) return notOk(failure, signal);
      const wait = FIRST_WAIT * 2 ** (attempt - 1) + randomInt(FIRST_WAIT / 2);
      engine.emit({ ...at(), type: 'task.retry', task: task.id, failure, wait });
      await sleep(wait, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return notOk(cancelled, signal);
    }
  }

  /** The image that a sync's chain will work on; of a build only its chain will know. */
  function subjectOf(task: Task, output: unknown): string | undefined {
    if (!isProbe(task) || task.entry === null) return undefined;
    const digest = wantedDigest(output as Probed);
    return digest && formatPinned(pin(entryOf(task.entry).targets[0].destination, digest));
  }

  function stepContext(task: Task, taskSignal: AbortSignal): StepContext {
    // A package belongs to no entry of its own: it is worked on for the first entry that needs it.
    const id = task.entry ?? packageUsers.get(task.id) ?? '';
    const entry = planned.get(id);
    if (entry === undefined) throw new Error(`the plan has a task for an entry that it does not list: ${id}`);
    const log = (line: string): void => engine.emit({ ...at(), type: 'task.log', task: task.id, line });
    const tagged = (target: string, backup: string | undefined): void => {
      const record = recordOf(id);
      record.tagged = (record.tagged ?? new Map<string, string | undefined>()).set(target, backup);
    };
    return { engine, task, entry: entryOf(id), planned: entry, signal: taskSignal, log, tagged };
  }

  function taskEnded({ task, end, ms }: Ended): void {
    const output = end.state === 'ok' ? summary(end.output) : undefined;
    // What a probe takes says how busy the registries were, and nothing of the work behind it.
    if (end.state === 'ok' && !isProbe(task)) engine.durations.add(task.id, ms);
    engine.emit({
      ...at(),
      type: 'task.done',
      task: task.id,
      state: end.state,
      ms: Math.round(ms),
      ...(output === undefined ? {} : { output }),
      ...(end.state === 'ok' ? {} : { failure: end.failure }),
    });
    if (task.entry === null) return;
    const record = recordOf(task.entry);
    record.ms += ms;
    if (end.state !== 'ok') {
      record.broken ??= { step: stepName(task), end };
      return;
    }
    remember(record, stepName(task), end.output);
  }
}

/** A full disk is no bug, and a bug in what was made of one entry's answers is none of the others': each fails the task that met it. */
async function tryStep(step: StepContext, input: unknown): Promise<Result<unknown>> {
  try {
    return await perform(step, input);
  } catch (error) {
    const failure = stateFailure(error);
    if (failure === undefined) for (const line of traceOf(error)) step.log(line);
    return { ok: false, failure: failure ?? bugFailure(step.task, error) };
  }
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
