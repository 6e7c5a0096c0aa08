/** A binary heap: the first of what it holds at a cost that grows with the logarithm of how much that is. */
export interface Heap<T> {
  add(item: T): void;
  /** The item that comes before all others; of equals that which was added first. Undefined: there is none. */
  take(): T | undefined;
}

interface Held<T> {
  readonly item: T;
  readonly order: number;
}

export function createHeap<T>(comesBefore: (one: T, other: T) => boolean): Heap<T> {
  const held: Held<T>[] = [];
  let added = 0;

  const isFirst = (one: Held<T>, other: Held<T>): boolean =>
    comesBefore(one.item, other.item) || (one.order < other.order && !comesBefore(other.item, one.item));

  function at(index: number): Held<T> {
    const found = held[index];
    if (found === undefined) throw new RangeError(`a heap of ${held.length} has no place ${index}`);
    return found;
  }

  function rise(item: Held<T>, from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isFirst(item, at(parent))) break;
      held[index] = at(parent);
      index = parent;
    }
    held[index] = item;
  }

  function sink(item: Held<T>): void {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= held.length) break;
      const child = left + 1 < held.length && isFirst(at(left + 1), at(left)) ? left + 1 : left;
      if (!isFirst(at(child), item)) break;
      held[index] = at(child);
      index = child;
    }
    held[index] = item;
  }

  return {
    add(item) {
      rise({ item, order: (added += 1) }, held.length);
    },
    take() {
      const first = held[0];
      const last = held.pop();
      if (last !== undefined && held.length > 0) sink(last);
      return first?.item;
    },
  };
}
