/** The one place that touches `process`: streams, environment, signals. */
import type { Io } from './io.ts';

/** Milliseconds after the first signal by which the process ends whatever it was doing: children had their time. */
const LAST_MOMENT = 1_900;

export function processIo(): Io {
  const interrupt = new AbortController();
  // Tools have process groups of their own: a terminal that closes (SIGHUP) does not end them, so we must.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (interrupt.signal.aborted) process.exit(130);
      interrupt.abort();
      setTimeout(() => process.exit(130), LAST_MOMENT).unref();
    });
  }
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that went away, as `slipway plan | head`, is no failure of ours; and a run that is piped to it goes on.
    if (error.code === 'EPIPE') return;
    process.stderr.write(`slipway: the result could not be written: ${error.code ?? error.message}\n`);
    process.on('exit', (code) => {
      if (code === 0) process.exitCode = 1;
    });
  });
  return {
    cwd: process.cwd(),
    env: process.env,
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    terminal: process.stderr.isTTY === true && process.env['TERM'] !== 'dumb' && !process.env['CI'],
    color: process.stdout.isTTY === true && process.stdout.hasColors() && !process.env['NO_COLOR'],
    // 0 stands for a terminal that does not know.
    columns: () => process.stderr.columns || 80,
    rows: () => process.stderr.rows || 24,
    interrupt: interrupt.signal,
  };
}
