/**
 * The command as it is in its package, a bundle, for all real tests: that is what people run, and it starts in a third of the time
 * that its sources take. A package's launcher takes the machine's Node; this one takes the pinned one.
 */
import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleProgram } from '../tools/bundle.ts';

const root = join(import.meta.dirname, '..');

/** Makes it in a folder that is not there yet; the path of its launcher. */
export async function bundleCommand(folder: string): Promise<string> {
  const launcher = join(folder, 'bin', 'slipway');
  await mkdir(join(folder, 'bin'), { recursive: true });
  // As an installed package finds the others.
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await bundleProgram(join(root, 'cli', 'src', 'start.ts'), join(folder, 'dist'));
  for (const name of ['package.json', 'schemas', 'template']) {
    await cp(join(root, 'cli', name), join(folder, name), { recursive: true });
  }
  await writeFile(launcher, withPinnedNode(await readFile(join(root, 'cli', 'bin', 'slipway'), 'utf8'), folder));
  await chmod(launcher, 0o755);
  return launcher;
}

/** Plugins of this checkout are loaded from their sources. */
function withPinnedNode(launcher: string, folder: string): string {
  const packaged = 'exec node $young ';
  if (!launcher.includes(packaged)) throw new Error('the launcher does not start Node as it did');
  const options = '--conditions=slipway-source --disable-warning=ExperimentalWarning';
  const cache = `export NODE_COMPILE_CACHE="\${NODE_COMPILE_CACHE:-${join(folder, 'compiled')}}"`;
  return launcher.replace(packaged, `${cache}\n  exec "${process.execPath}" $young ${options} `);
}
