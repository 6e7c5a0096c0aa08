/**
 * Peers that are npm packages: each installed once, at an exact version, into a folder of its own beside the built tools. The
 * repository itself depends on none of them.
 */
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../tools/src/cache.ts';
import { run } from '../../demo/world/processes.ts';

const VERSIONS = { nx: '24.0.6', turbo: '2.11.11' } as const;

/** The `node_modules` that has the package with all it needs. */
export async function npmPackage(name: keyof typeof VERSIONS): Promise<string> {
  const version = VERSIONS[name];
  const folder = join(cacheFolder(process.env) ?? tmpdir(), 'npm', `${name}-${version}`);
  const modules = join(folder, 'node_modules');
  if (await exists(modules)) return modules;
  console.error(`installing ${name} ${version} from npm, once on this machine`);
  await mkdir(dirname(folder), { recursive: true });
  // Made aside and moved in one step, so that an interrupted installation is none.
  const aside = await mkdtemp(`${folder}-`);
  try {
    // Without scripts: those of nx would start a daemon.
    const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier'];
    const args = ['install', ...flags, '--prefix', aside, `${name}@${version}`];
    await run('npm', args, { cwd: aside, timeout: 600_000 });
    await rename(aside, folder);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  return modules;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
