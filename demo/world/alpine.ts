/** The Alpine repository as a folder: packages and indexes, signed by the package key. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apk, BUILD_DATE, fileName, type Architecture, type Package } from './apk.ts';
import type { Runner } from './processes.ts';

const ARCHITECTURES: readonly Architecture[] = ['x86_64', 'aarch64'];

export interface RepositoryOptions {
  readonly packages: readonly Package[];
  /** The folder that gets one subfolder per architecture. */
  readonly folder: string;
  readonly melange: string;
  /** Private key; the public one beside it is what images trust. */
  readonly key: string;
  readonly run: Runner;
}

/** Writes, signs and indexes every package for every architecture. */
export async function makeRepository(options: RepositoryOptions): Promise<void> {
  await Promise.all(ARCHITECTURES.map((architecture) => makeArchitecture(options, architecture)));
}

async function makeArchitecture(options: RepositoryOptions, architecture: Architecture): Promise<void> {
  const { packages, key, melange, run } = options;
  const folder = join(options.folder, architecture);
  await mkdir(folder, { recursive: true });
  const names = packages.map(fileName);
  await Promise.all(packages.map((each) => writeFile(join(folder, fileName(each)), apk(each, architecture))));
  // A signature has a date inside; with a fixed one the same key gives the same package again.
  const env = { SOURCE_DATE_EPOCH: String(BUILD_DATE) };
  await run(melange, ['sign', '--signing-key', key, ...names], { cwd: folder, env });
  const index = ['index', '-o', 'APKINDEX.tar.gz', '--arch', architecture, '--signing-key', key, ...names];
  await run(melange, index, { cwd: folder, env });
}
