/** The one place that touches `process`: streams, environment, signals. */
import type { Io } from './io.ts';

/** Milliseconds after the first signal by which the process ends whatever it was doing: children had their time. */
const LAST_MOMENT = 1_900;

/** What is to be written to stderr, in one go: a run in which nothing is to be done has a line an image, many at the same moment. */
let unwritten = '';

function flush(): void {
  const text = unwritten;
  unwritten = '';
  if (text !== '') process.stderr.write(text);
}

export function processIo(): Io {
  process.on('exit', flush);
  const interrupt = new AbortController();
  // Tools have process groups of their own: a terminal that closes (SIGHUP) does not end them, so we must.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // Started by nohup, as `bin/slipway` found out: without a handler Node.js ends all the same.
      if (signal === 'SIGHUP' && process.env['SLIPWAY_SIGHUP'] === 'ignored') return;
      if (interrupt.signal.aborted) process.exit(130);
      interrupt.abort();
      setTimeout(() => process.exit(130), LAST_MOMENT).unref();
    });
  }
  // Thrown where nobody waits for it, as by a plugin's timer: what is under way is ended as by a signal.
  process.on('uncaughtException', (error) => {
    sayBug(error);
    process.on('exit', () => (process.exitCode = 1));
    if (interrupt.signal.aborted) process.exit(1);
    interrupt.abort();
    setTimeout(() => process.exit(1), LAST_MOMENT).unref();
  });
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that went away, as `slipway plan | head`, is no failure of ours; and a run that is piped to it goes on.
    if (error.code === 'EPIPE') return;
    flush();
    process.stderr.write(`slipway: the result could not be written: ${error.code ?? error.message}\n`);
    process.on('exit', (code) => {
      if (code === 0) process.exitCode = 1;
    });
  });
  return {
    cwd: process.cwd(),
    env: process.env,
    stdout: (text) => {
      // A terminal shows both.
      flush();
      process.stdout.write(text);
    },
    stderr: (text) => {
      if (unwritten === '') setImmediate(flush);
      unwritten += text;
    },
    terminal: process.stderr.isTTY === true && process.env['TERM'] !== 'dumb' && !process.env['CI'],
    color: process.stdout.isTTY === true && process.stdout.hasColors() && !process.env['NO_COLOR'],
    // 0 stands for a terminal that does not know.
    columns: () => process.stderr.columns || 80,
    rows: () => process.stderr.rows || 24,
    interrupt: interrupt.signal,
  };
}

/** The reader gets a sentence; whoever reports it can ask for the trace. */
export function sayBug(error: unknown): void {
  const said = error instanceof Error ? error.message : String(error);
  const detail =
    process.env['SLIPWAY_DEBUG'] === undefined ? said : String(error instanceof Error ? error.stack : said);
  flush();
  process.stderr.write(
    `slipway: this is a bug: ${detail}\nset SLIPWAY_DEBUG=1 and run it again for the details to report\n`,
  );
}
