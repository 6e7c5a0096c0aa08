/** What is public when not all went well, and how it is put back. */
import { expect, test } from 'vitest';
import { seedImage, startScriptedRegistry } from '../../core/src/testing/index.ts';
import { project } from '../chain/project.ts';

const COPY = { trust: [{ match: '**', level: 'copy' }] };

test('a tag that was moved before another could not be is told as published, and can be put back', async () => {
  await using source = await startScriptedRegistry();
  await using destination = await startScriptedRegistry();
  const image = seedImage(source, 'a', 'new', { tag: '1' });
  const old = seedImage(destination, 'a', 'old', { tag: '1' });
  seedImage(destination, 'a', 'old', { tag: 'latest' });
  destination.onRequest = ({ method, path }) =>
    method === 'PUT' && path.endsWith('/manifests/1') ? { kind: 'answer', status: 403 } : undefined;
  const one = await project({
    sync: [{ source: `${source.host}/a:1`, destination: `${destination.host}/a:1`, tags: ['latest'] }],
    settings: COPY,
  });
  const ran = await one.run('run');
  expect(ran.code).toBe(1);
  expect(ran.row('a:1')).toMatchObject({ outcome: 'failed', before: old.digest });
  expect(ran.row('a:latest')).toMatchObject({ outcome: 'published', before: old.digest, digest: image.digest });
  expect(ran.row('a:latest').failure).toBeUndefined();
  expect(destination.manifest('a', 'latest')?.digest).toBe(image.digest);
  destination.onRequest = undefined;
  const [journal = []] = await one.journals();
  const run = journal.find((event) => event.type === 'run.start')?.run ?? '';
  const back = await one.run('rollback', run, '--unverified');
  expect(back.code, back.stdout + back.stderr).toBe(0);
  expect(destination.manifest('a', 'latest')?.digest).toBe(old.digest);
});

test('together, no tag moves when the tags of a selection cannot be listed', async () => {
  await using source = await startScriptedRegistry();
  await using destination = await startScriptedRegistry();
  seedImage(source, 'a', 'new', { tag: '1' });
  source.onRequest = ({ path }) => (path.startsWith('/v2/b/') ? { kind: 'answer', status: 403 } : undefined);
  const one = await project({
    sync: [
      { source: `${source.host}/a:1`, destination: `${destination.host}/a:1` },
      { source: `${source.host}/b`, destination: `${destination.host}/b:{tag}`, select: { regex: '.*' } },
    ],
    settings: { ...COPY, publish: 'together' },
  });
  const ran = await one.run('run');
  expect(ran.code).toBe(1);
  expect(ran.row('a:1')).toMatchObject({ outcome: 'skipped', failure: { reason: 'need' } });
  expect(destination.manifest('a', '1')).toBeUndefined();
});
