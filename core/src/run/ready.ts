/** What may start, by resource: so many at once as each allows, first that with the longest way, of equals that which came first. */
import { createHeap, type Heap } from './heap.ts';

export interface Ready<N> {
  /** `limit` counts the first time that a resource is named. */
  add(node: N, resource: { readonly name: string; readonly limit: number }): void;
}

interface Resource<N> {
  readonly limit: number;
  readonly waiting: Heap<N>;
  busy: number;
  /** Somebody will look at what waits. */
  looking: boolean;
}

/** `work` throws for bugs alone; then nothing more is begun. */
export function createReady<N extends { readonly way: number }>(
  work: (node: N) => Promise<void>,
  onBug: (error: unknown) => void,
): Ready<N> {
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
    add(node, { name, limit }) {
      let resource = resources.get(name);
      if (resource === undefined) {
        resource = { limit, waiting: createHeap((one, other) => one.way > other.way), busy: 0, looking: false };
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
