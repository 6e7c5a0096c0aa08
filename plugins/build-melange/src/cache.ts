/**
 * Packages of earlier runs, by the hash of everything that decided them. What is taken from here was hashed when it was
 * put in and is hashed again; losing the folder costs time only.
 */
import { fileState } from '@slipway/core';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const MANIFEST = 'manifest.json';
const FILES = 'files';
/** What a cached folder can hold: packages and indexes by architecture, and a public key. */
const FILE = /^(?:[a-z0-9_]+\/)?[A-Za-z0-9_][A-Za-z0-9._+~:@-]*$/;

/** Path in the folder → SHA-256, hex. */
type Manifest = Readonly<Record<string, string>>;

export interface PackageCache {
  /** Copies what was made from the same inputs into the new folder `to`; false when it is not there, too old, or damaged. */
  take(key: string, to: string): Promise<boolean>;
  /** Keeps the folder `from`, and drops what is too old. */
  keep(key: string, from: string): Promise<void>;
}

/** `maxAge` in milliseconds. */
export function packageCache(folder: string, maxAge: number): PackageCache {
  return {
    async take(key, to) {
      const entry = join(folder, key);
      if (!(await isFresh(entry, maxAge))) return false;
      const manifest = await readManifest(entry);
      if (manifest === undefined || !(await copyAll(join(entry, FILES), to, manifest))) {
        await rm(entry, { recursive: true, force: true });
        await rm(to, { recursive: true, force: true });
        return false;
      }
      return true;
    },
    async keep(key, from) {
      await mkdir(folder, { recursive: true });
      await dropOld(folder, maxAge);
      const making = await mkdtemp(join(folder, 'new-'));
      try {
        const manifest = await hashAll(from);
        if (!(await copyAll(from, join(making, FILES), manifest))) return;
        const text = JSON.stringify(manifest);
        await writeFile(join(making, MANIFEST), JSON.stringify({ sha256: sha256(text), text }));
        await rm(join(folder, key), { recursive: true, force: true });
        // Another run that kept the same in between has made the same.
        await rename(making, join(folder, key)).catch(() => undefined);
      } finally {
        await rm(making, { recursive: true, force: true });
      }
    },
  };
}

async function isFresh(entry: string, maxAge: number): Promise<boolean> {
  const about = await stat(join(entry, MANIFEST)).catch(() => undefined);
  return about !== undefined && Date.now() - about.mtimeMs < maxAge;
}

async function dropOld(folder: string, maxAge: number): Promise<void> {
  for (const name of await readdir(folder)) {
    // One that is being made has no manifest yet; its own time tells whether it was left behind.
    const entry = join(folder, name);
    const about = await stat(name.startsWith('new-') ? entry : join(entry, MANIFEST)).catch(() => undefined);
    if (about === undefined || Date.now() - about.mtimeMs >= maxAge) await rm(entry, { recursive: true, force: true });
  }
}

async function readManifest(entry: string): Promise<Manifest | undefined> {
  try {
    const data: unknown = JSON.parse(await readFile(join(entry, MANIFEST), 'utf8'));
    const { sha256: digest, text } = data as { readonly sha256?: unknown; readonly text?: unknown };
    if (typeof text !== 'string' || sha256(text) !== digest) return undefined;
    const manifest = JSON.parse(text) as Manifest;
    return Object.keys(manifest).every((name) => FILE.test(name)) ? manifest : undefined;
  } catch {
    return undefined;
  }
}

/** False as soon as a copy is not what the manifest says. */
async function copyAll(from: string, to: string, manifest: Manifest): Promise<boolean> {
  for (const [name, digest] of Object.entries(manifest)) {
    await mkdir(dirname(join(to, name)), { recursive: true });
    const copied = await copyFile(join(from, name), join(to, name), constants.COPYFILE_FICLONE).then(
      () => true,
      () => false,
    );
    const state = copied ? await fileState(to, name) : undefined;
    if (state?.ok !== true || state.value.sha256 !== digest) return false;
  }
  return true;
}

async function hashAll(folder: string): Promise<Manifest> {
  const manifest: Record<string, string> = {};
  const items = await readdir(folder, { withFileTypes: true, recursive: true });
  for (const item of items) {
    if (!item.isFile()) continue;
    const name = join(item.parentPath, item.name).slice(folder.length + 1);
    const state = await fileState(folder, name);
    if (state.ok) manifest[name] = state.value.sha256;
  }
  return manifest;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
