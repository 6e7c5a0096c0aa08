/** Tools that end well and say nothing, or nonsense: that is their failure, and no bug of the plugin that started them. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { createHost, loadPlugins, parseRepository, pin, type ContractInput, type Plugin } from '@slipway/core';
import { createTestContext, createTestWorld, seedImage, startScriptedRegistry } from '@slipway/core/testing';
import { expect, it, onTestFinished } from 'vitest';
import { folderWith } from '../testing.ts';
import { ourPlugins } from './default-plugins.ts';

const AMD64 = { os: 'linux', architecture: 'amd64' };

/** Whatever it is told to write to. */
const SCRIBBLES = `#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in
    --output | --bundle) out=\${2#spdx-json=}; echo '{' >"$out" ;;
  esac
  shift
done
`;

it.each([
  ['scan-trivy', 'image.scan@1', 'trivy'],
  ['scan-trivy', 'sbom.make@1', 'trivy'],
  ['sbom-syft', 'sbom.make@1', 'syft'],
  ['sign-cosign', 'statement.sign@1', 'cosign'],
  ['sign-cosign', 'payload.sign@1', 'cosign'],
] as const)('%s: %s of a silent %s', async (name, contract, tool) => {
  await using registry = await startScriptedRegistry();
  const plugin = await ourPlugins.get(name)?.();
  if (plugin === undefined) throw new Error(`there is no ${name}`);
  const { digest } = seedImage(registry, 'a', 'a', { platforms: [AMD64] });
  const repository = parseRepository(`${registry.host}/a`);
  if (!repository.ok) throw new Error(repository.failure.message);
  const signing = { key: '/nowhere.key' };
  const inputs = {
    'image.scan@1': { subject: pin(repository.value, digest), children: [{ digest, platform: AMD64 }] },
    'sbom.make@1': { subject: pin(repository.value, digest), children: [{ digest, platform: AMD64 }] },
    'statement.sign@1': {
      statement: {
        _type: 'https://in-toto.io/Statement/v1',
        subject: [{ digest: { sha256: 'a'.repeat(64) } }],
        predicateType: 'https://example.org/x',
        predicate: {},
      },
      signing,
    },
    'payload.sign@1': { payload: Buffer.from('{}').toString('base64'), signing },
  };
  const said = async (script: string): Promise<unknown> => {
    const result = await call(plugin, contract, inputs[contract] as ContractInput<typeof contract>, script);
    return result.ok ? 'succeeded' : { ...result.failure, output: undefined };
  };
  expect(await said('#!/bin/sh\n')).toMatchObject({
    reason: 'tool',
    tool,
    message: `${tool} ended well, but wrote no result`,
  });
  expect(await said(SCRIBBLES)).not.toMatchObject({ reason: 'plugin' });
});

async function call<N extends 'image.scan@1' | 'sbom.make@1' | 'statement.sign@1' | 'payload.sign@1'>(
  plugin: Plugin,
  contract: N,
  input: ContractInput<N>,
  script: string,
) {
  const path = join(folderWith({ tool: script }), 'tool');
  chmodSync(path, 0o755);
  const finder = {
    find: async ({ name }: { readonly name: string }) =>
      ({ ok: true, value: { name, path, version: '1.0.0' } }) as const,
  };
  const world = await createTestWorld({ files: {}, finder });
  onTestFinished(() => world.close());
  const settings = { folder: '/', plugins: [{ name: plugin.name, options: {} }] };
  const loaded = await loadPlugins({ settings, defaults: new Map([[plugin.name, async () => plugin]]) });
  const host = loaded.ok ? await createHost(loaded.value, {}) : loaded;
  if (!host.ok) throw new Error(host.failures.map(({ message }) => message).join('\n'));
  const context = await createTestContext({ ...world, plugin });
  try {
    return await host.value.call(contract, input, context);
  } finally {
    await context.close();
  }
}
