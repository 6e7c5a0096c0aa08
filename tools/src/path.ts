/** Looks for programs by name. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Environment } from './cache.ts';

/** Every program of that name on PATH, in its order. Relative entries are left out: they mean something else in every folder. */
export async function onPath(name: string, env: Environment): Promise<readonly string[]> {
  const folders = (env['PATH'] ?? '').split(delimiter).filter(isAbsolute);
  const paths = [...new Set(folders)].map((folder) => join(folder, name));
  const executable = await Promise.all(paths.map(isProgram));
  return paths.filter((_, index) => executable[index]);
}

/** Whether a file is there that may be executed. */
export async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
