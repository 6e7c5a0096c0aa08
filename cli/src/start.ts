/** Reads the world once, runs the program, sets the exit code. */
import { processIo, sayBug } from './process-io.ts';
import { runProgram } from './program.ts';

export async function start(): Promise<void> {
  const io = processIo();
  try {
    process.exitCode = await runProgram(io, process.argv.slice(2));
  } catch (error) {
    sayBug(error);
    process.exitCode = 1;
  }
}
