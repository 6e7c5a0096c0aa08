/** The command's process as it is in its package. This file is read at every start, and so it has little in it. */
import { isAbsolute, join } from 'node:path';

/** The first file of the bundle beside this one; its name changes with what any of them holds. Filled in when it is bundled. */
declare const START: string;

const [, , command = ''] = process.argv;
if (process.argv.length === 3 && command === '--version') {
  // Scripts ask this often, and need nothing else of us.
  void import('./version.ts').then(({ VERSION }) => process.stdout.write(`${VERSION}\n`));
} else {
  void import('./compiled.ts').then(({ openBundle }) => {
    const bundle = openBundle(import.meta.dirname, storeFor(command));
    const { start } = bundle.load(START) as { readonly start: () => Promise<void> };
    process.on('exit', (code) => {
      // What ends with 2 has hardly begun.
      if (code !== 2) bundle.keep();
    });
    return start();
  });
}

/** In a folder of the user's own, a file for each command: each calls other functions. */
function storeFor(name: string): string | undefined {
  const {
    NODE_DISABLE_COMPILE_CACHE: none,
    NODE_COMPILE_CACHE: chosen,
    XDG_CACHE_HOME: cache,
    HOME: home,
  } = process.env;
  if (none) return undefined;
  const folder = [
    chosen,
    cache && join(cache, 'slipway', 'compiled'),
    home && join(home, '.cache', 'slipway', 'compiled'),
  ];
  const usable = folder.find((path) => path !== undefined && isAbsolute(path));
  return usable && join(usable, START.replace(/\.cjs$/, ''), /^[a-z]{1,20}$/.test(name) ? name : 'other');
}
