/** A clock that jumps by a year, ahead and back, all through a run: what is published is the same, and nothing took less than no time. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { complaintsAbout } from '../cli/testing.ts';
import { HELLO, project } from './chain/project.ts';
import { digestOf, source, verifies } from './chain/shorthand.ts';
import { freshPath, world } from './world.ts';

/** Of the engine alone: its tools have the machine's clock. */
const jumping = `
  const Real = Date;
  const YEAR = 365 * 24 * 3600 * 1000;
  let asked = 0;
  const now = () => Real.now() + [0, YEAR, -YEAR][Math.floor((asked += 1) / 5) % 3];
  globalThis.Date = class Date extends Real {
    constructor(...parts) {
      if (parts.length === 0) super(now());
      else super(...parts);
    }
    static now() {
      return now();
    }
  };
`;

test('a run whose clock jumps by years ends as any other, and the next one has nothing to do', async () => {
  const { host } = world().destination;
  const [built, synced, from] = [freshPath('clock'), freshPath('clock'), await source('clock')];
  const made = await project({
    build: [{ source: `./${HELLO}`, destination: `${host}/${built}:1` }],
    sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: `${host}/${synced}:1` }],
    settings: { policy: { scan: { maxAge: '30d' } } },
    files: { 'jumping.mjs': jumping },
  });
  const env = { NODE_OPTIONS: `--import=${join(made.folder, 'jumping.mjs')}` };
  const ran = await made.runWith({ env }, 'run');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  for (const { seconds } of ran.answer.entries) expect(seconds).toBeLessThan(100);

  const [events = []] = await made.journals();
  expect(events.flatMap(complaintsAbout)).toEqual([]);
  const times = events.map(({ t }) => t);
  expect(Math.max(...times) - Math.min(...times), 'the clock has jumped').toBeGreaterThan(300 * 24 * 3600 * 1000);
  for (const event of events) if (event.type === 'task.done') expect(event.ms).toBeLessThan(100_000);

  expect(await digestOf(`${host}/${synced}:1`)).toBe(from.digest);
  for (const path of [built, synced])
    expect(await verifies(`${host}/${path}:1`, world().keys.production.publicKey)).toBe(true);
  expect((await made.run('verify', '--deep')).code).toBe(0);
  // With the right time again: a scan that was made "a year ago" is the tool's own word, and that had the right time.
  const again = await made.run('run');
  expect(again.answer.entries.map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged']);
  expect(again.answer.tools).toEqual([]);
});
