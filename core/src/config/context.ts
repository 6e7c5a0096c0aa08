/** Where and when a plan is made, read once. Git's files are read directly: a plan starts no process. */
import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Context } from './model.ts';

export interface ContextOptions {
  /** A folder of the checkout, usually the config's. */
  readonly cwd: string;
  /** GITHUB_REF and GITHUB_SHA go before git. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly date: Date;
}

const SHA = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const BRANCH = 'refs/heads/';
/** Git itself follows no longer chains of symbolic references. */
const MAX_LINKS = 5;

/** Without branch when detached, on a tag, in a pull request, or outside of git. */
export async function readContext({ cwd, env, date }: ContextOptions): Promise<Context> {
  const git = await readGit(cwd);
  const ref = env['GITHUB_REF'] ?? git.ref;
  const envSha = env['GITHUB_SHA'];
  const sha = envSha !== undefined && SHA.test(envSha) ? envSha : git.sha;
  const branch = ref?.startsWith(BRANCH) ? ref.slice(BRANCH.length) : undefined;
  return {
    ...(branch === undefined || branch === '' ? {} : { branch }),
    ...(sha === undefined ? {} : { sha }),
    date: date.toISOString().slice(0, 10),
  };
}

interface Git {
  /** As `refs/heads/main`; absent when HEAD is detached. */
  readonly ref?: string;
  readonly sha?: string;
}

async function readGit(cwd: string): Promise<Git> {
  const folder = await findGitFolder(resolve(cwd));
  if (folder === undefined) return {};
  const head = await readLine(join(folder, 'HEAD'));
  if (head === undefined) return {};
  const ref = symbolic(head);
  if (ref === undefined) return SHA.test(head) ? { sha: head } : {};
  const sha = await resolveRef(folder, ref);
  return { ref, ...(sha === undefined ? {} : { sha }) };
}

/** https://git-scm.com/docs/gitrepository-layout: a worktree's or submodule's `.git` is a file that names the folder. */
async function findGitFolder(start: string): Promise<string | undefined> {
  for (let folder = start; ; folder = dirname(folder)) {
    const candidate = join(folder, '.git');
    const status = await stat(candidate).catch(() => undefined);
    if (status?.isDirectory()) return candidate;
    if (status?.isFile()) {
      const line = await readLine(candidate);
      return line?.startsWith('gitdir: ') ? resolve(folder, line.slice('gitdir: '.length)) : undefined;
    }
    if (dirname(folder) === folder) return undefined;
  }
}

/** A worktree has a HEAD of its own, and its branches in the common folder; loose files go before packed ones. */
async function resolveRef(folder: string, name: string): Promise<string | undefined> {
  const commonPath = await readLine(join(folder, 'commondir'));
  const common = commonPath === undefined ? folder : resolve(folder, commonPath);
  let ref = name;
  for (let link = 0; link < MAX_LINKS; link += 1) {
    if (!/^refs\/[^\p{Cc}]+$/u.test(ref) || ref.split('/').includes('..')) return undefined;
    const line = (await readLine(join(folder, ref))) ?? (await readLine(join(common, ref)));
    if (line === undefined) return readPacked(common, ref);
    const next = symbolic(line);
    if (next === undefined) return SHA.test(line) ? line : undefined;
    ref = next;
  }
  return undefined;
}

/** Lines `<sha> <ref>`; comments start with `#`, and `^` lines belong to the annotated tag above them. */
async function readPacked(common: string, ref: string): Promise<string | undefined> {
  const packed = await readFile(join(common, 'packed-refs'), 'utf8').catch(() => '');
  const line = packed.split('\n').find((each) => each.trimEnd().endsWith(` ${ref}`));
  const sha = line?.slice(0, line.indexOf(' '));
  return sha !== undefined && SHA.test(sha) ? sha : undefined;
}

function symbolic(line: string): string | undefined {
  return line.startsWith('ref: ') ? line.slice('ref: '.length).trim() : undefined;
}

async function readLine(file: string): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text?.split('\n', 1)[0]?.trim();
}
