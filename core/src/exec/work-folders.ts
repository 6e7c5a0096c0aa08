/**
 * Folders for tasks. One that a task has left as it was goes to the next: making and removing three folders takes about as long as
 * starting a program.
 */
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from './tmp.ts';

export interface WorkFolders {
  /** Absolute; empty but for what {@link makeHome} and {@link makeNoCredentials} make in it. */
  take(): string;
  /** Its task has ended, and so has whatever it started. */
  giveBack(folder: string): Promise<void>;
}

const HOME = 'home';
const DOCKER = 'docker';
const CONFIG = 'config.json';
const NO_CREDENTIALS = '{"auths":{}}';

export function createWorkFolders(root: string): WorkFolders {
  const free: string[] = [];
  let made = 0;
  return {
    take() {
      const known = free.pop();
      if (known !== undefined) return known;
      made += 1;
      const folder = join(root, `task-${made}`);
      mkdirSync(folder, { mode: 0o700 });
      return folder;
    },
    async giveBack(folder) {
      if (isUntouched(folder)) free.push(folder);
      else await removeTree(folder);
    },
  };
}

/** Stands in for the user's home, as long as the task. */
export function makeHome(folder: string): string {
  const home = join(folder, HOME);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  return home;
}

/** A folder with a Docker `config.json` that has no credentials, as long as the task. */
export function makeNoCredentials(folder: string): string {
  const docker = join(folder, DOCKER);
  const made = mkdirSync(docker, { recursive: true, mode: 0o700 });
  if (made === undefined) return docker;
  writeFileSync(join(docker, CONFIG), NO_CREDENTIALS, { mode: 0o600, flag: 'wx' });
  return docker;
}

function isUntouched(folder: string): boolean {
  try {
    for (const { name, ...item } of entries(folder)) {
      const inner = join(folder, name);
      if (item.isFolder && name === HOME && entries(inner).length === 0) continue;
      if (item.isFolder && name === DOCKER && hasNoCredentials(inner)) continue;
      return false;
    }
    return true;
  } catch {
    return false;
  }
}

function hasNoCredentials(docker: string): boolean {
  const [config, ...others] = entries(docker);
  return (
    others.length === 0 &&
    config?.name === CONFIG &&
    config.isFile &&
    lstatSync(join(docker, CONFIG)).size === NO_CREDENTIALS.length &&
    readFileSync(join(docker, CONFIG), 'utf8') === NO_CREDENTIALS
  );
}

/** Links are neither. */
function entries(
  folder: string,
): readonly { readonly name: string; readonly isFolder: boolean; readonly isFile: boolean }[] {
  const items = readdirSync(folder, { withFileTypes: true });
  return items.map((item) => ({ name: item.name, isFolder: item.isDirectory(), isFile: item.isFile() }));
}
