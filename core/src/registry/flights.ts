/** Work under one name that is under way is not begun a second time: whoever asks meanwhile gets the same answer. */
export interface Flights<T> {
  /** Who joins is told so by `joined`, since an answer may hold what only one of them may use. */
  fly(name: string, work: () => Promise<T>): { readonly answer: Promise<T>; readonly joined: boolean };
}

export function createFlights<T>(): Flights<T> {
  const running = new Map<string, Promise<T>>();
  return {
    fly(name, work) {
      const under = running.get(name);
      if (under !== undefined) return { answer: under, joined: true };
      const answer = work().finally(() => running.delete(name));
      running.set(name, answer);
      return { answer, joined: false };
    },
  };
}
