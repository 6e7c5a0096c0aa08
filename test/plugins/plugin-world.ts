/** What the tests of plugins share: a context in the world, and one plugin on a host of its own. */
import { pin, type Digest, type Pinned, type Plugin, type Result, type TaskContext } from '@slipway/core';
import { createTestContext, type TestContext, type TestWorld } from '@slipway/core/testing';
import { createToolFinder } from '@slipway/tools';
import { createServer, type RequestListener } from 'node:http';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createHost, type Host } from '../../core/src/plugin/host.ts';
import { loadPlugins } from '../../core/src/plugin/load.ts';
import { createRegistry } from '../../core/src/registry/client.ts';
import { worldEnvironment } from '../../demo/world/settings.ts';
import { freshFolder, world } from '../world.ts';

/** Fresh folders; the tools and registries of the shared world. */
export async function pluginWorld(changes: Partial<TestWorld> = {}): Promise<TestWorld> {
  const folder = await freshFolder();
  const [root, work] = [join(folder, 'root'), join(folder, 'work')];
  await mkdir(root);
  await mkdir(work);
  const plainHttp = (host: string): boolean => host.startsWith('127.0.0.1:');
  const credentials = {
    login: async () => ({ ok: true as const, value: undefined }),
    dockerConfigFor: async () => ({ auths: {} }),
  };
  const registry = createRegistry({ plainHttp, mirrors: [], credentials, perHost: 6, retries: 0 });
  onTestFinished(() => registry.close());
  const env = { ...process.env, ...worldEnvironment(world()) };
  return { finder: createToolFinder({ env: process.env }), registry, plainHttp, root, work, env, ...changes };
}

/** Only this plugin, loaded as the engine loads it. */
export async function hostOf(plugin: Plugin, options: Readonly<Record<string, unknown>> = {}): Promise<Host> {
  const settings = { folder: '/', plugins: [{ name: plugin.name, options }] };
  const loaded = await loadPlugins({ settings, defaults: new Map([[plugin.name, async () => plugin]]) });
  const hosted = loaded.ok ? await createHost(loaded.value, {}) : loaded;
  if (!hosted.ok) throw new Error(hosted.failures.map(({ message }) => message).join('\n'));
  return hosted.value;
}

/** A context of one task; its folders are gone after the test. */
export async function contextOf(plugin: Plugin, testWorld: TestWorld): Promise<TestContext> {
  const context = await createTestContext({ ...testWorld, plugin });
  onTestFinished(() => context.close());
  return context;
}

/** The same context, with every start of a tool written down. */
export function recorded(context: TaskContext, starts: string[][]): TaskContext {
  return {
    ...context,
    exec: (tool, args, options) => {
      starts.push([tool, ...args]);
      return context.exec(tool, args, options);
    },
  };
}

/** `127.0.0.1:PORT`; ended after the test. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no address');
  return `127.0.0.1:${address.port}`;
}

export function pinned(host: string, path: string, digest: string): Pinned {
  return pin({ registry: host, path }, digest as Digest);
}

export function must<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.failure));
}
