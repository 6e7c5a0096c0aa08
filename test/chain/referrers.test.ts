/** What is attached, where the registry lists referrers by itself and where it does not. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { crane, freshPath, slipway, world } from '../world.ts';
import { project } from './project.ts';
import { source, verifies } from './shorthand.ts';

interface Shown {
  readonly image: { readonly subjects: readonly { readonly referrers: readonly { readonly type: string }[] }[] };
}

describe.each(['destination', 'referrers'] as const)('the %s registry', (which) => {
  test('has everything once, however many entries publish the same image at the same time', async () => {
    const host = world()[which]?.host ?? '';
    const path = freshPath('once');
    const from = await source('once');
    const one = await project({
      sync: ['a', 'b', 'c'].map((tag) => ({
        source: `hub.slipway.example/${from.path}:1`,
        destination: `${host}/${path}:${tag}`,
      })),
    });
    const ran = await one.run('run');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    expect(ran.answer.entries.map(({ outcome }) => outcome)).toEqual(['published', 'published', 'published']);
    const again = await one.run('run');
    expect(again.answer.tools, again.stdout).toEqual([]);
    expect((await one.run('verify', '--deep')).code).toBe(0);
    expect(await verifies(`${host}/${path}:b`, world().keys.production.publicKey)).toBe(true);
    expect((await crane('digest', `${host}/${path}:c`)).stdout.trim()).toBe(from.digest);

    const shown = await slipway(['show', `${host}/${path}:a`, '--json'], { cwd: one.folder });
    const { image } = JSON.parse(shown.stdout) as Shown;
    // Each tag is named by a copy attestation, which takes the place of the one before. Where the registry lists by itself, that stays.
    const copies = which === 'destination' ? 1 : 3;
    expect(image.subjects.map(({ referrers }) => referrers.length)).toEqual([3 + copies, 2, 2]);
  });
});

test('what a platform has lost is made again, and only that', async () => {
  const { host } = world().destination;
  const path = freshPath('lost');
  const from = await source('lost');
  const entry = { source: `hub.slipway.example/${from.path}:1`, destination: `${host}/${path}:1`, always: true };
  const one = await project({ sync: [entry] });
  expect((await one.run('run')).code).toBe(0);
  const index = JSON.parse((await crane('manifest', `${host}/${path}:1`)).stdout) as {
    readonly manifests: readonly { readonly digest: string }[];
  };
  // A clean-up that takes the list of one platform's referrers for an old tag.
  const list = `${host}/${path}:${(index.manifests[1]?.digest ?? '').replace(':', '-')}`;
  const { stdout: digest } = await crane('digest', list);
  const removed = await fetch(`http://${host}/v2/${path}/manifests/${digest.trim()}`, { method: 'DELETE' });
  expect(removed.status).toBe(202);
  // Nothing that an earlier run left counts for it, and nothing has to be written.
  await rename(join(one.folder, '.slipway'), join(one.folder, 'aside'));
  await writeFile(join(one.folder, '.slipway'), 'no folder');
  const lacking = await one.run('verify', '--deep');
  expect(lacking.code).toBe(1);
  expect(lacking.answer.entries[0]?.missing).toEqual(['linux/arm64: sbom', 'linux/arm64: scan']);
  await rm(join(one.folder, '.slipway'));

  const repaired = await one.run('run');
  expect(repaired.code, repaired.stdout + repaired.stderr).toBe(0);
  expect((await one.run('verify', '--deep')).code).toBe(0);
  const shown = await slipway(['show', `${host}/${path}:1`, '--json'], { cwd: one.folder });
  const { image } = JSON.parse(shown.stdout) as Shown;
  expect(image.subjects.map(({ referrers }) => referrers.length)).toEqual([4, 2, 2]);
});
