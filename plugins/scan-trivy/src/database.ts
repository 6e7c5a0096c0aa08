/**
 * Trivy's databases, fetched at most once a run. Trivy writes a database in place, so another run that shares the folder
 * could read half of one: here a finished database is moved into the cache under its own name, and runs link to it.
 */
import { fail, ok, type Failure, type Result, type TaskContext } from '@slipway/core';
import { mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { neutral } from './neutral.ts';
import { hostOf } from './options.ts';

/** `db` holds vulnerabilities, `java-db` the names of Java archives; both are trivy's names of the folders. */
export type Kind = 'db' | 'java-db';

const FLAGS: Readonly<Record<Kind, { readonly only: string; readonly repository: string; readonly name: string }>> = {
  db: { only: '--download-db-only', repository: '--db-repository', name: 'vulnerability database' },
  'java-db': { only: '--download-java-db-only', repository: '--java-db-repository', name: 'index of Java archives' },
};

/** How many finished databases stay in the cache: the newest, and the one an older run may still read. */
const KEPT = 2;

/** Makes `<folder>/<kind>` hold a current database. `folder` is trivy's cache folder of this run. */
export async function ensureDatabase(
  kind: Kind,
  repositories: readonly string[],
  folder: string,
  context: TaskContext,
): Promise<Result<void>> {
  const store = join(context.files.cache, kind);
  const place = join(folder, kind);
  await mkdir(store, { recursive: true });
  await mkdir(folder, { recursive: true });
  const [newest] = await finished(store);
  if (newest !== undefined && (await isCurrent(join(store, newest)))) {
    await link(join(store, newest), place);
    return ok(undefined);
  }
  const { only, repository, name } = FLAGS[kind];
  const from = repositories.flatMap((reference) => [repository, reference]);
  const hosts = [...new Set(repositories.map(hostOf))];
  const insecure = hosts.every((host) => context.plainHttp(host)) ? ['--insecure'] : [];
  context.log(`fetching the ${name}`);
  const flags = [
    ...(await neutral(context)),
    '--cache-dir',
    folder,
    '--no-progress',
    '--disable-telemetry',
    '--skip-version-check',
  ];
  const fetched = await context.exec('trivy', ['image', only, ...from, ...insecure, ...flags], { hosts });
  if (!fetched.ok) {
    if (fetched.failure.reason !== 'tool' || isFull(fetched.failure)) return fetched;
    return fail({
      ...fetched.failure,
      class: fetched.failure.output?.includes('could not parse reference') === true ? 'permanent' : 'transient',
      message: `the ${name} could not be fetched from ${repositories.join(' or ')}: ${fetched.failure.message}`,
      hint: `try again later, or name a mirror with the plugin's option ${kind === 'db' ? 'databaseRepository' : 'javaDatabaseRepository'}`,
    });
  }
  await keep(place, store);
  return ok(undefined);
}

/** Then the machine is to blame, and no other repository helps. */
function isFull({ output = '', message }: Extract<Failure, { readonly reason: 'tool' }>): boolean {
  return output.includes('no space left on device') || message.includes('ENOSPC');
}

/** When the database of this run was made, RFC 3339. */
export async function databaseTime(folder: string): Promise<string | undefined> {
  const { UpdatedAt: updated } = await metadataOf(join(folder, 'db'));
  return typeof updated === 'string' ? updated : undefined;
}

/** Moves a fetched database into the cache; where that fails (another disk), it stays the run's own. */
async function keep(place: string, store: string): Promise<void> {
  const target = join(store, `${Date.now()}-${process.pid}`);
  try {
    await rename(place, target);
  } catch {
    return;
  }
  await link(target, place);
  for (const old of (await finished(store)).slice(KEPT)) await rm(join(store, old), { recursive: true, force: true });
}

async function link(target: string, place: string): Promise<void> {
  await rm(place, { recursive: true, force: true });
  await symlink(target, place);
}

/** Newest first. */
async function finished(store: string): Promise<readonly string[]> {
  const names = (await readdir(store)).filter((name) => /^\d+-\d+$/.test(name));
  return names.sort((a, b) => Number(b.split('-', 1)[0]) - Number(a.split('-', 1)[0]));
}

/** Trivy's own rule: until the next one is due, and an hour after it was fetched. */
async function isCurrent(folder: string): Promise<boolean> {
  const { NextUpdate: next, DownloadedAt: downloaded } = await metadataOf(folder);
  const now = Date.now();
  const until = (value: unknown, more: number): boolean => typeof value === 'string' && now < Date.parse(value) + more;
  return until(next, 0) || until(downloaded, 3_600_000);
}

async function metadataOf(folder: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const data: unknown = JSON.parse(await readFile(join(folder, 'metadata.json'), 'utf8'));
    return typeof data === 'object' && data !== null ? (data as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
