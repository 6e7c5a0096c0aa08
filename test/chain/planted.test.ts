/** Caches in `.slipway` that came with a checkout: nothing of them decides what is found in an image. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freshPath, world } from '../world.ts';
import { project } from './project.ts';
import { source } from './shorthand.ts';

test('a vulnerability database that a checkout brings is not looked into', async () => {
  const image = await source('planted');
  const destination = `${world().destination.host}/${freshPath('planted')}:1`;
  const one = await project({ sync: [{ source: `hub.slipway.example/${image.path}:1`, destination }] });
  const store = join(one.folder, '.slipway', 'work', 'scan-trivy', 'db', '99999999999999-1');
  await mkdir(store, { recursive: true });
  await writeFile(join(store, 'metadata.json'), '{"Version":2,"NextUpdate":"2099-01-01T00:00:00Z"}');
  await writeFile(join(store, 'trivy.db'), 'nothing is vulnerable');
  const ran = await one.run('run');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(ran.answer.entries).toMatchObject([{ outcome: 'published' }]);
});
