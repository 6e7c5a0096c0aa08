/** What the loop keeps of each task. There may be hundreds of thousands, most of which never run, so it is kept small. */
import type { Task } from '../plan/model.ts';
import type { NotOk } from './loop.ts';

type State = 'dormant' | 'waiting' | 'running' | 'ended' | 'elided';

/** An entry's tasks. */
export interface Chain {
  readonly entry: string;
  nodes: Node[];
  reported: boolean;
}

export interface Node {
  readonly task: Task;
  /** Undefined: a task that several entries may share. */
  readonly chain: Chain | undefined;
  dependents: Node[];
  /** What it still waits for, or waited for: the task's needs, unless it does without some. */
  needs: readonly string[];
  /** How many of its needs are not met yet. */
  unmet: number;
  state: State;
  /** Of a task that has ended; of an elided one, how its probe ended if that failed. */
  end: { readonly state: 'ok' } | NotOk | undefined;
  /** Weight of the heaviest way from here to the end of the plan, see `critical-path.ts`. */
  way: number;
}

/** Task's id → node, in the plan's order. */
export function createNodes(tasks: readonly Task[]): ReadonlyMap<string, Node> {
  const nodes = new Map<string, Node>();
  const chains = new Map<string, Chain>();
  for (const task of tasks) {
    const { id, entry, needs } = task;
    const chain = entry === null ? undefined : chainOf(entry, chains);
    const state = isProbe(task) ? 'waiting' : 'dormant';
    const of = { task, chain, needs, unmet: needs.length };
    const node: Node = { ...of, dependents: NONE, state, end: undefined, way: Number.NaN };
    nodes.set(id, node);
    if (chain !== undefined) chain.nodes = withOneMore(chain.nodes, node);
  }
  for (const node of nodes.values()) {
    for (const id of node.needs) {
      const need = found(nodes, id);
      need.dependents = withOneMore(need.dependents, node);
    }
  }
  return nodes;
}

function chainOf(entry: string, chains: Map<string, Chain>): Chain {
  let chain = chains.get(entry);
  if (chain === undefined) {
    chain = { entry, nodes: NONE, reported: false };
    chains.set(entry, chain);
  }
  return chain;
}

export function found(nodes: ReadonlyMap<string, Node>, id: string): Node {
  const node = nodes.get(id);
  if (node === undefined) throw new Error(`the plan names a task that it does not hold: ${id}`);
  return node;
}

export function isProbe(task: Task): boolean {
  return task.contract === 'core.probe@1';
}

/** Never pushed to. */
const NONE: Node[] = [];
/** Up to this length an array is copied. */
const FEW = 16;

/**
 * `push` leaves room in an array for about sixteen more items. Most arrays here hold two or three, and there are hundreds of thousands of
 * them: the empty places would be most of the memory, so short arrays are copied instead.
 */
function withOneMore(nodes: Node[], node: Node): Node[] {
  if (nodes.length < FEW) return nodes.concat(node);
  nodes.push(node);
  return nodes;
}
