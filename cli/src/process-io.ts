/** The one place that touches `process`: streams, environment, signals. */
import type { Io } from './io.ts';

/** Milliseconds after the first signal by which the process ends whatever it was doing: children had their time. */
const LAST_MOMENT = 1_900;

export function processIo(): Io {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (interrupt.signal.aborted) process.exit(130);
      interrupt.abort();
      setTimeout(() => process.exit(130), LAST_MOMENT).unref();
    });
  }
  for (const stream of [process.stdout, process.stderr]) {
    // A reader that went away, as `slipway plan | head`, is no failure of ours.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    });
  }
  return {
    cwd: process.cwd(),
    env: process.env,
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    terminal: process.stderr.isTTY === true && process.env['TERM'] !== 'dumb' && !process.env['CI'],
    columns: () => process.stderr.columns ?? 80,
    interrupt: interrupt.signal,
  };
}

