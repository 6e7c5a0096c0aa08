/**
 * The loop: in-degree counters over the plan, a heap a resource, in which `precedence.ts` says what comes first. It knows tasks, not images.
 *
 *   waiting ──needs met──▶ ready ──queue──▶ running ──▶ ended (ok | failed | refused | skipped | cancelled)
 *   dormant ──its entry's probe found work──▶ waiting
 *   dormant ──its entry's probe found the goal reached──▶ elided (never announced; its output is the probe's)
 *
 * Work per task is constant but for its own edges, whatever the size of the plan.
 */
import { cancelled, type Failure } from '../failure.ts';
import type { TaskState } from '../journal/events.ts';
import type { Task } from '../plan/model.ts';
import { findWays } from './critical-path.ts';
import { createNodes, found, isProbe, type Chain, type Node } from './nodes.ts';
import { createReady, type ResourceRules } from './ready.ts';
import { createTurns } from './turns.ts';

/** What a task's execution came to. */
export type TaskEnd =
  | {
      readonly state: 'ok';
      readonly output: unknown;
      /** Of a probe: nothing is left to do for its entry. */
      readonly goal?: boolean;
      /** Of a probe: the image is there, so what it is built from need not be made. */
      readonly reuse?: boolean;
      /** Of a probe: what only one entry's chain at a time may work on. */
      readonly subject?: string;
      readonly why?: string;
    }
  | { readonly state: Exclude<TaskState, 'ok'>; readonly failure: Failure };

export interface Ended {
  readonly task: Task;
  readonly end: TaskEnd;
  readonly ms: number;
}

export interface LoopHooks {
  /** Which queue the task waits in, as `cpu` or `host:ghcr.io`, how many run there at once, and which first. */
  resource(task: Task): ResourceRules<Node>;
  /** How long it will take, in any unit. */
  weight(task: Task): number;
  execute(task: Task, outputs: ReadonlyMap<string, unknown>): Promise<TaskEnd>;
  /** The probe found work: these tasks are now announced. */
  announced(entry: string, why: string, tasks: readonly Task[]): void;
  ended(result: Ended): void;
  /** Everything of this entry has ended, or was elided. */
  entryEnded(entry: string): void;
}

export interface LoopOptions {
  readonly tasks: readonly Task[];
  readonly fail: 'subgraph' | 'fast' | 'now';
  readonly signal: AbortSignal;
  /** Called when everything is to stop: by `--fail now`, or because of a bug. */
  readonly abort: () => void;
  readonly hooks: LoopHooks;
}

export type NotOk = Exclude<TaskEnd, { readonly state: 'ok' }>;

/** In place of a whole `TaskEnd`: what a task gave is kept in `outputs`, and only for those that need it. */
const SUCCESS = { state: 'ok' } as const;

/** Runs every task that has to run; resolves when each announced one has ended exactly once. */
export async function runLoop(options: LoopOptions): Promise<void> {
  const { hooks, signal } = options;
  const nodes = createNodes(options.tasks);
  findWays([...nodes.values()], ({ task }) => hooks.weight(task));
  const outputs = new Map<string, unknown>();
  /** Those whose tasks ended since the last look. */
  const touched = new Set<Chain>();
  const turns = createTurns();
  const ready = createReady(execute, onBug);
  let open = 0;
  let stopped = false;
  const { promise: drained, resolve: drain, reject: giveUp } = Promise.withResolvers<void>();

  for (const node of nodes.values()) if (node.state === 'waiting') open += 1;
  for (const node of nodes.values()) if (node.state === 'waiting' && node.unmet === 0) start(node);
  if (open > 0) await drained;
  return;

  function nodeOf(id: string): Node {
    return found(nodes, id);
  }

  function start(node: Node): void {
    ready.add(node, hooks.resource(node.task));
  }

  /** It ends the run where its caller can still take everything down. */
  function onBug(error: unknown): void {
    stopped = true;
    options.abort();
    giveUp(error);
  }

  async function execute(node: Node): Promise<void> {
    if (node.state !== 'waiting') return;
    if (signal.aborted || stopped) {
      finish(node, { state: 'cancelled', failure: cancelled }, 0);
      return;
    }
    node.state = 'running';
    const from = performance.now();
    const end = await hooks.execute(node.task, outputs);
    finish(node, end, performance.now() - from);
  }

  function finish(node: Node, end: TaskEnd, ms: number): void {
    node.state = 'ended';
    node.end = end.state === 'ok' ? SUCCESS : end;
    open -= 1;
    hooks.ended({ task: node.task, end, ms });
    if (end.state === 'ok') {
      outputs.set(node.task.id, end.output);
      if (isProbe(node.task)) afterProbe(node, end);
      meet(node);
    } else {
      if (end.state === 'failed' && options.fail !== 'subgraph') stop();
      block(node, lossBy(node.task, end));
    }
    if (node.chain !== undefined) touched.add(node.chain);
    for (const chain of touched) reportEntry(chain);
    touched.clear();
    if (open === 0) drain();
  }

  function stop(): void {
    stopped = true;
    if (options.fail === 'now') options.abort();
  }

  function afterProbe(probe: Node, end: TaskEnd & { state: 'ok' }): void {
    if (probe.chain === undefined) throw new Error(`${probe.task.id} is a probe of no entry`);
    const { entry, nodes: all } = probe.chain;
    const chain = all.filter((node) => node !== probe);
    if (end.reuse === true) for (const node of chain) forgoPackages(node);
    if (end.goal === true) {
      for (const node of chain) {
        node.state = 'elided';
        // Its own chain asks for nothing.
        if (isNeededElsewhere(node)) outputs.set(node.task.id, end.output);
      }
      for (const node of chain) meet(node);
      return;
    }
    turns.take(entry, end.subject, () => wakeChain(entry, chain, end.why ?? ''));
  }

  function wakeChain(entry: string, chain: readonly Node[], why: string): void {
    const woken = wake(chain);
    open += woken.length;
    hooks.announced(
      entry,
      why,
      woken.map((node) => node.task),
    );
    for (const node of woken) {
      const lost = node.needs.map((need) => earlierLoss(nodeOf(need))).find((loss) => loss !== undefined);
      if (lost !== undefined && node.state === 'waiting') {
        skip(node, lost);
        block(node, lost);
      }
    }
    for (const node of woken) if (node.state === 'waiting' && node.unmet === 0) start(node);
  }

  /** An image that is there is not built from its packages again: they need not be made, and may fail. */
  function forgoPackages(node: Node): void {
    const packages = node.needs.map(nodeOf).filter(isPackage);
    if (packages.length === 0) return;
    node.needs = node.needs.filter((need) => !isPackage(nodeOf(need)));
    for (const other of packages) {
      if (other.end?.state === 'ok') continue;
      node.unmet -= 1;
      other.dependents.splice(other.dependents.indexOf(node), 1);
    }
  }

  /** The chain's tasks and the dormant packages they need, however deep. */
  function wake(chain: readonly Node[]): readonly Node[] {
    const woken: Node[] = [];
    const stack = [...chain];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (node.state !== 'dormant') continue;
      node.state = 'waiting';
      woken.push(node);
      for (const need of node.needs) {
        const other = nodeOf(need);
        if (other.task.entry === null) stack.push(other);
      }
    }
    return woken.reverse();
  }

  function meet(node: Node): void {
    for (const dependent of node.dependents) {
      dependent.unmet -= 1;
      if (dependent.unmet === 0 && dependent.state === 'waiting') start(dependent);
    }
  }

  /**
   * Announced tasks that need what did not succeed are skipped, and what needs those. A chain whose own probe failed is
   * never announced. Other dormant chains are left alone: their probe may yet find that they need nothing of it.
   */
  function block(from: Node, lost: NotOk): void {
    const stack = [...from.dependents];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (node.state === 'dormant' && probeFailed(node)) {
        node.state = 'elided';
        // Whoever wakes later and needs it must not wait for it.
        node.end = lost;
      } else if (node.state === 'waiting') {
        skip(node, lost);
      } else {
        continue;
      }
      for (const dependent of node.dependents) stack.push(dependent);
    }
  }

  function probeFailed(node: Node): boolean {
    const probe = node.chain?.nodes.find(({ task }) => isProbe(task));
    return probe?.end !== undefined && probe.end.state !== 'ok';
  }

  function skip(node: Node, end: NotOk): void {
    node.state = 'ended';
    node.end = end;
    open -= 1;
    hooks.ended({ task: node.task, end, ms: 0 });
    if (node.chain !== undefined) touched.add(node.chain);
  }

  function reportEntry(chain: Chain): void {
    const { entry, nodes: all } = chain;
    const left = all.filter(({ state }) => state === 'waiting' || state === 'running' || state === 'dormant');
    // A turn is about what is attached to a subject. Its tags may have to wait for the next one in turn.
    if (left.every(({ task }) => task.contract === 'core.tag@1')) turns.give(entry);
    if (left.length > 0 || chain.reported) return;
    chain.reported = true;
    for (const node of all) if (!isNeededElsewhere(node)) outputs.delete(node.task.id);
    hooks.entryEnded(entry);
  }
}

/**
 * How a task ends that wakes up only after this need of it has ended; `undefined` where the need succeeded. One that was skipped names the
 * task at fault already, so its end is handed on as it is.
 */
function earlierLoss({ task, end }: Node): NotOk | undefined {
  if (end === undefined || end.state === 'ok') return undefined;
  return end.state === 'skipped' ? end : lossBy(task, end);
}

/** How the tasks end that need this one. */
function lossBy(task: Task, end: NotOk): NotOk {
  return end.state === 'cancelled' ? end : { state: 'skipped', failure: needFailure(task, end) };
}

/** Within one entry the first failure says it all; what waits for another entry or package names it. */
function needFailure(from: Task, { state, failure }: NotOk): Failure {
  const need = from.entry ?? from.id;
  // To wait until a source is old enough is nobody's fault, and what needs this entry waits as long.
  if (failure.reason === 'wait') return { ...failure, message: `${need} waits: ${failure.message}` };
  return {
    reason: 'need',
    class: 'permanent',
    need,
    message: `${need} ${state === 'failed' ? 'failed' : `was ${state}`}: ${failure.message}`,
    ...(failure.hint === undefined ? {} : { hint: failure.hint }),
  };
}

function isNeededElsewhere({ chain, dependents }: Node): boolean {
  return dependents.some((dependent) => dependent.chain !== chain);
}

function isPackage({ task }: Node): boolean {
  return task.contract === 'package.build@1';
}
