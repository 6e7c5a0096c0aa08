/** The command of a checkout, with what was made elsewhere. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderWith } from '../testing.ts';

const core = join(import.meta.dirname, '..', '..', 'core', 'package.json');

function plan(files: Readonly<Record<string, string>>): { readonly status: number | null; readonly stderr: string } {
  const cwd = folderWith({ 'config.yaml': 'build: []\n', ...files });
  const args = ['--conditions=slipway-source', join(import.meta.dirname, 'main.ts'), 'plan'];
  const env = { PATH: process.env['PATH'], HOME: cwd, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' };
  return spawnSync(process.execPath, args, { cwd, encoding: 'utf8', env });
}

const plugin = (name: string): string =>
  `{ name: '${name}', version: '1.0.0', api: '1.0', needs: { tools: [] }, apply() {} }`;

test('a plugin may have a core of its own as it was packed, which has no sources', () => {
  const { status, stderr } = plan({
    'slipway.config.yaml': 'plugins: [./plugin.mjs]\n',
    'plugin.mjs': "import plugin from '@slipway/core';\nexport default plugin;\n",
    'node_modules/@slipway/core/package.json': readFileSync(core, 'utf8'),
    'node_modules/@slipway/core/dist/index.js': `export default ${plugin('outside')};\n`,
  });
  expect(status, stderr).toBe(0);
});

test('a plugin may be CommonJS, also as TypeScript compiles a module to it', () => {
  const { status, stderr } = plan({
    'slipway.config.yaml': 'plugins: [./written.cjs, compiled]\n',
    'written.cjs': `module.exports = ${plugin('written')};\n`,
    'node_modules/compiled/package.json': '{"name":"compiled","main":"./index.js"}',
    'node_modules/compiled/index.js': `Object.defineProperty(exports, '__esModule', { value: true });
exports.default = ${plugin('compiled')};\n`,
  });
  expect(status, stderr).toBe(0);
});
