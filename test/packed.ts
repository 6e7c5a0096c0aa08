/** Every package as it would be published, and a project that has installed them. */
import { existsSync, globSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../demo/world/processes.ts';
import { root, world } from './world.ts';

export interface Packed {
  /** A project that has `slipway` and what a plugin is made with installed from tarballs, and nothing of this checkout. */
  readonly project: string;
  /** Package name → its tarball. */
  readonly tarballs: Readonly<Record<string, string>>;
}

/** What the world's tests may take of the time; packing and installing takes a good minute on a busy machine. */
export const PACKING = 400_000;

/** Folders of the packages that are published, from the checkout's root. */
export const published: readonly string[] = [
  'core',
  'tools',
  'cli',
  ...globSync('plugins/*/', { cwd: root }),
].toSorted();

/** Made once for all tests of a run, by whichever asks first; it lies in the world's folder, and goes with it. */
export async function packed(): Promise<Packed> {
  const folder = join(world().folder, 'packed');
  const [done, failed] = [join(folder, 'packed.json'), join(folder, 'failed')];
  if (await isFirst(folder)) {
    try {
      await writeWhole(done, JSON.stringify(await make(folder)));
    } catch (error) {
      await writeWhole(failed, error instanceof Error ? error.message : String(error));
    }
  }
  while (!existsSync(done)) {
    if (existsSync(failed)) throw new Error(await readFile(failed, 'utf8'));
    await sleep(200);
  }
  return JSON.parse(await readFile(done, 'utf8')) as Packed;
}

async function isFirst(folder: string): Promise<boolean> {
  return mkdir(folder).then(
    () => true,
    () => false,
  );
}

/** Whoever waits for the file must not see half of it. */
async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

async function make(folder: string): Promise<Packed> {
  await run('sh', [join(root, 'tools', 'node.sh'), join(root, 'tools', 'build.ts')], { timeout: 200_000 });
  const tarballs: Record<string, string> = {};
  for (const path of published) {
    const { name, file } = await pack(join(root, path), folder);
    tarballs[name] = file;
  }
  const project = join(folder, 'project');
  await mkdir(project);
  const { devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  const others = ['@types/node', 'typescript', 'vitest'].map((name) => [name, devDependencies[name] ?? '*']);
  const files = Object.entries(tarballs).map(([name, file]) => [name, `file:${file}`]);
  const manifest = {
    name: 'consumer',
    private: true,
    type: 'module',
    dependencies: Object.fromEntries([...files, ...others]),
  };
  await writeFile(join(project, 'package.json'), JSON.stringify(manifest, null, 2));
  await npm(['install', '--prefer-offline'], project);
  return { project, tarballs };
}

/** The build has run already: npm would run it again for each package. */
export async function pack(
  path: string,
  folder: string,
  ...flags: readonly string[]
): Promise<{ readonly name: string; readonly file: string }> {
  const { stdout } = await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder, ...flags], path);
  const [made] = JSON.parse(stdout) as readonly { readonly name: string; readonly filename: string }[];
  if (made === undefined) throw new Error(`nothing was packed in ${path}`);
  return { name: made.name, file: join(folder, made.filename) };
}

const system = `linux-${process.arch}`;
const nodes = { 22: `node22-${system}`, 24: `node-${system}` } as const;

/** What a user's shell has: this Node first on PATH, and none of this repository's conditions. */
export function userEnvironment(version: keyof typeof nodes): Readonly<Record<string, string>> {
  const bin = join(root, 'node_modules', nodes[version], 'bin');
  return { PATH: `${bin}:${process.env['PATH'] ?? ''}`, NODE_OPTIONS: '', CI: 'true', NO_COLOR: '1' };
}

/** npm as a user runs it. */
export function npm(args: readonly string[], cwd: string): ReturnType<typeof run> {
  const env = userEnvironment(24);
  return run('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd, env, timeout: 300_000 });
}
