/** Of what may start, what starts first. */
import { isProbe, type Node } from './nodes.ts';

/** One task comes before another; of equals that which was ready first. */
export type Precedence = (one: Node, other: Node) => boolean;

/** The longest way to the end of the plan comes first, so that the whole ends soonest. */
export const longestWay: Precedence = (one, other) => one.way > other.way;

/**
 * The same of entries, as a registry takes all of their tasks alike: what is begun is finished, and its tags are there should the
 * run be stopped. Probes go ahead: they say what there is to do.
 */
export const entryByEntry: Precedence = (one, other) => {
  if (isProbe(one.task) !== isProbe(other.task)) return isProbe(one.task);
  const [way, otherWay] = [wayOfEntry(one), wayOfEntry(other)];
  return way === otherWay ? one.way < other.way : way > otherWay;
};

function wayOfEntry({ chain, way }: Node): number {
  return chain?.nodes[0]?.way ?? way;
}
