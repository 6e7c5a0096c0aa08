/** The command's process: reads the world once, runs the program, sets the exit code. */
import { enableCompileCache } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { VERSION } from './version.ts';

if (process.argv.length === 3 && process.argv[2] === '--version') {
  // Scripts ask this often, and need nothing else of us.
  process.stdout.write(`${VERSION}\n`);
} else {
  rememberCompiled();
  await main();
}

async function main(): Promise<void> {
  const { processIo } = await import('./process-io.ts');
  const io = processIo();
  try {
    const { runProgram } = await import('./program.ts');
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

/** Code that was compiled once is not compiled at every start. In a folder of the user's own: what lies there is run. */
function rememberCompiled(): void {
  const { NODE_COMPILE_CACHE: chosen, XDG_CACHE_HOME: cache, HOME: home } = process.env;
  if (chosen) return;
  const folder = [cache, home && join(home, '.cache')].find((path) => path !== undefined && isAbsolute(path));
  if (folder !== undefined) enableCompileCache(join(folder, 'slipway', 'compiled'));
}
