/** One sync entry, as a run would do it with `trust: copy`, in an engine whose registry writes nothing. */
import type { SyncEntry } from '../config/model.ts';
import { ok, type Result } from '../failure.ts';
import { isFields } from '../config/fields.ts';
import type { PlannedEntry, Task } from '../plan/model.ts';
import { taskId } from '../plan/task-id.ts';
import { copyFromFirst } from '../plugin/copying.ts';
import type { Host } from '../plugin/host.ts';
import type { TaskContext } from '../plugin/api.ts';
import type { ContractInput, ContractName } from '../plugin/contract-api.ts';
import type { Digest } from '../reference.ts';
import { copy } from '../registry/copy.ts';
import type { Engine, ProbedSync, ProbedUnasked, StepContext } from '../run/engine.ts';
import { resolveInput } from '../run/resolve-input.ts';
import { copyStep } from '../run/steps/copy.ts';
import { probeSync, type ProbeInput } from '../run/steps/probe.ts';
import { resolveStep } from '../run/steps/resolve.ts';
import { tagStep } from '../run/steps/tag.ts';

export interface Rehearsed {
  readonly probed: ProbedSync | ProbedUnasked;
  /** What its tags name afterwards; absent where nobody looked that far. */
  readonly digest?: Digest;
}

/** Copies as sync-registry does, even if another plugin would copy: the requests of a tool could not be held back. */
export function rehearsingEngine(engine: Engine): Engine {
  const call = async (contract: ContractName, input: unknown, context: TaskContext): Promise<Result<unknown>> => {
    if (contract !== 'image.copy@1') throw new Error(`${contract} is not rehearsed`);
    const copying = input as ContractInput<'image.copy@1'>;
    const { destination, foreignLayers } = copying;
    return copyFromFirst(copying, context, async (source) => {
      const from = engine.registry.content(source, 'source', { exact: true });
      const to = engine.registry.content(destination, 'destination');
      const options = { source: source.registry, signal: context.signal, foreignLayers: foreignLayers === true };
      const copied = await copy(from, to, destination.digest, options);
      return copied.ok ? ok(undefined) : copied;
    });
  };
  return { ...engine, host: { ...engine.host, call: call as Host['call'] }, emit: () => {} };
}

export interface RehearsalOf {
  readonly engine: Engine;
  readonly entry: SyncEntry;
  readonly planned: PlannedEntry;
  readonly tasks: ReadonlyMap<string, Task>;
  readonly signal: AbortSignal;
  /** The digest that the entry it takes its image from comes to. */
  readonly of?: Digest;
}

/** Whether the source is signed as `verify` asks, and attestations, are left to the run. */
export async function rehearseEntry(
  { engine, entry: asked, planned, tasks, signal, of }: RehearsalOf,
  whole: boolean,
): Promise<Result<Rehearsed>> {
  const { verify: _, ...entry } = asked;
  const task = tasks.get(taskId(entry.id, 'probe'));
  if (task === undefined) throw new Error(`${entry.id} is planned without a probe`);
  const step: StepContext<SyncEntry> = {
    engine,
    task,
    entry,
    planned: { ...planned, trust: 'copy' },
    signal,
    log: () => {},
    tagged: () => {},
  };
  const input = resolveInput(task.input, new Map()) as ProbeInput;
  const probed = await probeSync(step, { ...input, ...(of === undefined ? {} : { of }) });
  if (!probed.ok) return probed;
  if (probed.value.goal || !whole) return ok({ probed: probed.value });
  const inPlace = isInPlace(tasks.get(taskId(entry.id, 'resolve')));
  const resolved = await resolveStep(step, { probed: probed.value, inPlace });
  if (!resolved.ok) return resolved;
  const { image: there } = resolved.value;
  const image = there === undefined ? await copyStep(step, { probed: probed.value }) : ok(there);
  if (!image.ok) return image;
  const tagged = await tagStep(step, { probed: probed.value, image: image.value });
  return tagged.ok ? ok({ probed: probed.value, digest: image.value.digest }) : tagged;
}

/** The image is in the destination repository already. */
function isInPlace(task: Task | undefined): boolean {
  return isFields(task?.input) && task.input['inPlace'] === true;
}
