/** How long foreign code is waited for. */

/** What {@link within} and {@link untilStopped} throw when the wait is over. */
export class Late extends Error {}

/** Settles as `answer` does, or throws {@link Late} after `ms` milliseconds. */
export async function within(answer: unknown, ms: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise((_, reject) => (timer = setTimeout(() => reject(new Late()), ms)));
  try {
    return await Promise.race([answer, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** Settles as `answer` does, or throws {@link Late} when it has not done so `stop` milliseconds after `signal` aborted. */
export async function untilStopped(answer: unknown, signal: AbortSignal, stop: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => {};
  const late = new Promise((_, reject) => {
    onAbort = () => (timer = setTimeout(() => reject(new Late()), stop));
    if (signal.aborted) {
      onAbort();
    } else {
      signal.addEventListener('abort', onAbort, { once: true });
    }
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** Aborted, and not because its own time was over. */
export function isCancelled(signal: AbortSignal): boolean {
  const reason: unknown = signal.reason;
  return signal.aborted && !(reason instanceof Error && reason.name === 'TimeoutError');
}
