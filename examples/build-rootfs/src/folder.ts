/** A folder of the checkout as the members of a layer. Owner, time and all bits of the mode but one are left behind. */
import { configFailure, fail, ok, type ConfigFailure, type LayerMember, type Result } from '@slipway/core';
import { constants } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { join, posix } from 'node:path';

export interface FolderRequest {
  /** The config's folder. */
  readonly root: string;
  /** Relative to it. */
  readonly folder: string;
  /** What decides whether the image is built again. What is not among it must not be in the image. */
  readonly listed: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/** Left out by the core's listing too. */
const LEFT_OUT: ReadonlySet<string> = new Set(['.git', '.slipway']);

/**
 * Every file and link below the folder. Folders without a file in them are left out, since Git has none. A link that does not
 * lead to a file of the folder is refused: a change of it would not be seen.
 */
export async function folderMembers(request: FolderRequest): Promise<Result<readonly LayerMember[], ConfigFailure>> {
  const { root, folder, listed, signal } = request;
  const members: LayerMember[] = [];
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    signal.throwIfAborted();
    for (const item of await readdir(join(root, next), { withFileTypes: true })) {
      if (LEFT_OUT.has(item.name)) continue;
      const path = posix.join(next, item.name);
      if (item.isDirectory()) {
        folders.push(path);
        continue;
      }
      const member = item.isSymbolicLink() ? await linkMember(request, path) : await fileMember(request, path);
      if (!member.ok) return member;
      if (!listed.has(path)) return refused(path, 'appeared after the plan was made', 'run it again');
      members.push(member.value);
    }
  }
  return ok(members);
}

/** `rootfs/etc/motd` → `etc/motd`. */
function inImage(folder: string, path: string): string {
  return folder === '.' ? path : path.slice(folder.length + 1);
}

async function fileMember(
  { root, folder, signal }: FolderRequest,
  path: string,
): Promise<Result<LayerMember, ConfigFailure>> {
  const about = await lstat(join(root, path));
  if (!about.isFile()) return refused(path, 'is neither a file nor a folder nor a link', 'put it into an archive');
  const content = { size: about.size, read: () => fileBytes(join(root, path), signal) };
  return ok({ type: 'file', path: inImage(folder, path), content, executable: (about.mode & 0o111) !== 0 });
}

async function linkMember(
  { root, folder, listed }: FolderRequest,
  path: string,
): Promise<Result<LayerMember, ConfigFailure>> {
  const target = await readlink(join(root, path));
  const leadsTo = posix.join(posix.dirname(path), target);
  if (posix.isAbsolute(target) || !leadsTo.startsWith(folder === '.' ? '' : `${folder}/`) || !listed.has(leadsTo)) {
    const hint = 'make it a relative link, or put the file system into an archive, whose links are taken as they are';
    return refused(path, 'is a link that leads to no file of the folder', hint);
  }
  return ok({ type: 'link', path: inImage(folder, path), target });
}

function refused(path: string, what: string, hint: string) {
  return fail(configFailure(`"${path}" ${what}`, hint));
}

/** A file that became a link or a pipe since is not opened. */
async function* fileBytes(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  for await (const chunk of file.createReadStream({ autoClose: false })) {
    signal.throwIfAborted();
    yield chunk as Uint8Array;
  }
}
