/** The one place that touches `process`: streams, environment, signals, and its end, since plugins run in it too. */
import type { Io } from './io.ts';

/** Milliseconds after the first signal by which the process ends whatever it was doing: children had their time. */
const LAST_MOMENT = 1_900;

/** Milliseconds that the process may live on after its command: what is our own is closed by then. */
const LEFT_OPEN = 2_000;

/** Whether its end, should it come now, is by our own word. */
let ending = false;

function leave(code: number): never {
  ending = true;
  process.exit(code);
}

/** What is to be written to stderr, in one go: a run in which nothing is to be done has a line an image, many at the same moment. */
let unwritten = '';

function flush(): void {
  const text = unwritten;
  unwritten = '';
  if (text !== '') process.stderr.write(text);
}

export function processIo(): Io {
  process.on('exit', () => {
    flush();
    if (!ending) sayExit();
  });
  const interrupt = new AbortController();
  // Tools have process groups of their own: a terminal that closes (SIGHUP) does not end them, so we must.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // Started by nohup, as `bin/slipway` found out: without a handler Node.js ends all the same.
      if (signal === 'SIGHUP' && process.env['SLIPWAY_SIGHUP'] === 'ignored') return;
      if (interrupt.signal.aborted) leave(130);
      interrupt.abort();
      setTimeout(() => leave(130), LAST_MOMENT).unref();
    });
  }
  // Thrown where nobody waits for it, as by a plugin's timer: what is under way is ended as by a signal.
  process.on('uncaughtException', (error) => {
    sayBug(error, placeOf(error));
    process.on('exit', () => (process.exitCode = 1));
    if (interrupt.signal.aborted) leave(1);
    interrupt.abort();
    setTimeout(() => leave(1), LAST_MOMENT).unref();
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
  // A plugin's `console.log` must not come between the lines of an answer.
  const answer = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  return {
    cwd: process.cwd(),
    env: process.env,
    stdout: (text) => {
      // A terminal shows both.
      flush();
      answer(text);
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

/** To be called when the command has ended: the process ends by itself, unless a plugin left something open, and with the code that is set. */
export function endProcess(): void {
  ending = true;
  const { exitCode } = process;
  // A plugin may still call `process.exit`: keep our code. First of the listeners, so that those of ours can still change it.
  process.prependListener('exit', () => (process.exitCode = exitCode));
  setInterval(() => {
    // Output is still waiting for a slow reader.
    if (process.stdout.writableLength + process.stderr.writableLength > 0) return;
    flush();
    process.stderr.write(
      'slipway: ended, though a plugin left something open, as a timer or a server, that would keep it for ever\n',
    );
    process.exit();
  }, LEFT_OPEN).unref();
}

/** Whoever waits for us would take 0 for a run that went well. */
function sayExit(): void {
  process.exitCode = 1;
  const place = placeOf(new Error(), 'process.exit') ?? placeOf(new Error(), 'process.reallyExit');
  const where = place === undefined ? '' : ` at ${place}`;
  process.stderr.write(
    `slipway: process.exit was called${where} before the command had ended\nreport it to the author of the plugin\n`,
  );
}

/** File, line and column of the first line of its trace that is not of Node itself; `after`: below the line that names this. */
function placeOf(error: unknown, after?: string): string | undefined {
  const lines = (error instanceof Error ? (error.stack ?? '') : '').split('\n');
  const from = after === undefined ? 0 : lines.findIndex((line) => line.includes(after)) + 1;
  return lines.slice(from).flatMap((line) => /(?:\(|at |file:\/\/)(\/.*:[0-9]+:[0-9]+)\)?$/.exec(line)?.[1] ?? [])[0];
}

/** The reader gets a sentence; whoever reports it can ask for the trace. `place`: where, if it may be a plugin's. */
export function sayBug(error: unknown, place?: string): void {
  const said = `${error instanceof Error ? error.message : String(error)}${place === undefined ? '' : ` (${place})`}`;
  const detail =
    process.env['SLIPWAY_DEBUG'] === undefined ? said : String(error instanceof Error ? error.stack : said);
  flush();
  process.stderr.write(
    `slipway: this is a bug: ${detail}\nset SLIPWAY_DEBUG=1 and run it again for the details to report\n`,
  );
}
