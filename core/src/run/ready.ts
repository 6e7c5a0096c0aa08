/** What may start, by resource: so many at once as each allows. */
import { createHeap, type Heap } from './heap.ts';

export interface Ready<N> {
  /** Queues the node. A resource keeps the rules with which it was first named. */
  add(node: N, resource: ResourceRules<N>): void;
}

export interface ResourceRules<N> {
  readonly name: string;
  /** How many work there at once. */
  readonly limit: number;
  /** Whether `one` starts before `other`. */
  readonly comesBefore: (one: N, other: N) => boolean;
}

interface Resource<N> {
  readonly limit: number;
  readonly waiting: Heap<N>;
  busy: number;
  /** `begin` is scheduled already. */
  looking: boolean;
}

/** `work` throws for bugs alone; then nothing more is begun. */
export function createReady<N>(work: (node: N) => Promise<void>, onBug: (error: unknown) => void): Ready<N> {
  const resources = new Map<string, Resource<N>>();

  function begin(resource: Resource<N>): void {
    resource.looking = false;
    while (resource.busy < resource.limit) {
      const node = resource.waiting.take();
      if (node === undefined) return;
      resource.busy += 1;
      work(node).then(() => {
        resource.busy -= 1;
        begin(resource);
      }, onBug);
    }
  }

  return {
    add(node, { name, limit, comesBefore }) {
      let resource = resources.get(name);
      if (resource === undefined) {
        resource = { limit, waiting: createHeap(comesBefore), busy: 0, looking: false };
        resources.set(name, resource);
      }
      resource.waiting.add(node);
      if (resource.looking || resource.busy >= limit) return;
      resource.looking = true;
      // All that become ready together are there before the first of them is chosen.
      const chosen = resource;
      queueMicrotask(() => begin(chosen));
    },
  };
}
