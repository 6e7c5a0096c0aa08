/** Which task starts first: the one with the heaviest way from it to the end, so that the whole ends soonest. */

export interface Way<N extends Way<N>> {
  readonly dependents: readonly N[];
  /** Weight of the heaviest way from it to one that nothing needs, its own included; NaN until that is known. */
  way: number;
}

/**
 * Finds all ways. Throws on a cycle. Without a map of its own, and in one pass where dependents come after what they need, as
 * they mostly do: every run asks for it, also one in which nothing is to be done.
 */
export function findWays<N extends Way<N>>(nodes: readonly N[], weight: (node: N) => number): void {
  for (let index = nodes.length - 1; index >= 0; index -= 1) {
    const node = nodes[index];
    if (node !== undefined && Number.isNaN(node.way)) measure(node, weight);
  }
}

/** The node is on the path that is being followed. */
const FOLLOWED = Number.NEGATIVE_INFINITY;

/** Depth first, and without recursion: ways can be long. */
function measure<N extends Way<N>>(from: N, weight: (node: N) => number): void {
  const path = [{ node: from, next: 0, longest: 0 }];
  from.way = FOLLOWED;
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const { node } = top;
    const dependent = node.dependents[top.next];
    if (dependent === undefined) {
      node.way = top.longest + weight(node);
      path.pop();
    } else if (dependent.way >= 0) {
      top.longest = Math.max(top.longest, dependent.way);
      top.next += 1;
    } else {
      if (dependent.way === FOLLOWED) throw new Error('the tasks form a cycle');
      dependent.way = FOLLOWED;
      path.push({ node: dependent, next: 0, longest: 0 });
    }
  }
}
