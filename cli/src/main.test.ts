/** The command of a checkout, with what was made elsewhere. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderWith } from '../testing.ts';

const core = join(import.meta.dirname, '..', '..', 'core', 'package.json');

test('a plugin may have a core of its own as it was packed, which has no sources', () => {
  const cwd = folderWith({
    'config.yaml': 'build: []\n',
    'slipway.config.yaml': 'plugins: [./plugin.mjs]\n',
    'plugin.mjs': "import plugin from '@slipway/core';\nexport default plugin;\n",
    'node_modules/@slipway/core/package.json': readFileSync(core, 'utf8'),
    'node_modules/@slipway/core/dist/index.js':
      "export default { name: 'outside', version: '1.0.0', api: '1.0', needs: { tools: [] }, apply() {} };\n",
  });
  const args = ['--conditions=slipway-source', join(import.meta.dirname, 'main.ts'), 'plan'];
  const env = { PATH: process.env['PATH'], HOME: cwd, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' };
  const { status, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', env });
  expect(status, stderr).toBe(0);
});
