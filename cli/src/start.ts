/** Reads the world once, runs the program, sets the exit code. */
import { processIo } from './process-io.ts';
import { runProgram } from './program.ts';

export async function start(): Promise<void> {
  const io = processIo();
  try {
    process.exitCode = await runProgram(io, process.argv.slice(2));
  } catch (error) {
    // Only a bug comes here. The reader gets a sentence; whoever reports it can ask for the trace.
    const detail =
      io.env['SLIPWAY_DEBUG'] === undefined
        ? error instanceof Error
          ? error.message
          : String(error)
        : String(error instanceof Error ? error.stack : error);
    io.stderr(`slipway: this is a bug: ${detail}\nset SLIPWAY_DEBUG=1 and run it again for the details to report\n`);
    process.exitCode = 1;
  }
}
