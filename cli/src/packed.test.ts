/** The packed command on a Node.js that it is not for. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import semver from 'semver';
import { expect, it } from 'vitest';
import { folderWith } from '../testing.ts';
import { NODE_RANGE } from './version.ts';

/** This Node, which says that it is another one. */
function packedOn(version: string) {
  const folder = folderWith({
    'pretend.cjs': `Object.defineProperty(process.versions, 'node', { value: '${version}' });`,
  });
  const args = ['--require', join(folder, 'pretend.cjs'), '--disable-warning=ExperimentalWarning'];
  return spawnSync(process.execPath, [...args, join(import.meta.dirname, 'packed.ts'), 'plan'], { encoding: 'utf8' });
}

it('says of a Node that is too old which one it needs, as of any tool that is missing', () => {
  const { status, stderr } = packedOn('20.20.2');
  expect(stderr).toBe(
    `tool: Node.js 20.20.2 is too old: slipway needs ${NODE_RANGE}\n  put a newer one first on PATH\n`,
  );
  expect(status).toBe(5);
});

it('begins on the oldest that the package is for', () => {
  const { major = 0, version = '' } = semver.minVersion(NODE_RANGE) ?? {};
  expect(packedOn(version).stderr).not.toContain('too old');
  expect(packedOn(`${major - 1}.99.0`).stderr).toContain('too old');
});
