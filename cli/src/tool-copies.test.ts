/** A swap to a tool that cannot keep to what the settings say of a registry is told of. */
import { expect, it } from 'vitest';
import { command, folderWith } from '../testing.ts';

const config = {
  'config.yaml': 'sync:\n  - { source: a.example/a:1, destination: b.example/a:1 }\n',
};
const registries =
  'registries: [{ match: b.example, bandwidth: 1MB/s, reserve: 3 }, { match: c.example, connections: 2 }]\n';

it.each([
  ['sync-registry', `${registries}limits: { bandwidth: 9MB/s }\n`, ''],
  ['sync-crane', '', ''],
  ['sync-crane', 'registries: [{ match: c.example, bandwidth: 1MB/s }]\n', ''],
  [
    'sync-crane',
    registries,
    'warning: sync-crane copies with crane, which is not told bandwidth, reserve of b.example: sync-registry keeps to it\n',
  ],
  [
    'sync-skopeo',
    'limits: { bandwidth: 9MB/s }\n',
    'warning: sync-skopeo copies with skopeo, which is not told limits.bandwidth: sync-registry keeps to it\n',
  ],
])('%s with %j', async (plugin, settings, warning) => {
  const cwd = folderWith({ ...config, 'slipway.config.yaml': `use: { image.copy: ${plugin} }\n${settings}` });
  const { code, stderr } = await command({ cwd }, 'plan');
  expect([code, stderr]).toEqual([0, warning]);
});
