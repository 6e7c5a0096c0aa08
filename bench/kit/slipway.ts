/** Slipway as its package has it: compiled, without the checkout's conditions, begun by the package's own launcher. */
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, rm, symlink } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { run } from '../../demo/world/processes.ts';
import type { Command } from './measure.ts';

const root = join(import.meta.dirname, '..', '..');
/** As an installed package lies: without the sources, which the launcher would prefer. */
const packed = join(root, 'node_modules', '.cache', 'slipway-bench');

const launcher = join(root, 'cli', 'bin', 'slipway');

/** What the launcher tells Node, for programs of a benchmark that are begun without it. */
export function launcherFlags(): readonly string[] {
  const [, flags] = /^young="(--.+)"$/m.exec(readFileSync(launcher, 'utf8')) ?? [];
  if (flags === undefined) throw new Error(`${launcher} does not say what it tells Node`);
  return flags.split(' ');
}

/** Compiles all packages, unless `--built` says that they are as they should be. */
export async function buildSlipway(): Promise<void> {
  if (!process.argv.includes('--built')) {
    await run('sh', [join(root, 'tools', 'node.sh'), join(root, 'tools', 'build.ts')], { timeout: 300_000 });
  }
  await rm(packed, { recursive: true, force: true });
  await mkdir(join(packed, 'bin'), { recursive: true });
  await copyFile(launcher, join(packed, 'bin', 'slipway'));
  await symlink(join(root, 'cli', 'dist'), join(packed, 'dist'));
}

/** After {@link buildSlipway}. */
export function slipway(cwd: string, ...args: readonly string[]): Command {
  // The Node of the checkout is the first that the launcher finds. The figures are of a program that was started before, as those of
  // the others: their pages are in memory, our code is compiled.
  const PATH = [dirname(process.execPath), process.env['PATH']].join(delimiter);
  const env = { PATH, NODE_OPTIONS: '', NODE_COMPILE_CACHE: '', NO_COLOR: '1', CI: 'true' };
  return { path: join(packed, 'bin', 'slipway'), args, cwd, env };
}
