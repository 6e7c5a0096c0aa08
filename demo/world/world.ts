/** The little world: everything that Slipway talks to, on loopback, from a bare machine and without the internet. */
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ToolFinder } from '@slipway/core';
import { pinnedNeed, pinOf } from '@slipway/tools';
import { makeRepository } from './alpine.ts';
import { buildkitFolder, buildkitLacks, startBuildkit } from './buildkit.ts';
import { publishDatabase } from './database.ts';
import { pushLayout, sourceImages } from './images.ts';
import { startKeyless, type Keyless } from './keyless.ts';
import { ensureKeys, type Keys } from './keys.ts';
import { worldPackages } from './packages.ts';
import { createProcesses, run, type Processes } from './processes.ts';
import { startProxy } from './proxy.ts';
import { startReferrersRegistry, startRegistry, type RegistryAddress } from './registries.ts';

export interface WorldOptions {
  /** Gets a fresh subfolder for this world; keys from an earlier world in it are used again. */
  readonly folder: string;
  readonly finder: ToolFinder;
  /** Whether keyless signing is possible too. */
  readonly fulcio?: boolean;
  /** Whether there is a registry with the referrers API too. */
  readonly referrersRegistry?: boolean;
  /** Whether Dockerfiles can be built too, if this machine allows it. */
  readonly buildkit?: boolean;
  readonly log?: (line: string) => void;
}

/** Where everything is: plain data, which can be handed to other processes. */
export interface WorldAddresses {
  /** This world's own folder. */
  readonly folder: string;
  /** Stands for `hub.slipway.example`: a mirror of it that has every source image. */
  readonly source: RegistryAddress;
  /** Empty at first; without the referrers API. */
  readonly destination: RegistryAddress;
  /** With the referrers API. */
  readonly referrers?: RegistryAddress;
  /** The proxy that answers for `apk.slipway.example`; `GET <proxy>/requests` lists what was asked. */
  readonly proxy: string;
  /** Environment by which programs find the proxy. */
  readonly environment: Readonly<Record<string, string>>;
  /** What Trivy's `--db-repository` takes. */
  readonly database: string;
  readonly keys: Keys;
  readonly keyless?: Keyless;
  /** Where a buildkitd listens; absent where none can run. */
  readonly buildkit?: string;
  /** `library/alpine:3.20` → digest, of every image in the source registry. */
  readonly images: Readonly<Record<string, string>>;
  /** Tool name → absolute path, of the tools that the world was made with. */
  readonly tools: Readonly<Record<string, string>>;
}

/** Disposing of it ends every process it started and deletes its own folder; the keys stay. */
export interface World extends AsyncDisposable {
  readonly addresses: WorldAddresses;
}

const BUSYBOX = '/bin/busybox';

export async function startWorld(options: WorldOptions): Promise<World> {
  const log = options.log ?? (() => undefined);
  await mkdir(options.folder, { recursive: true });
  const folder = await mkdtemp(join(options.folder, 'world-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const processes = createProcesses();
  const kit = options.buildkit === true ? await buildkitFolder(join(folder, 'buildkit')) : undefined;
  if (kit !== undefined) stack.defer(() => rm(kit, { recursive: true, force: true }));
  stack.defer(() => processes.end());
  const addresses = await fill({ ...options, log, own: folder, kit, processes, stack });
  const kept = stack.move();
  return { addresses, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

interface Filling extends WorldOptions {
  readonly log: (line: string) => void;
  readonly own: string;
  /** The folder for a buildkitd, if there is to be one. */
  readonly kit: string | undefined;
  readonly processes: Processes;
  readonly stack: AsyncDisposableStack;
}

async function fill(filling: Filling): Promise<WorldAddresses> {
  const { own, processes, stack, log } = filling;
  const tools = await findTools(filling);
  const tool = (name: string): string => tools[name] ?? name;
  log('keys, and an Alpine repository signed with one of them');
  const keys = await ensureKeys({
    folder: join(filling.folder, 'keys'),
    cosign: tool('cosign'),
    melange: tool('melange'),
    run,
  });
  const site = join(own, 'apk.slipway.example');
  const packages = await worldPackages(BUSYBOX, run);
  await makeRepository({
    packages,
    folder: join(site, 'v3.20', 'main'),
    melange: tool('melange'),
    key: keys.packageKey,
    run,
  });
  await mkdir(join(site, 'keys'), { recursive: true });
  await copyFile(`${keys.packageKey}.pub`, join(site, 'keys', 'slipway.rsa.pub'));
  const proxy = await startProxy({ 'apk.slipway.example': site });
  stack.defer(() => proxy.close());

  log('registries, with source images and a vulnerability database');
  const [source, destination] = await Promise.all([
    startRegistry(processes, tool('registry'), join(own, 'source')),
    startRegistry(processes, tool('registry'), join(own, 'destination')),
  ]);
  const images: Record<string, string> = {};
  for (const [name, layout] of sourceImages) {
    images[name] = await pushLayout(layout, `${source.host}/${name}`, tool('crane'), run);
  }
  const database = await publishDatabase({
    folder: join(own, 'database'),
    vulndb: tool('vulndb'),
    crane: tool('crane'),
    host: source.host,
    run,
  });
  const registries = [source.host, destination.host];
  const buildkit =
    filling.kit === undefined || (await buildkitLacks()) !== undefined
      ? {}
      : { buildkit: await startBuildkit({ processes, buildkitd: tool('buildkitd'), folder: filling.kit, registries }) };
  const optional = await startOptional(filling, tool);
  return {
    folder: own,
    source,
    destination,
    proxy: proxy.url,
    environment: proxyEnvironment(proxy.url),
    database,
    keys,
    images,
    tools,
    ...buildkit,
    ...optional,
  };
}

async function startOptional(
  { own, processes, stack, fulcio, referrersRegistry }: Filling,
  tool: (name: string) => string,
): Promise<Pick<WorldAddresses, 'referrers' | 'keyless'>> {
  const referrers =
    referrersRegistry === true
      ? { referrers: await startReferrersRegistry(processes, tool('referrers-registry'), join(own, 'referrers')) }
      : {};
  if (fulcio !== true) return referrers;
  const keyless = await startKeyless({
    folder: join(own, 'keyless'),
    processes,
    fulcio: tool('fulcio'),
    timestampServer: tool('timestamp-server'),
    cosign: tool('cosign'),
    run,
    defer: (end) => stack.defer(end),
  });
  return { ...referrers, keyless };
}

/** The tools that {@link startWorld} needs with these options. */
export function worldTools(
  options: Pick<WorldOptions, 'buildkit' | 'fulcio' | 'referrersRegistry'>,
): readonly string[] {
  return [
    ...['cosign', 'crane', 'melange', 'registry', 'vulndb'],
    ...(options.buildkit === true ? ['buildkitd'] : []),
    ...(options.fulcio === true ? ['fulcio', 'timestamp-server'] : []),
    ...(options.referrersRegistry === true ? ['referrers-registry'] : []),
  ];
}

async function findTools(options: WorldOptions): Promise<Readonly<Record<string, string>>> {
  const entries = await Promise.all(
    worldTools(options).map(async (name) => {
      const pin = pinOf(name);
      if (pin === undefined) throw new Error(`no tool is called ${name}`);
      const found = await options.finder.find(pinnedNeed(pin));
      if (!found.ok) throw new Error(`${found.failure.message}. ${found.failure.hint ?? ''}`);
      return [name, found.value.path] as const;
    }),
  );
  return Object.fromEntries(entries);
}

/** Both spellings, because some programs read only one; loopback registries are never asked through the proxy. */
function proxyEnvironment(proxy: string): Readonly<Record<string, string>> {
  const direct = '127.0.0.1,localhost';
  return { HTTP_PROXY: proxy, http_proxy: proxy, NO_PROXY: direct, no_proxy: direct };
}
