/** A plugin that copies, and says that it has when it has not: it is named, and not the registry alone. */
import { seedImage, startScriptedRegistry } from '@slipway/core/testing';
import { expect, it } from 'vitest';
import { command, folderWith } from '../testing.ts';

const PLATFORMS = ['amd64', 'arm64', 's390x'].map((architecture) => ({ os: 'linux', architecture }));

const LIAR = `export default {
  name: 'sync-nothing', version: '1.0.0', api: '1.0', needs: { tools: [] },
  apply: (hooks) => hooks.task.for('image.copy@1').tapPromise('sync-nothing', async ({ destination: { digest } }) => ({ ok: true, value: { digest } })),
};`;

it.each([
  ['a whole image', ''],
  ['some platforms of one', ', platforms: [linux/amd64, linux/arm64]'],
])('%s', async (_, more) => {
  await using registry = await startScriptedRegistry();
  seedImage(registry, 'from', 'a', { platforms: PLATFORMS, tag: '1' });
  const { host } = registry;
  const cwd = folderWith({
    'config.yaml': `sync:\n  - { source: '${host}/from:1', destination: '${host}/to:1'${more} }\n`,
    'slipway.config.yaml':
      "plugins: [./liar.mjs]\nuse: { image.copy: sync-nothing }\ntrust: [{ match: '*', level: copy }]\nlimits: { tries: 1 }\n",
    'liar.mjs': LIAR,
  });
  const ran = await command({ cwd }, 'sync');
  expect(ran.code, ran.stdout).toBe(1);
  expect(ran.stdout).toContain('though plugin sync-nothing answered that it had copied it');
  expect(ran.stdout).toContain('report it to the author of plugin sync-nothing');
});
