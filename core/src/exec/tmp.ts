/**
 * A run's folder for temporary files, and the removal of what killed runs left behind.
 * `<root>/<run>.owner` says whose `<root>/<run>` is; it is written first, so a folder without it belongs to nobody.
 */
import { randomBytes } from 'node:crypto';
import { lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { chmod, lstat, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRegular } from '../read-regular.ts';
import { endMarked } from './descendants.ts';
import { isRunningStill, ownerMark, thisProcess, type Owner } from './owner.ts';

export interface Tmp {
  /** Absolute path, mode 0700. */
  readonly path: string;
  release(): Promise<void>;
}

const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;
const SUFFIX = '.owner';
/** Milliseconds after which an owner's file that was never written whole belongs to nobody: writing it takes less than one. */
const TORN_AGE = 60_000;
const MAX_OWNER = 4096;

/** Makes `<root>/<runId>` and says that this process owns it. Throws when the folder cannot be made, or exists. */
export async function claimTmp(root: string, runId: string): Promise<Tmp> {
  if (!RUN_ID.test(runId)) {
    throw new Error(`"${runId}" is not a run id`);
  }
  await mkdir(root, { recursive: true, mode: 0o700 });
  const path = join(root, runId);
  const file = path + SUFFIX;
  const draft = `${file}.${process.pid}`;
  const owner = JSON.stringify(await thisProcess());
  // In one go: a sweep of another process meets the draft as seldom as can be.
  writeFileSync(draft, owner, { mode: 0o600, flag: 'wx' });
  renameSync(draft, file);
  await mkdir(path, { mode: 0o700 });
  return {
    path,
    release: async () => {
      await removeTree(path);
      await rm(file, { force: true });
    },
  };
}

/**
 * The same in the system's folder for temporary files, under a name that begins with `prefix` and nobody can guess; what killed
 * processes left there under such names goes first.
 */
export async function claimElsewhere(prefix: string): Promise<Tmp> {
  // A folder that was named by mistake is not made: everybody's, it would have permissions for one user alone.
  await stat(tmpdir());
  await sweepTmp(tmpdir(), prefix);
  return claimTmp(tmpdir(), `${prefix}${randomBytes(8).toString('hex')}`);
}

/** Whether whoever claimed `<root>/<runId>` is there; one who cannot be looked up, in another container as well, may be gone. */
export async function isAtWork(root: string, runId: string): Promise<boolean> {
  const owner = await readOwner(join(root, runId + SUFFIX));
  return owner !== undefined && (await isRunningStill(owner, 0));
}

/**
 * Removes the folders in `root` whose owner is gone, and returns their names. What such an owner started is ended first, where
 * no PID namespace has done so: it would go on writing there. Leaves what it cannot remove. `prefix`: `root` is everybody's, and
 * only what is named so and belongs to this user is looked at.
 */
export async function sweepTmp(root: string, prefix?: string): Promise<readonly string[]> {
  const all = await readdir(root).catch((): string[] => []);
  const names = prefix === undefined ? all : await ownNames(root, prefix, all);
  const runs = Map.groupBy(names, (name) => (name.includes(SUFFIX) ? name.slice(0, name.indexOf(SUFFIX)) : name));
  const swept: string[] = [];
  for (const [run, own] of runs) {
    // Else there is a draft alone: its writer was killed, or is about to give it its name.
    const isClaimed = own.includes(run) || own.includes(run + SUFFIX);
    const file = isClaimed ? run + SUFFIX : (own[0] ?? '');
    if (!(await isLeftBehind(join(root, file), isClaimed))) {
      continue;
    }
    try {
      await removeTree(join(root, run));
      for (const name of own) await rm(join(root, name), { force: true });
      swept.push(run);
    } catch {
      // Someone else's files: they cost space, not correctness.
    }
  }
  return swept;
}

/** What others have made is not even looked into: they could change it while it is removed. */
async function ownNames(root: string, prefix: string, names: readonly string[]): Promise<readonly string[]> {
  const own: string[] = [];
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const status = await lstat(join(root, name)).catch(() => undefined);
    if (status !== undefined && status.uid === process.getuid?.()) own.push(name);
  }
  return own;
}

/** `whole`: the file got its name when it was whole, so that one which cannot be read is nobody's. */
async function isLeftBehind(file: string, whole: boolean): Promise<boolean> {
  const written = await lstat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
  if (written === undefined) return whole;
  const owner = await readOwner(file);
  if (owner === undefined) return whole || Date.now() - written > TORN_AGE;
  if (await isRunningStill(owner, written)) return false;
  await endProcessesOf(owner);
  return true;
}

/** Of another boot there are none, and whether an owner elsewhere is gone nobody here can tell for certain. */
async function endProcessesOf({ boot, namespace, pid, start }: Partial<Owner>): Promise<void> {
  const here = await thisProcess();
  if (boot !== here.boot || namespace !== here.namespace || pid === undefined || start === undefined) return;
  const mark = ownerMark({ boot, namespace, pid, start });
  if (mark !== undefined) await endMarked(mark);
}

/** Undefined: nobody can be told from it. */
async function readOwner(file: string): Promise<Partial<Owner> | undefined> {
  try {
    const owner: unknown = JSON.parse(readRegular(file, MAX_OWNER) ?? '');
    return typeof owner === 'object' && owner !== null ? owner : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Removes a folder with all it holds; nothing when it is not there. Symbolic links are removed, never followed. Folders that
 * a tool made read-only (Go's module cache does) are made writable first.
 */
export async function removeTree(path: string): Promise<void> {
  if (removeFew(path)) return;
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await makeWritable(path);
    await rm(path, { recursive: true, force: true });
  }
}

/** Entries; a folder of credentials has one. */
const FEW = 8;

/** At once, which for a few files takes a fraction of the time of asking another thread; false when there is more, or it cannot. */
function removeFew(path: string): boolean {
  try {
    const items = lstatSync(path).isDirectory() ? readdirSync(path, { withFileTypes: true }) : [];
    if (items.length > FEW) return false;
    for (const item of items) {
      const inner = join(path, item.name);
      if (!item.isDirectory()) unlinkSync(inner);
      // One with anything in it stays, and is removed the other way.
      else rmdirSync(inner);
    }
    rmdirSync(path);
    return true;
  } catch {
    return false;
  }
}

async function makeWritable(path: string): Promise<void> {
  const stat = await lstat(path).catch(() => undefined);
  if (stat === undefined || !stat.isDirectory()) {
    return;
  }
  await chmod(path, 0o700);
  for (const name of await readdir(path)) {
    await makeWritable(join(path, name));
  }
}
