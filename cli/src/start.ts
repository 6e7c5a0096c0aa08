/** Reads the world once, runs the program, sets the exit code. What ends without having set one has failed. */
import { endProcess, processIo, sayBug } from './process-io.ts';
import { runProgram } from './program.ts';

export async function start(): Promise<void> {
  const io = processIo();
  process.exitCode = 1;
  const { promise: starved, reject } = Promise.withResolvers<never>();
  const starve = (): void => reject(new Error('nothing is left to wait for, and the command has not ended'));
  process.once('beforeExit', starve);
  try {
    process.exitCode = await runProgram(io, process.argv.slice(2), starved);
  } catch (error) {
    sayBug(error);
    process.exitCode = 1;
  } finally {
    process.off('beforeExit', starve);
    endProcess();
  }
}
