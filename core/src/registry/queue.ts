/** First in, first out, at the same cost however long it is: a shift of an array moves all the others. */
export interface Queue<T> {
  push(item: T): void;
  /** The first, which stays; undefined when there is none. */
  peek(): T | undefined;
  shift(): T | undefined;
}

export function createQueue<T extends object>(): Queue<T> {
  let items: T[] = [];
  let first = 0;
  return {
    push: (item) => void items.push(item),
    peek: () => items[first],
    shift() {
      const item = items[first];
      if (item === undefined) return undefined;
      first += 1;
      // What was served is forgotten now and then.
      if (first > 64 && first * 2 > items.length) {
        items = items.slice(first);
        first = 0;
      }
      return item;
    },
  };
}
