/** What is attached, where the registry lists referrers by itself and where it does not. */
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
    expect(image.subjects.map(({ referrers }) => referrers.length)).toEqual([4, 2, 2]);
  });
});
