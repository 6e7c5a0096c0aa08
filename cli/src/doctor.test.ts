/** `doctor` names what a run would refuse to begin without. */
import { generateKeyPairSync } from 'node:crypto';
import { seedImage, startScriptedRegistry } from '@slipway/core/testing';
import { expect, it } from 'vitest';
import { command, folderWith } from '../testing.ts';

const OLDER = `export default {
  name: 'older',
  version: '1.0.0',
  api: '1.0',
  needs: { tools: [{ name: 'older-signer', range: '1' }] },
  apply: (hooks) => hooks.task.for('payload.sign@1').tapPromise('older', async () => {}),
};
`;

it.each(['run', 'doctor'])('%s names the tool of a plugin that signs in the older format alone', async (name) => {
  await using hub = await startScriptedRegistry();
  seedImage(hub, 'one', 'one', { tag: '1' });
  const publicKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
  const cwd = folderWith({
    'config.yaml': `sync:\n  - { source: '${hub.host}/one:1', destination: '${hub.host}/mirror/one:1' }\n`,
    'slipway.config.yaml': [
      'plugins: [./older.mjs]',
      'use: { payload.sign: older }',
      'signing: { key: env://KEY, publicKey: cosign.pub, format: both }\n',
    ].join('\n'),
    'cosign.pub': String(publicKey.export({ type: 'spki', format: 'pem' })),
    'older.mjs': OLDER,
  });
  const { stdout, stderr } = await command({ cwd, env: { KEY: 'key', PATH: process.env['PATH'] ?? '' } }, name);
  expect(stdout + stderr).toContain('older-signer 1 was not found');
});

it('says of signing either that it is well or what it lacks', async () => {
  await using hub = await startScriptedRegistry();
  seedImage(hub, 'one', 'one', { tag: '1' });
  const cwd = folderWith({
    'config.yaml': `sync:\n  - { source: '${hub.host}/one:1', destination: '${hub.host}/mirror/one:1' }\n`,
    'slipway.config.yaml': 'signing: { keyless: { issuer: https://issuer.example, subject: someone } }\n',
  });
  const env = { PATH: process.env['PATH'] ?? '' };
  const signing = async (more: Readonly<Record<string, string>>): Promise<readonly string[]> =>
    (await command({ cwd, env: { ...env, ...more } }, 'doctor')).stdout
      .split('\n')
      .filter((line) => line.includes(' signing: '));
  expect(await signing({})).toEqual([expect.stringContaining('no key and no ambient identity')]);
  expect(await signing({ SIGSTORE_ID_TOKEN: 'token' })).toEqual([expect.stringMatching(/^ok +signing: keyless$/)]);
});

it('warns of a key with a password that nobody gave', async () => {
  await using hub = await startScriptedRegistry();
  seedImage(hub, 'one', 'one', { tag: '1' });
  const publicKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
  const cwd = folderWith({
    'config.yaml': `sync:\n  - { source: '${hub.host}/one:1', destination: '${hub.host}/mirror/one:1' }\n`,
    'slipway.config.yaml': 'signing: { key: ./cosign.key, publicKey: cosign.pub }\n',
    'cosign.pub': String(publicKey.export({ type: 'spki', format: 'pem' })),
    'cosign.key': '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n',
  });
  const env = { PATH: process.env['PATH'] ?? '' };
  expect((await command({ cwd, env }, 'doctor')).stdout).toContain('COSIGN_PASSWORD is not set');
  const given = await command({ cwd, env: { ...env, COSIGN_PASSWORD: '' } }, 'doctor');
  expect(given.stdout).not.toContain('COSIGN_PASSWORD');
});
