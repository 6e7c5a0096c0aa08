/** The command's own package: where it lies, which version it is, and which Node.js it runs on. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Above `src/` in the checkout, above `dist/` in the package. */
export const packageFolder = join(import.meta.dirname, '..');

const manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
  readonly version: string;
  readonly engines: { readonly node: string };
};

export const VERSION: string = manifest.version;
export const NODE_RANGE: string = manifest.engines.node;
