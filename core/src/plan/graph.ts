/**
 * The plan's graph: an edge goes from a task to one that needs it. All edges are added first and judged in one pass each;
 * graphology-dag's `willCreateCycle` is not used, because it visits every path and image-on-image plans are ladders of
 * diamonds. Nothing here recurses, so the depth of a plan is bounded by memory only.
 */
import { DirectedGraph } from 'graphology';
import type { Plan } from './model.ts';

/** Builds a graph from nodes and what each needs. A need that is no node is a bug of the caller's, and throws. */
export function needsGraph(nodes: Iterable<string>, needsOf: (node: string) => Iterable<string>): DirectedGraph {
  const graph = new DirectedGraph();
  const all = [...nodes];
  for (const node of all) graph.addNode(node);
  let edge = 0;
  for (const node of all) {
    // Own edge keys: the library's generated ones take half of the time that building takes.
    for (const need of needsOf(node)) graph.addDirectedEdgeWithKey(String(edge++), need, node);
  }
  return graph;
}

/** The tasks of a plan; node keys are task ids, in the plan's order. */
export function planGraph(plan: Plan): DirectedGraph {
  const needs = new Map(plan.tasks.map((task) => [task.id, task.needs]));
  return needsGraph(needs.keys(), (id) => needs.get(id) ?? []);
}

/** A node on the path of a depth-first search. */
interface Visit {
  readonly node: string;
  readonly needs: readonly string[];
  next: number;
  /** Place of the deepest node up to this one that is in a cycle already told; -1 without one. */
  told: number;
}

/** The first cycle found as `[a, b]` for `a needs b needs a`; `undefined` when there is none. */
export function findCycle(graph: DirectedGraph): readonly string[] | undefined {
  return findCycles(graph)[0];
}

/**
 * Cycles that share no node, so that independent mistakes are told at once: at least one when the graph has any. Each
 * begins with its node that was added first. Depth-first search with three colours; linear in nodes and edges.
 */
export function findCycles(graph: DirectedGraph): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  /** A node's place on the path while it is on it, -1 once it is done. */
  const place = new Map<string, number>();
  for (const root of graph.nodes()) {
    if (place.has(root)) continue;
    const path: Visit[] = [];
    const enter = (node: string): void => {
      place.set(node, path.length);
      path.push({ node, needs: graph.inNeighbors(node), next: 0, told: path.at(-1)?.told ?? -1 });
    };
    enter(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const need = top.needs[top.next++];
      if (need === undefined) {
        place.set(top.node, -1);
        path.pop();
        continue;
      }
      const at = place.get(need);
      if (at === undefined) enter(need);
      else if (at >= 0 && top.told < at) {
        const members = path.slice(at);
        members.forEach((step, index) => {
          step.told = at + index;
        });
        cycles.push(members.map((step) => step.node));
      }
    }
  }
  if (cycles.length === 0) return cycles;
  const rank = new Map(graph.nodes().map((node, index) => [node, index]));
  return cycles.map((cycle) => rotated(cycle, rank));
}

function rotated(cycle: readonly string[], rank: ReadonlyMap<string, number>): readonly string[] {
  let first = 0;
  cycle.forEach((node, index) => {
    if ((rank.get(node) ?? 0) < (rank.get(cycle[first] ?? node) ?? 0)) first = index;
  });
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}

/**
 * Every node after what it needs, and otherwise in the order in which nodes were added: the same graph always gives the
 * same order. Throws on a cycle, which {@link findCycle} is asked for first.
 */
export function topologicalOrder(graph: DirectedGraph): readonly string[] {
  const ordered: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  for (const root of graph.nodes()) {
    if (state.has(root)) continue;
    const path = [{ node: root, needs: graph.inNeighbors(root), next: 0 }];
    state.set(root, 'open');
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const need = top.needs[top.next++];
      if (need === undefined) {
        state.set(top.node, 'done');
        ordered.push(top.node);
        path.pop();
      } else if (!state.has(need)) {
        state.set(need, 'open');
        path.push({ node: need, needs: graph.inNeighbors(need), next: 0 });
      } else if (state.get(need) === 'open') {
        throw new Error(`the graph has a cycle through ${need}`);
      }
    }
  }
  return ordered;
}

/** The plan's task ids in {@link topologicalOrder}. */
export function order(plan: Plan): readonly string[] {
  return topologicalOrder(planGraph(plan));
}

/** Everything that `from` needs, or that needs it, directly or not; `from` included. Cycles do no harm. */
export function reachable(
  graph: DirectedGraph,
  from: Iterable<string>,
  direction: 'needs' | 'dependents',
): ReadonlySet<string> {
  const seen = new Set(from);
  // A set being walked also yields what is added on the way.
  for (const node of seen) {
    for (const next of direction === 'needs' ? graph.inNeighbors(node) : graph.outNeighbors(node)) seen.add(next);
  }
  return seen;
}
