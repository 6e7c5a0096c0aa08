/** `doctor` names what a run would refuse to begin without. */
import { generateKeyPairSync } from 'node:crypto';
import { seedImage, startScriptedRegistry } from '@slipway/core/testing';
import { expect, it } from 'vitest';
import { ownSettings, ownSigner } from '../own-signer.ts';
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

it('tries the key: a run finds out before anything is copied, and not once all is scanned', async () => {
  await using hub = await startScriptedRegistry();
  seedImage(hub, 'one', 'one', { tag: '1' });
  const cwd = folderWith({
    ...ownSigner(),
    'own.pub': ownSigner()['own.pub'] ?? '',
    'slipway.config.yaml': ownSettings(),
    'config.yaml': `sync:\n  - { source: '${hub.host}/one:1', destination: '${hub.host}/mirror/one:1' }\n`,
  });
  const said = 'what was signed does not verify';
  const looked = await command({ cwd }, 'doctor');
  expect([looked.code, looked.stdout]).toEqual([1, expect.stringMatching(new RegExp(`^FAIL +signing: ${said}`, 'm'))]);
  const ran = await command({ cwd }, 'run');
  expect([ran.code, ran.stdout]).toEqual([1, expect.stringContaining(said)]);
  expect(hub.log.filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([]);
  expect((await command({ cwd }, 'run', '--to', `${hub.host}/try`)).code).toBe(0);
});
