/** Until when a command may take. */
import type { Io } from './io.ts';
import type { Options } from './options.ts';

/** Aborted by the user's signal, and by `--timeout`. */
export function deadline(io: Io, { timeout }: Pick<Options, 'timeout'>): AbortSignal {
  return timeout === undefined ? io.interrupt : AbortSignal.any([io.interrupt, AbortSignal.timeout(timeout)]);
}
