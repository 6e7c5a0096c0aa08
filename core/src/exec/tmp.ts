/**
 * A run's folder for temporary files, and the removal of what killed runs left behind.
 * `<root>/<run>.owner` says whose `<root>/<run>` is; it is written first, so a folder without it belongs to nobody.
 */
import { chmod, lstat, mkdir, open, readdir, readFile, readlink, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A process, told from every other one, also from a later one with its pid. */
export interface Owner {
  readonly boot: string;
  /** Pids mean something only inside their namespace. */
  readonly namespace: string;
  readonly pid: number;
  /** Start time from /proc/PID/stat, in clock ticks after boot: tells a process from a later one with its pid. */
  readonly start: string;
}

export interface Tmp {
  /** Absolute path, mode 0700. */
  readonly path: string;
  release(): Promise<void>;
}

const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;
const SUFFIX = '.owner';
/** An owner in another container cannot be looked up; after this long it is taken to be gone. Milliseconds. */
const FOREIGN_AGE = 24 * 3600 * 1000;

/** Makes `<root>/<runId>` and says that this process owns it. Throws when the folder cannot be made, or exists. */
export async function claimTmp(root: string, runId: string): Promise<Tmp> {
  if (!RUN_ID.test(runId)) {
    throw new Error(`"${runId}" is not a run id`);
  }
  await mkdir(root, { recursive: true, mode: 0o700 });
  const path = join(root, runId);
  const file = path + SUFFIX;
  const draft = `${file}.${process.pid}`;
  const handle = await open(draft, 'wx', 0o600);
  await handle.writeFile(JSON.stringify(await thisProcess()));
  await handle.close();
  await rename(draft, file);
  await mkdir(path, { mode: 0o700 });
  return {
    path,
    release: async () => {
      await removeTree(path);
      await rm(file, { force: true });
    },
  };
}

/** Removes the folders in `root` whose owner is gone, and returns their names. Leaves what it cannot remove. */
export async function sweepTmp(root: string): Promise<readonly string[]> {
  const names = await readdir(root).catch((): string[] => []);
  const runs = new Set(names.map((name) => (name.includes(SUFFIX) ? name.slice(0, name.indexOf(SUFFIX)) : name)));
  const swept: string[] = [];
  for (const run of runs) {
    const file = join(root, run + SUFFIX);
    // A draft was never renamed: its writer died, or is about to; the next sweep sees which.
    if (!names.includes(run) && !names.includes(run + SUFFIX)) {
      continue;
    }
    if (await isAlive(file)) {
      continue;
    }
    try {
      await removeTree(join(root, run));
      for (const name of names) {
        if (name.startsWith(run + SUFFIX)) await rm(join(root, name), { force: true });
      }
      swept.push(run);
    } catch {
      // Someone else's files: they cost space, not correctness.
    }
  }
  return swept;
}

async function isAlive(file: string): Promise<boolean> {
  try {
    return await isRunningStill(
      JSON.parse(await readFile(file, 'utf8')) as Partial<Owner>,
      (await lstat(file)).mtimeMs,
    );
  } catch {
    return false;
  }
}

/** Whether a process that wrote itself down at `written` (milliseconds since the epoch) is still there. */
export async function isRunningStill(owner: Partial<Owner>, written: number): Promise<boolean> {
  if (typeof owner.pid !== 'number') {
    return false;
  }
  const now = await ownerOf(owner.pid);
  if (owner.boot !== now.boot) {
    return false;
  }
  if (owner.namespace !== now.namespace) {
    return Date.now() - written < FOREIGN_AGE;
  }
  return owner.start === now.start && now.start !== '';
}

export function thisProcess(): Promise<Owner> {
  return ownerOf(process.pid);
}

async function ownerOf(pid: number): Promise<Owner> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return { boot: boot.trim(), namespace, pid, start: await startOf(pid) };
}

/** Empty when there is no such process. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the program's name in brackets and may hold anything, so fields are counted from its end.
  if (stat !== undefined) {
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  }
  return isRunning(pid) ? 'running' : '';
}

/** Where there is no /proc, whether the pid is in use is all that can be known. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * Removes a folder with all it holds; nothing when it is not there. Symbolic links are removed, never followed. Folders that
 * a tool made read-only (Go's module cache does) are made writable first.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await makeWritable(path);
    await rm(path, { recursive: true, force: true });
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
