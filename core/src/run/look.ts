/** Commands that look and change nothing: why entries would run, and what published images lack. */
import type { Entry } from '../config/model.ts';
import type { Failure, Result } from '../failure.ts';
import type { Change } from '../journal/events.ts';
import type { PlannedEntry, Task } from '../plan/model.ts';
import { entryOfTask, taskId } from '../plan/task-id.ts';
import { formatReference, pin, type Digest, type Tagged } from '../reference.ts';
import { ok } from '../failure.ts';
import { lookTask } from './believe.ts';
import type { Engine, Probed, StepContext } from './engine.ts';
import { runLoop, type TaskEnd } from './loop.ts';
import { lacksName } from './named-for.ts';
import { isProbe } from './nodes.ts';
import { longestWay } from './precedence.ts';
import { resolveInput } from './resolve-input.ts';
import { checkAttached } from './steps/attached.ts';
import { backupNames } from './steps/backup.ts';
import { readImage } from './steps/image.ts';
import { attachedKind } from './steps/standing.ts';
import { lastingTargets } from './targets.ts';
import { probe, type ProbeInput } from './steps/probe.ts';

export interface ProbeAnswer {
  readonly id: string;
  readonly goal: boolean;
  readonly why: string;
  readonly changes?: readonly Change[];
  readonly failure?: Failure;
}

/** Asks the registries about every planned entry, in the plan's order. What depends on an entry that has to run has to run too. */
export async function probeAll(engine: Engine, signal: AbortSignal): Promise<readonly ProbeAnswer[]> {
  const { plan } = engine.planned;
  const planned = new Map(plan.entries.map((entry) => [entry.id, entry]));
  const answers = new Map<string, ProbeAnswer>();
  for (const { id, skip } of plan.entries)
    if (skip !== undefined) answers.set(id, { id, goal: true, why: `skipped: ${skip}` });
  const waiting = new Set<string>();
  const probes = plan.tasks.filter(isProbe);
  // Only probes: what a probe needs of another entry is that entry's probe here, which knows the digest if the goal holds.
  const tasks = probes.map((task) => onProbes(task));
  await runLoop({
    tasks,
    fail: 'subgraph',
    signal,
    abort: () => {},
    hooks: {
      resource: () => ({ name: 'host', limit: engine.settings.limits.host, comesBefore: longestWay }),
      weight: () => 1,
      execute: async (task, outputs): Promise<TaskEnd> => {
        const id = task.entry ?? '';
        const blocked = task.needs.map(entryOfTask).find((need) => waiting.has(need));
        if (blocked !== undefined) {
          waiting.add(id);
          answers.set(id, { id, goal: false, why: `takes what ${blocked} comes to, which has to run first` });
          return { state: 'ok', output: undefined, goal: true };
        }
        const result = await probe(
          lookContext(engine, planned.get(id), task, signal),
          resolveInput(task.input, outputs) as ProbeInput,
        );
        if (!result.ok) {
          waiting.add(id);
          answers.set(id, { id, goal: false, why: result.failure.message, failure: result.failure });
          return { state: 'ok', output: undefined, goal: true };
        }
        const { goal, why, changes } = result.value;
        if (!goal) waiting.add(id);
        answers.set(id, { id, goal, why, ...(changes.length === 0 ? {} : { changes }) });
        return { state: 'ok', output: result.value satisfies Probed, goal: true };
      },
      announced: () => {},
      ended: () => {},
      entryEnded: () => {},
    },
  });
  return plan.entries.flatMap(({ id }) => answers.get(id) ?? []);
}

function onProbes(task: Task): Task {
  const rename = (id: string): string => taskId(entryOfTask(id), 'probe');
  const input = JSON.parse(JSON.stringify(task.input), (key, value: unknown) =>
    key === '$out' && typeof value === 'string' ? rename(value) : value,
  ) as Task['input'];
  return { ...task, input, needs: task.needs.map(rename) };
}

export interface VerifiedTarget {
  readonly id: string;
  readonly destination: string;
  readonly digest: Digest | null;
  readonly ok: boolean;
  /** As `signature`, `sbom`, or `linux/arm64: scan` when looked at deeply; `tag` when there is no such tag. */
  readonly missing: readonly string[];
  readonly trust: PlannedEntry['trust'];
  /** It keeps what a sync overwrote: nothing of it is verified. */
  readonly backup?: true;
  readonly failure?: Failure;
}

/** Every target of every planned entry, as a consumer would see it; in the plan's order. */
export async function verifyAll(
  engine: Engine,
  options: { readonly deep: boolean; readonly signal: AbortSignal },
): Promise<readonly VerifiedTarget[]> {
  const { plan, entries } = engine.planned;
  const checks = plan.entries
    .filter(({ skip }) => skip === undefined)
    .map(async (planned) => {
      const entry = entries.get(planned.id);
      const own = await verifyEntry(engine, planned, entry, options);
      return [...own, ...(entry === undefined ? [] : await listBackups(engine, planned, entry))];
    });
  return (await Promise.all(checks)).flat();
}

/** Tags that keep what the entry's tags named once, listed so that nobody takes them for verified. */
async function listBackups(
  engine: Engine,
  { id, trust }: PlannedEntry,
  entry: Entry,
): Promise<readonly VerifiedTarget[]> {
  const isBackup = backupNames(entry);
  if (isBackup === undefined) return [];
  const [{ destination }] = entry.targets;
  const base = { id, trust, backup: true as const, missing: [] };
  const tags = await engine.registry.tags(destination, 'destination');
  if (!tags.ok) {
    return [{ ...base, destination: formatReference(destination), digest: null, ok: false, failure: tags.failure }];
  }
  const names = tags.value.filter(isBackup);
  return Promise.all(
    names.map(async (tag): Promise<VerifiedTarget> => {
      const backup = { ...destination, tag };
      const head = await engine.registry.head(backup, 'destination');
      const line = { ...base, destination: formatReference(backup) };
      return head.ok
        ? { ...line, digest: head.value?.digest ?? null, ok: true }
        : { ...line, digest: null, ok: false, failure: head.failure };
    }),
  );
}

async function verifyEntry(
  engine: Engine,
  planned: PlannedEntry,
  entry: Entry | undefined,
  { deep, signal }: { readonly deep: boolean; readonly signal: AbortSignal },
): Promise<readonly VerifiedTarget[]> {
  if (entry === undefined) return [];
  const { id, trust } = planned;
  return Promise.all(
    lastingTargets(entry).map(async ({ destination }): Promise<VerifiedTarget> => {
      const text = formatReference(destination);
      const base = { id, destination: text, trust };
      const head = await engine.registry.head(destination, 'destination');
      if (!head.ok) return { ...base, digest: null, ok: false, missing: [], failure: head.failure };
      if (head.value === undefined) return { ...base, digest: null, ok: false, missing: ['tag'] };
      const { digest } = head.value;
      if (trust === 'copy') return { ...base, digest, ok: true, missing: [] };
      const lacks = await lacksOf(engine, entry, { destination, digest, deep, signal });
      return lacks.ok
        ? { ...base, digest, ok: lacks.value.length === 0, missing: lacks.value }
        : { ...base, digest, ok: false, missing: [], failure: lacks.failure };
    }),
  );
}

async function lacksOf(
  engine: Engine,
  entry: Entry,
  published: {
    readonly destination: Tagged;
    readonly digest: Digest;
    readonly deep: boolean;
    readonly signal: AbortSignal;
  },
): Promise<Result<readonly string[]>> {
  const { destination, digest, deep, signal } = published;
  const image = await readImage(engine.registry, pin(destination, digest));
  if (!image.ok) return image;
  const task = lookTask(taskId(entry.id, 'verify'), entry.id);
  const kind = attachedKind({ engine, entry });
  const checked = await checkAttached({ engine, task, signal }, kind, image.value, deep);
  if (!checked.ok) return checked;
  const { facts, lacks } = checked.value;
  if (lacks.length > 0 || engine.signing === undefined) return ok(lacks);
  const unnamed = lacksName(engine, entry, formatReference(destination), facts);
  return ok(unnamed === undefined ? [] : [unnamed]);
}

function lookContext(engine: Engine, planned: PlannedEntry | undefined, task: Task, signal: AbortSignal): StepContext {
  const entry = engine.planned.entries.get(planned?.id ?? '');
  if (entry === undefined || planned === undefined) throw new Error(`the plan does not hold the entry of ${task.id}`);
  return { engine, task, entry, planned, signal, log: () => {}, tagged: () => {} };
}
