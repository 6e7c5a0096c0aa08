/** Work that is under way is not begun a second time: callers that ask for the same name meanwhile get the same answer. */
export interface Flights<T> {
  /** `joined`: the work was under way already. An answer may hold something that only one caller may use. */
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
