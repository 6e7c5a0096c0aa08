/** The contract suite on the mode `ko`, with the real ko and a base image on loopback. */
import { cp, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseReference, pin, type Digest, type Pinned } from '@slipway/core';
import {
  createTestContext,
  createTestWorld,
  modeInput,
  modeSuite,
  seedImage,
  startScriptedRegistry,
} from '@slipway/core/testing';
import { createToolFinder } from '@slipway/tools';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import plugin from '../src/index.ts';

const fixture = join(import.meta.dirname, '..', 'fixture');

const registry = await startScriptedRegistry();
afterAll(() => registry[Symbol.asyncDispose]());
const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }));
const { digest } = seedImage(registry, 'base', 'base', { tag: '1', platforms });
const options = { base: `${registry.host}/base:1` };
const base: Pinned = pin({ registry: registry.host, path: 'base' }, digest as Digest);

// Compiled once for all checks.
const env = { ...process.env, GOCACHE: process.env['GOCACHE'] ?? join(homedir(), '.cache', 'go-build') };

let root = '';

async function world() {
  const made = await createTestWorld({ files: {}, finder: createToolFinder({ env: process.env }) });
  onTestFinished(() => made.close());
  await cp(fixture, made.root, { recursive: true });
  root = made.root;
  return { ...made, env };
}

const input = (entry = {}) =>
  modeInput({ plugin, options, mode: 'ko', root, source: 'cmd/hello/main.go', entry, bases: { [options.base]: base } });

const rootOf = ({ layout }: { readonly layout: string }): Promise<string> =>
  readFile(join(layout, 'index.json'), 'utf8');

modeSuite({ describe, it }, { plugin, options, mode: 'ko', world, input, repeatable: rootOf, timeout: 300_000 });

describe('build-ko', () => {
  it('makes an index of the platforms that are asked for, laid on the pinned base', async () => {
    const made = await world();
    const context = await createTestContext({ ...made, plugin, timeout: 300_000 });
    const given = await input({ platforms });
    const { mode } = await modeOf();
    const built = await mode.build({ ...context, ...given });
    if (!built.ok) throw new Error(JSON.stringify(built.failure));
    const blob = async (
      name: string,
    ): Promise<{ manifests: { platform: unknown; digest: string }[]; annotations: unknown }> =>
      JSON.parse(await readFile(join(built.value.layout, 'blobs', name.replace(':', '/')), 'utf8'));
    const top = JSON.parse(await rootOf(built.value)) as { manifests: { digest: string }[] };
    const index = await blob(top.manifests[0]?.digest ?? '');
    expect(index.manifests.map(({ platform }) => platform)).toEqual(expect.arrayContaining(platforms));
    expect(index.annotations).toMatchObject({
      'org.opencontainers.image.base.name': `${registry.host}/base@${digest}`,
    });
    expect(built.value.materials).toEqual([
      { uri: `oci://${registry.host}/base@${digest}`, digest: { sha256: digest.slice('sha256:'.length) } },
    ]);
  }, 300_000);

  it('is made anew when any file of the module changes, also one that a replace line names', async () => {
    const { mode } = await modeOf();
    const made = await createTestWorld({
      files: {
        'a/go.mod': 'module a.example/a\n\nreplace b.example/b => ../b\n',
        'a/cmd/main.go': '',
        'b/b.go': '',
        'c/c.go': '',
      },
    });
    onTestFinished(() => made.close());
    const given = await modeInput({ plugin, options, mode: mode.name, root: made.root, source: 'a/cmd/main.go' });
    expect(given.inputs.files).toEqual(['a/cmd/main.go', 'a/go.mod', 'b/b.go']);
    expect(given.inputs.bases).toEqual([{ text: options.base, reference: expect.objectContaining({ tag: '1' }) }]);
  });

  it('never lets ko resolve the base by itself, which could change unseen', async () => {
    const made = await world();
    const context = await createTestContext({ ...made, plugin });
    const { mode } = await modeOf();
    expect(await mode.build({ ...context, ...(await input()), bases: {} })).toMatchObject({
      failure: { reason: 'config', message: `the base image "${options.base}" was not pinned` },
    });
  });

  it('says what to do when there is no module', async () => {
    const made = await createTestWorld({ files: { 'main.go': 'package main' } });
    onTestFinished(() => made.close());
    const asked = modeInput({ plugin, options, mode: 'ko', root: made.root, source: 'main.go' });
    await expect(asked).rejects.toThrow('there is no go.mod in the folder of "main.go" or above it');
  });
});

async function modeOf() {
  const { koMode } = await import('../src/mode.ts');
  const reference = parseReference(options.base);
  if (!reference.ok) throw new Error(reference.failure.message);
  return { mode: koMode({ text: options.base, reference: reference.value }, '') };
}
