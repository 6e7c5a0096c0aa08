/** The suite of a mode is only worth something if it catches modes that misbehave. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ok, type Result } from '../failure.ts';
import { writeImageLayout } from '../oci/write-layout.ts';
import type { BuildContext, Built, Mode, Plugin } from '../plugin/api.ts';
import { checks } from './checks.ts';
import { modeSubject } from './suite.ts';
import { createTestWorld, modeInput } from './world.ts';

const NAMES = {
  output: 'gives an output that its contract allows',
  twice: 'gives the same result twice',
  folders: 'writes only below its own folders',
  throws: 'answers hostile input with a failure and never throws',
};

const AMD64 = { os: 'linux', architecture: 'amd64' };

function modePlugin(build: Mode['build'], inputs?: Mode['inputs'], more: Partial<Mode> = {}): Plugin {
  const mode: Mode = {
    ...more,
    name: 'test',
    claims: (source) => source.endsWith('.test'),
    inputs:
      inputs ??
      (async ({ source }) =>
        ok({ files: [source], packageIndexes: [], bases: [], platforms: [AMD64], packages: [], options: {} })),
    build,
  };
  return {
    name: 'build-test',
    version: '1.0.0',
    api: '1.0',
    needs: { tools: [] },
    apply: (hooks) => hooks.mode.tapPromise('build-test', async (modes) => modes.add(mode)),
  };
}

async function layoutOf({ files }: BuildContext, architecture = 'amd64'): Promise<Result<Built>> {
  const content = Buffer.from('a');
  const layers = [[{ type: 'file', path: 'a', content } as const]];
  const made = await writeImageLayout(files.work, [{ platform: { os: 'linux', architecture }, layers }]);
  return made.ok ? ok({ layout: files.work }) : made;
}

async function verdictOf(check: keyof typeof NAMES, tested: Plugin): Promise<string | undefined> {
  let root = '';
  const subject = modeSubject({
    plugin: tested,
    mode: 'test',
    world: async () => {
      const made = await createTestWorld({ files: { 'a.test': '{"name":"a"}' } });
      onTestFinished(() => made.close());
      ({ root } = made);
      return made;
    },
    input: () => modeInput({ plugin: tested, mode: 'test', root, source: 'a.test' }),
    repeatable: ({ layout }) => readFile(join(layout, 'index.json'), 'utf8'),
  });
  const run = checks[NAMES[check]];
  return run === undefined ? 'no such check' : run(subject);
}

describe('the suite of a mode', () => {
  it('lets a mode pass that does as it should', async () => {
    const good = modePlugin((context) => layoutOf(context));
    for (const name of ['output', 'twice', 'folders', 'throws'] as const)
      expect(await verdictOf(name, good), name).toBeUndefined();
  });

  it('catches a layout that is none, whose bytes are others than their digest says, or that lacks a platform', async () => {
    expect(
      await verdictOf(
        'output',
        modePlugin(async ({ files }) => ok({ layout: files.work })),
      ),
    ).toContain('oci-layout');
    const swapped = modePlugin(async (context) => {
      const made = await layoutOf(context);
      const blobs = join(context.files.work, 'blobs', 'sha256');
      const index = JSON.parse(await readFile(join(context.files.work, 'index.json'), 'utf8'));
      const [manifest] = index.manifests;
      const { layers } = JSON.parse(await readFile(join(blobs, manifest.digest.slice(7)), 'utf8'));
      await writeFile(join(blobs, layers[0].digest.slice(7)), Buffer.alloc(layers[0].size, 'x'));
      return made;
    });
    expect(await verdictOf('output', swapped)).toContain('other bytes than');
    expect(
      await verdictOf(
        'output',
        modePlugin((context) => layoutOf(context, 'arm64')),
      ),
    ).toContain('lacks linux/amd64');
    const sbomOfNothing = modePlugin(async (context) => {
      const made = await layoutOf(context);
      return made.ok ? ok({ ...made.value, sboms: [{ digest: `sha256:${'a'.repeat(64)}`, spdx: {} }] }) : made;
    });
    expect(await verdictOf('output', sbomOfNothing)).toContain('no platform of the image');
  });

  it('asks a mode that makes one platform at a time for one', async () => {
    const single = modePlugin(
      (context) => layoutOf(context),
      async ({ source }) => {
        const platforms = [AMD64, { os: 'linux', architecture: 'arm64' }];
        return ok({ files: [source], packageIndexes: [], bases: [], platforms, packages: [], options: {} });
      },
      { perPlatform: true },
    );
    expect(await verdictOf('output', single)).toBeUndefined();
  });

  it('catches a mode that throws at a source that is broken', async () => {
    const trusting = modePlugin(
      (context) => layoutOf(context),
      async ({ source }, files) => {
        const text = await files.read(source);
        if (!text.ok) return text;
        const { name } = JSON.parse(text.value);
        return ok({
          files: [source],
          packageIndexes: [],
          bases: [],
          platforms: [AMD64],
          packages: [],
          options: { name: String(name) },
        });
      },
    );
    expect(await verdictOf('output', trusting)).toBeUndefined();
    expect(await verdictOf('throws', trusting)).toContain('inputs threw');
  });
});
