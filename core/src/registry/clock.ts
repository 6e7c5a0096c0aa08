/** Time, as far as waiting for registries goes: tests have none to lose. */

export interface Clock {
  /** Milliseconds since some moment; it never goes back, whatever is done to the clock on the wall. */
  now(): number;
  /** Resolves after that many milliseconds, or earlier when the signal is aborted. */
  sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void>;
  /** From 0 to 1. */
  random(): number;
}

export const realClock: Clock = {
  now: () => performance.now(),
  random: () => Math.random(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      signal?.addEventListener('abort', end, { once: true });
      if (signal?.aborted === true) end();
    }),
};
