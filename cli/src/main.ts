/** The command's process. This file is read at every start, and so it has little in it. */
import { enableCompileCache } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { VERSION } from './version.ts';

if (process.argv.length === 3 && process.argv[2] === '--version') {
  // Scripts ask this often, and need nothing else of us.
  process.stdout.write(`${VERSION}\n`);
} else {
  rememberCompiled();
  const { start } = await import('./start.ts');
  await start();
}

/** Code that was compiled once is not compiled at every start. In a folder of the user's own: what lies there is run. */
function rememberCompiled(): void {
  const { NODE_COMPILE_CACHE: chosen, XDG_CACHE_HOME: cache, HOME: home } = process.env;
  if (chosen) return;
  const folder = [cache, home && join(home, '.cache')].find((path) => path !== undefined && isAbsolute(path));
  if (folder !== undefined) enableCompileCache(join(folder, 'slipway', 'compiled'));
}
