/** Of what may start, what starts first. */
import { isProbe, type Node } from './nodes.ts';

/** Whether one task starts before another. Of equals, the one that was ready first does. */
export type Precedence = (one: Node, other: Node) => boolean;

/** The longest way to the end of the plan comes first, so that the whole ends soonest. */
export const longestWay: Precedence = (one, other) => one.way > other.way;

/**
 * For the queue of a registry: the entry with the longest way comes first, with all of its tasks. So entries that were begun are finished
 * before others begin, and their tags are there if the run is stopped. Probes go ahead of all: they say what there is to do.
 */
export const entryByEntry: Precedence = (one, other) => {
  if (isProbe(one.task) !== isProbe(other.task)) return isProbe(one.task);
  const [way, otherWay] = [wayOfEntry(one), wayOfEntry(other)];
  return way === otherWay ? one.way < other.way : way > otherWay;
};

function wayOfEntry({ chain, way }: Node): number {
  return chain?.nodes[0]?.way ?? way;
}
