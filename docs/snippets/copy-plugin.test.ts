/** The contract suite on a plugin that copies, between two registries in memory. */
import { pin, type Pinned } from '@slipway/core';
import { contractSuite, createTestWorld, seedImage, startScriptedRegistry } from '@slipway/core/testing';
import { describe, it, onTestFinished } from 'vitest';
import plugin from './copy-plugin.ts';

async function registry() {
  const started = await startScriptedRegistry();
  onTestFinished(() => started[Symbol.asyncDispose]());
  return started;
}

contractSuite(
  { describe, it },
  {
    plugin,
    contract: 'image.copy@1',
    world: async () => {
      const world = await createTestWorld({ files: {} });
      onTestFinished(() => world.close());
      return world;
    },
    input: async () => {
      const [from, to] = [await registry(), await registry()];
      const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }));
      const { digest } = seedImage(from, 'library/hello', 'hello', { platforms });
      const source: Pinned = pin({ registry: from.host, path: 'library/hello' }, digest);
      return { sources: [source], destination: { ...source, registry: to.host } };
    },
  },
);
