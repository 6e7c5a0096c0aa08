/** The lock and the config on disk. A reader of either sees the old text or the new one. */
import { lstat, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { failed, loaded, type Loaded } from '../config/loaded.ts';
import { readText } from '../config/read-text.ts';
import { isAbandoned, isOwnerName, ownName } from '../exec/owner.ts';
import { configFailure, errorCode, fail, ok, type ConfigFailure, type Result } from '../failure.ts';
import { repin, type Repin } from './config-text.ts';
import { formatLock, parseLock } from './format.ts';
import { lockName, type Lock } from './model.ts';

/** What `parseYaml` reads. */
const MAX_BYTES = 4 * 1024 * 1024;
const BYTE_ORDER_MARK = '\uFEFF';

/** `undefined`: there is none. `folder`: the config's. */
export async function loadLock(folder: string): Promise<Loaded<Lock | undefined>> {
  const file = join(folder, lockName);
  if ((await lstat(file).catch(() => undefined)) === undefined) return loaded(undefined);
  const text = await readText(file, MAX_BYTES);
  return text.ok ? parseLock(text.value, file) : failed([text.failure]);
}

/** A symbolic link in its place is replaced, never followed. */
export async function saveLock(folder: string, lock: Lock): Promise<Result<void, ConfigFailure>> {
  const text = formatLock(lock);
  const file = join(folder, lockName);
  if (Buffer.byteLength(text) > MAX_BYTES) {
    const hint = 'select fewer tags, or keep them in several configs in folders of their own';
    return fail(configFailure(`${file} would be larger than ${MAX_BYTES} bytes`, hint));
  }
  return replace(file, text, 0o644);
}

/** Writes new digests into the config, wherever a symbolic link says that it is, with the permissions that it has. */
export async function saveRepins(config: string, repins: readonly Repin[]): Promise<Result<void, ConfigFailure>> {
  if (repins.length === 0) return ok(undefined);
  let file: string;
  let text: string;
  let mode: number;
  try {
    file = await realpath(config);
    text = await readFile(file, 'utf8');
    ({ mode } = await stat(file));
  } catch (error) {
    return fail(unwritten(config, error));
  }
  const mark = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : '';
  const changed = repin(text.slice(mark.length), repins);
  return changed.ok ? replace(file, mark + changed.value, mode & 0o777) : changed;
}

/** Writes a new file beside it, which then takes its name: readers never see half of it, and nothing is written through a link. */
async function replace(file: string, text: string, mode: number): Promise<Result<void, ConfigFailure>> {
  const temporary = `${file}.${await ownName()}`;
  try {
    await removeAbandoned(file);
    // Fails if it is there already, be it as a link.
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.chmod(mode);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    return ok(undefined);
  } catch (error) {
    await rm(temporary, { force: true });
    return fail(unwritten(file, error));
  }
}

/** What killed processes left beside `file`: it would be committed with the rest. Nothing of one that is at work. */
async function removeAbandoned(file: string): Promise<void> {
  const [folder, start] = [dirname(file), `${basename(file)}.`];
  for (const name of await readdir(folder).catch((): string[] => [])) {
    const owner = name.startsWith(start) ? name.slice(start.length) : '';
    if (!isOwnerName(owner)) continue;
    const left = join(folder, name);
    const status = await lstat(left).catch(() => undefined);
    if (status !== undefined && (await isAbandoned(owner, status.mtimeMs)))
      await rm(left, { force: true }).catch(() => undefined);
  }
}

function unwritten(file: string, error: unknown): ConfigFailure {
  return configFailure(
    `${file} cannot be written (${errorCode(error)})`,
    'see that it and its folder may be written, and that the disk is not full',
  );
}
