/** A destination that once took an index without what it names: its copy is made whole. */
import { expect, test } from 'vitest';
import { seedImage, startScriptedRegistry } from '../../core/src/testing/index.ts';
import { project } from '../chain/project.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';

test.each([
  ['when its tag has to move', { tagged: false, always: false }],
  ['always, where that is asked for', { tagged: true, always: true }],
])('%s', async (_, { tagged, always }) => {
  await using source = await startScriptedRegistry();
  await using destination = await startScriptedRegistry({ sparse: true });
  const child = seedImage(source, 'a', 'one');
  const index = { schemaVersion: 2, mediaType: INDEX, manifests: [child] };
  const root = source.putManifest('a', index, '1');
  destination.putManifest('a', index, tagged ? '1' : undefined);
  const one = await project({
    sync: [{ source: `${source.host}/a:1`, destination: `${destination.host}/a:1`, ...(always ? { always } : {}) }],
    settings: { trust: [{ match: '**', level: 'copy' }] },
  });
  const ran = await one.run('run');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(destination.manifest('a', '1')?.digest).toBe(root.digest);
  expect(destination.manifest('a', child.digest)).toBeDefined();
});
