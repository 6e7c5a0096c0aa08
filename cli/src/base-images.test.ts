/** What is said of images that a build is made on. */
import { seedImage, startScriptedRegistry } from '@slipway/core/testing';
import { expect, it } from 'vitest';
import { command, folderWith } from '../testing.ts';

it('a base that cannot be asked for is named: nothing but the Dockerfile says that its registry is needed', async () => {
  await using hub = await startScriptedRegistry();
  const { host } = hub;
  seedImage(hub, 'base', 'base', { tag: '1' });
  hub.onRequest = ({ path }) => (path.includes('/frontend/') ? { kind: 'answer', status: 403 } : undefined);
  const cwd = folderWith({
    'config.yaml': `build:\n  - { source: ./Dockerfile, destination: '${host}/app:1' }\n`,
    Dockerfile: `# syntax=${host}/frontend:1\nFROM ${host}/base:1\n`,
  });
  const told = await command({ cwd }, 'why', '--resolve');
  expect(told.stdout).toContain(`source registry: the base ${host}/frontend:1: `);
});
