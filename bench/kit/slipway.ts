/** Slipway as its package has it: compiled, without the checkout's conditions. */
import { join } from 'node:path';
import { run } from '../../demo/world/processes.ts';
import type { Command } from './measure.ts';

const root = join(import.meta.dirname, '..', '..');

/** Compiles all packages, unless `--built` says that they are as they should be. */
export async function buildSlipway(): Promise<void> {
  if (process.argv.includes('--built')) return;
  await run('sh', [join(root, 'tools', 'node.sh'), join(root, 'tools', 'build.ts')], { timeout: 300_000 });
}

/** What the package's launcher starts. */
export function slipway(cwd: string, ...args: readonly string[]): Command {
  // The figures are of a program that was started before, as those of the others: their pages are in memory, our code is compiled.
  const env = { NODE_OPTIONS: '', NODE_COMPILE_CACHE: '', NO_COLOR: '1', CI: 'true' };
  return { path: process.execPath, args: [join(root, 'cli', 'dist', 'main.js'), ...args], cwd, env };
}
