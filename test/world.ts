/** What real tests use: the shared world, programs to look at it with, and Slipway itself. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import type { Layout } from '../demo/world/image.ts';
import { pushLayout } from '../demo/world/images.ts';
import { run, runAny, type Output, type RunOptions } from '../demo/world/processes.ts';
import { worldEnvironment, worldSettings } from '../demo/world/settings.ts';
import type { WorldAddresses } from '../demo/world/world.ts';

export type { Output, RunOptions } from '../demo/world/processes.ts';

export const root = join(import.meta.dirname, '..');

/** Addresses, keys and tools of the world that all tests of a run share. */
export function world(): WorldAddresses {
  return inject('world');
}

/** The launcher of the command, as `node_modules/.bin/slipway` is one. */
export function launcher(): string {
  return inject('slipway');
}

/** A repository path that no other test uses: `test/<name>-1f2e3d4c`. */
export function freshPath(name: string): string {
  return `test/${name}-${randomBytes(4).toString('hex')}`;
}

/** `127.0.0.1:PORT/test/<name>-…` in the destination registry: what `--to` takes, and nothing is there yet. */
export function freshPrefix(name: string): string {
  return `${world().destination.host}/${freshPath(name)}`;
}

/** An empty folder that is gone after the test. */
export async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files, by their path in `folder`. */
export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

/** Writes `slipway.config.json` for the world into `folder`, with top-level keys replaced by `changes`; its path. */
export async function writeSettings(folder: string, changes: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const file = join(folder, 'slipway.config.json');
  await writeFile(file, JSON.stringify({ ...worldSettings(world()), ...changes }, null, 2));
  return file;
}

/** Runs Slipway as a user does; every exit code is an answer. */
export function slipway(args: readonly string[], options: RunOptions = {}): Promise<Output> {
  const env = { ...worldEnvironment(world()), ...options.env };
  return runAny(launcher(), args, { timeout: 100_000, ...options, env });
}

/** Runs a tool of the world; every exit code is an answer. */
export function tool(name: string, args: readonly string[], options: RunOptions = {}): Promise<Output> {
  const env = { ...worldEnvironment(world()), ...options.env };
  return runAny(world().tools[name] ?? name, args, { ...options, env });
}

export function crane(...args: readonly string[]): Promise<Output> {
  return tool('crane', args);
}

export function cosign(args: readonly string[], options?: RunOptions): Promise<Output> {
  return tool('cosign', args, options);
}

export function skopeo(...args: readonly string[]): Promise<Output> {
  return tool('skopeo', args);
}

/** Pushes an image made by demo/world/image.ts to `HOST/repository:tag`; its digest. */
export function push(layout: Layout, reference: string): Promise<string> {
  return pushLayout(layout, reference, world().tools['crane'] ?? 'crane', run);
}

/** An identity token of the world's OIDC issuer. */
export async function identityToken(email: string): Promise<string> {
  const issuer = world().keyless?.issuer;
  if (issuer === undefined) throw new Error('the world has no OIDC issuer');
  return (await fetch(`${issuer}/token?email=${encodeURIComponent(email)}`)).text();
}
