/** A limit on what is in memory at once: work that finds too little room waits for earlier work to end, first come, first served. */
import { createQueue } from './queue.ts';

export interface Room {
  /** Does `work` once there is room for `weight`. What is larger than the room takes all of it. */
  within<T>(weight: number, work: () => Promise<T>): Promise<T>;
}

export function createRoom(size: number): Room {
  let left = size;
  const waiting = createQueue<{ readonly weight: number; readonly enter: () => void }>();

  function admit(): void {
    for (let next = waiting.peek(); next !== undefined && next.weight <= left; next = waiting.peek()) {
      waiting.shift();
      left -= next.weight;
      next.enter();
    }
  }

  return {
    async within(wanted, work) {
      const weight = Math.min(wanted, size);
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ weight, enter: resolve });
      admit();
      await promise;
      try {
        return await work();
      } finally {
        left += weight;
        admit();
      }
    },
  };
}
