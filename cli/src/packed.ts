/** The command's process as it is in its package. This file is read at every start, and so it has little in it. */
import { isAbsolute, join } from 'node:path';

/** The first file of the bundle beside this one; its name changes with what any of them holds. Filled in when it is bundled. */
declare const START: string;

/** The oldest major version that `engines` in package.json has. */
const OLDEST = 22;

const [, , command = ''] = process.argv;
if (process.argv.length === 3 && command === '--version') {
  // Scripts ask this often, and need nothing else of us.
  void import('./version.ts').then(({ VERSION }) => process.stdout.write(`${VERSION}\n`));
} else if (Number.parseInt(process.versions.node, 10) < OLDEST) {
  // Nothing else may be read: it would end in a sentence about what this Node lacks. npm only warns.
  void import('./version.ts').then(({ NODE_RANGE }) => {
    process.stderr.write(
      `tool: Node.js ${process.versions.node} is too old: slipway needs ${NODE_RANGE}\n  put a newer one first on PATH\n`,
    );
    // As for any tool that is missing.
    process.exitCode = 5;
  });
} else {
  void import('./compiled.ts').then(({ openBundle }) => {
    const bundle = openBundle(import.meta.dirname, storeFor(command));
    const { start } = bundle.load(START) as { readonly start: () => Promise<void> };
    process.on('exit', (code) => {
      // A wrong command line ends with 2 before much was compiled: not worth keeping.
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
