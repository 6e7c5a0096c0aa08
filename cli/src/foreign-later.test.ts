/** Layers that registries only point to, asked for once the image was copied without them. */
import { startScriptedRegistry } from '@slipway/core/testing';
import { expect, test } from 'vitest';
import { command, folderWith } from '../testing.ts';

const SETTINGS = "trust: [{ match: '*', level: copy }]\nlimits: { rampUp: false }\n";
const DOCKER = 'application/vnd.docker.';

test.each([
  ['is always copied', 'always: true'],
  ['gets another tag', 'tags: [x]'],
  ['gets another tag, and of which some platforms are wanted', 'tags: [x], platforms: [windows/amd64]'],
])('are fetched for an image that %s', async (_, option) => {
  await using store = await startScriptedRegistry();
  await using source = await startScriptedRegistry();
  await using destination = await startScriptedRegistry();
  const layer = store.putBlob('away', 'far away');
  const image = source.putManifest('a', {
    schemaVersion: 2,
    mediaType: `${DOCKER}distribution.manifest.v2+json`,
    config: { mediaType: `${DOCKER}container.image.v1+json`, digest: source.putBlob('a', '{}'), size: 2 },
    layers: [
      {
        mediaType: `${DOCKER}image.rootfs.foreign.diff.tar.gzip`,
        digest: layer,
        size: 8,
        urls: [`http://${store.host}/v2/away/blobs/${layer}`],
      },
    ],
  });
  const manifests = ['amd64', 'arm64'].map((architecture) => ({ ...image, platform: { os: 'windows', architecture } }));
  source.putManifest(
    'a',
    { schemaVersion: 2, mediaType: `${DOCKER}distribution.manifest.list.v2+json`, manifests },
    '1',
  );
  const sync = async (options: string) => {
    const entry = `{ source: '${source.host}/a:1', destination: '${destination.host}/a:1', ${options} }`;
    const cwd = folderWith({ 'config.yaml': `sync: [${entry}]\n`, 'slipway.config.yaml': SETTINGS });
    const { code, stderr } = await command({ cwd }, 'sync');
    expect(code, stderr).toBe(0);
  };
  await sync(option.replace('tags: [x]', 'tags: []'));
  expect(destination.blob('a', layer)).toBeUndefined();
  await sync(`${option}, foreignLayers: true`);
  expect(destination.blob('a', layer)).toBeDefined();
});

test('are refused with their line before anything runs, where skopeo is to copy them', async () => {
  await using registry = await startScriptedRegistry();
  const entry = (name: string, from: string): string =>
    `  - { source: '${from}', destination: '${registry.host}/${name}:1', foreignLayers: true }\n`;
  const files = (use: string) => ({
    // What is in the file system skopeo is not asked for.
    'config.yaml': `sync:\n${entry('a', `${registry.host}/from:1`)}${entry('b', 'oci:./layout:1')}`,
    'slipway.config.yaml': `${SETTINGS}use: { image.copy: ${use} }\n`,
  });
  const cwd = folderWith(files('sync-skopeo'));
  const { code, stdout } = await command({ cwd }, 'sync', '--json');
  expect(code).toBe(2);
  const { failures } = JSON.parse(stdout) as { readonly failures: readonly { readonly reason: string }[] };
  expect(failures.filter(({ reason }) => reason === 'config')).toEqual([
    expect.objectContaining({
      message: `skopeo leaves the layers of sync:${registry.host}/a:1 that registries only point to where they are`,
      at: { file: expect.stringContaining('config.yaml'), line: 2, column: 5 },
    }),
  ]);
  expect(registry.log).toEqual([]);
  // Whoever copies, the plan says so in the same words.
  const plans = [cwd, folderWith(files('sync-registry'))].map((folder) => command({ cwd: folder }, 'plan', '--json'));
  const [swapped, own] = await Promise.all(plans);
  expect(swapped).toEqual(own);
});
