/** What is in a folder, to see whether a plugin wrote where it may not. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Path → size, time of change and mode. `leave` is a folder that is not looked into. */
export type Snapshot = ReadonlyMap<string, string>;

export async function takeSnapshot(folder: string, leave: string): Promise<Snapshot> {
  const found = new Map<string, string>();
  const visit = async (path: string): Promise<void> => {
    if (path === leave) {
      return;
    }
    const stat = await lstat(path);
    const directory = stat.isDirectory();
    // A folder's own time changes with what is in it, which is listed anyway.
    found.set(path, directory ? `folder ${stat.mode}` : `${stat.size} ${stat.mtimeMs} ${stat.mode}`);
    if (directory) {
      for (const name of (await readdir(path)).sort()) await visit(join(path, name));
    }
  };
  await visit(folder);
  return found;
}

/** The paths that were added, changed or removed. */
export function differences(before: Snapshot, after: Snapshot): readonly string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path));
}
