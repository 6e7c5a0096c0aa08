/** Plugins whose answers are well-formed, and wrong: they are named, and not the registry alone. */
import { seedImage, startScriptedRegistry } from '@slipway/core/testing';
import { expect, it } from 'vitest';
import { ownSettings, ownSigner } from '../own-signer.ts';
import { command, folderWith } from '../testing.ts';

const PLATFORMS = ['amd64', 'arm64', 's390x'].map((architecture) => ({ os: 'linux', architecture }));

const LIAR = `export default {
  name: 'sync-nothing', version: '1.0.0', api: '1.0', needs: { tools: [] },
  apply: (hooks) => hooks.task.for('image.copy@1').tapPromise('sync-nothing', async ({ destination: { digest } }) => ({ ok: true, value: { digest } })),
};`;

it.each([
  ['a whole image', ''],
  ['some platforms of one', ', platforms: [linux/amd64, linux/arm64]'],
])('that said it had copied %s', async (_, more) => {
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

it('that altered an image', async () => {
  await using registry = await startScriptedRegistry();
  seedImage(registry, 'from', 'a', { tag: '1' });
  const cwd = folderWith({
    'config.yaml': `sync:\n  - { source: '${registry.host}/from:1', destination: '${registry.host}/to:1' }\n`,
    'slipway.config.yaml':
      "plugins: [./liar.mjs]\nuse: { image.copy: sync-nothing }\ntrust: [{ match: '*', level: copy }]\n",
    'liar.mjs': LIAR.replace('value: { digest }', "value: { digest: 'sha256:' + '3'.repeat(64) }"),
  });
  const ran = await command({ cwd }, 'sync');
  expect(ran.code, ran.stdout).toBe(1);
  expect(ran.stdout).toContain('plugin sync-nothing altered the image');
});

/** Answers `run` where an honest plugin would do as it is asked. */
function answering(contract: string, run: string): string {
  return `const at = '2026-01-02T03:04:05Z';
    const other = 'sha256:' + '3'.repeat(64);
    const scan = (digests) => ({ scanner: { name: 'own', version: '1', uri: 'https://own.example' }, startedAt: at, finishedAt: at,
      platforms: digests.map((digest) => ({ digest, platform: 'linux/amd64', status: 'scanned', packages: 1, findings: [] })) });
    const run = ${run};
    export default { name: 'liar', version: '1.0.0', api: '1.1', needs: { tools: [] },
      apply: (hooks) => hooks.task.for('${contract}').tapPromise('liar', async (input) => ({ ok: true, value: run(input) })) };`;
}

it.each<[string, string, string, string]>([
  [
    'of another image',
    'image.scan@1',
    '() => scan([other])',
    `answer for sha256:${'3'.repeat(64)}, of which it was not`,
  ],
  ['of one platform', 'image.scan@1', '({ children }) => scan([children[0].digest])', 'whether linux/arm64'],
  ['of another', 'sbom.make@1', '() => ({ documents: [{ digest: other, spdx: {} }] })', 'of which it was not asked'],
  ['of no platform', 'sbom.make@1', '() => ({ documents: [] })', 'gave none for linux/amd64'],
])('that answered %s to %s', async (_, contract, run, said) => {
  await using registry = await startScriptedRegistry();
  const { host } = registry;
  for (const name of ['from', 'to']) seedImage(registry, name, 'a', { platforms: PLATFORMS.slice(0, 2), tag: 'known' });
  const own = contract.replace('@1', ': own');
  const cwd = folderWith({
    ...ownSigner(),
    'config.yaml': `sync:\n  - { source: '${host}/from:known', destination: '${host}/to:1' }\n`,
    'slipway.config.yaml': ownSettings()
      .replace('./own.mjs', './own.mjs, ./liar.mjs')
      .replace(own, own.replace('own', 'liar')),
    'liar.mjs': answering(contract, run),
  });
  const ran = await command({ cwd }, 'sync');
  expect(ran.code, ran.stdout).toBe(1);
  expect(ran.stdout).toContain(`plugin liar: ${contract} `);
  expect(ran.stdout).toContain(said);
  expect(ran.stdout).not.toContain('slipway doctor');
});
