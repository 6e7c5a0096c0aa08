/** What the entry asks of a build mode, and another one makes: nothing of it is published. */
import { join } from 'node:path';
import { startScriptedRegistry } from '@slipway/core/testing';
import { expect, it } from 'vitest';
import { command, folderWith } from '../testing.ts';

const core = join(import.meta.dirname, '../../core/src/oci/write-layout.ts');

/** Makes the same image whatever it is asked for. */
const stubborn = `import { join } from 'node:path';
import { writeImageLayout } from '${core}';

const platform = { os: 'linux', architecture: 'amd64' };
const mode = {
  name: 'stubborn',
  claims: (source) => source.endsWith('.txt'),
  inputs: async ({ source }) => ({
    ok: true,
    value: { files: [source], packageIndexes: [], bases: [], platforms: [platform], packages: [], options: {} },
  }),
  build: async ({ files }) => {
    const layout = join(files.work, 'layout');
    await writeImageLayout(layout, [{ platform, layers: [[{ type: 'file', path: 'a', content: Buffer.from('a') }]] }]);
    return { ok: true, value: { layout } };
  },
};
export default {
  name: 'build-stubborn',
  version: '1.0.0',
  api: '1.0',
  needs: { tools: [] },
  apply: (hooks) => hooks.mode.tapPromise('build-stubborn', async (modes) => modes.add(mode)),
};
`;

it.each([
  ['', 'published'],
  [', platforms: [linux/amd64]', 'published'],
  [', platforms: [linux/arm64]', 'failed'],
  [', platforms: [linux/amd64, linux/arm64]', 'failed'],
])('an entry%s is %s', async (more, outcome) => {
  await using registry = await startScriptedRegistry();
  const cwd = folderWith({
    'slipway.config.yaml': "trust: [{ match: '*', level: copy }]\nplugins: [./stubborn.mjs]\n",
    'config.yaml': `build:\n  - { source: ./a.txt, destination: '${registry.host}/a:1'${more} }\n`,
    'a.txt': '',
    'stubborn.mjs': stubborn,
  });
  const { stdout } = await command({ cwd }, 'run', '--json');
  const [row] = (JSON.parse(stdout) as { readonly entries: readonly { readonly outcome: string }[] }).entries;
  expect(row?.outcome, stdout).toBe(outcome);
  expect(registry.tags('a')).toEqual(outcome === 'published' ? ['1'] : []);
});
