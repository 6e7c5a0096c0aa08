/**
 * The command as it is in its package, a bundle, for all real tests: that is what people run, and it starts in a third of the time
 * that its sources take. A package's launcher takes the machine's Node; this one takes the pinned one.
 */
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleProgram } from '../tools/bundle.ts';

const root = join(import.meta.dirname, '..');
/** Below the packages, which it finds from there, as an installed one does. */
const place = join(root, 'node_modules', '.cache', 'slipway');

export interface Bundled extends AsyncDisposable {
  /** Its launcher. */
  readonly path: string;
}

export async function bundleCommand(): Promise<Bundled> {
  await mkdir(place, { recursive: true });
  const folder = await mkdtemp(join(place, 'test-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await bundleProgram(join(root, 'cli', 'src', 'start.ts'), join(folder, 'dist'));
  for (const name of ['package.json', 'schemas', 'template']) {
    await cp(join(root, 'cli', name), join(folder, name), { recursive: true });
  }
  const path = join(folder, 'bin', 'slipway');
  await mkdir(join(folder, 'bin'));
  await writeFile(path, withPinnedNode(await readFile(join(root, 'cli', 'bin', 'slipway'), 'utf8'), folder));
  await chmod(path, 0o755);
  const kept = stack.move();
  return { path, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Plugins of this checkout are loaded from their sources. */
function withPinnedNode(launcher: string, folder: string): string {
  const packaged = 'exec node $young ';
  if (!launcher.includes(packaged)) throw new Error('the launcher does not start Node as it did');
  const options = '--conditions=slipway-source --disable-warning=ExperimentalWarning';
  const cache = `export NODE_COMPILE_CACHE="\${NODE_COMPILE_CACHE:-${join(folder, 'compiled')}}"`;
  return launcher.replace(packaged, `${cache}\n  exec "${process.execPath}" $young ${options} `);
}
