/** Tags that were moved are put back: by a run's journal or by the attestations, only to what is there and verifies. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { crane, freshPath, push, slipway, world } from '../world.ts';
import { project, type Project } from './project.ts';
import { digestOf, image, source, verifies } from './shorthand.ts';

interface Moved {
  readonly project: Project;
  /** `host/path:1`, and another tag in the same repository. */
  readonly tag: string;
  readonly also: string;
  readonly old: string;
  readonly new: string;
  readonly run: string;
}

/** A tag that was published, and moved by a second run. `first` may be an image that Slipway has never seen. */
async function moved(label: string, options: { readonly foreign?: boolean } = {}): Promise<Moved> {
  const { host } = world().destination;
  const path = freshPath(label);
  const [tag, also] = [`${host}/${path}:1`, `${host}/${path}:stable`];
  const from = await source(label);
  const made = await project({
    sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: tag, tags: ['stable'] }],
  });
  let old: string;
  if (options.foreign === true) {
    old = await push(image(`${label} by hand`), tag);
    await crane('tag', tag, 'stable');
  } else {
    const first = await made.run('run');
    expect(first.code, first.stdout).toBe(0);
    old = from.digest;
    await push(image(`${label} newer`), `${world().source.host}/${from.path}:1`);
  }
  const second = await made.run('run');
  expect(second.code, second.stdout).toBe(0);
  const now = await digestOf(tag);
  expect(now).not.toBe(old);
  return { project: made, tag, also, old, new: now ?? '', run: (JSON.parse(second.stdout) as { run: string }).run };
}

test('a run by its journal: every tag it moved is back, verified, recorded, and once more changes nothing', async () => {
  const { project: made, tag, also, old, new: now, run } = await moved('rollback');
  const ran = await made.run('rollback', run);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(ran.answer.entries).toMatchObject([
    { destination: tag, outcome: 'published', before: now, digest: old, signed: true },
    { destination: also, outcome: 'published', before: now, digest: old, signed: true },
  ]);
  expect([await digestOf(tag), await digestOf(also)]).toEqual([old, old]);
  expect(await verifies(tag, world().keys.production.publicKey)).toBe(true);
  expect(ran.stderr).toContain('the next run moves these tags forward again');
  const journal = (await made.journals()).at(-1);
  expect(journal?.[0]).toMatchObject({ type: 'run.start', command: 'rollback' });
  expect(journal?.at(-1)).toMatchObject({ type: 'run.done', exitCode: 0 });
  const again = await made.run('rollback', run);
  expect(again.answer.entries.map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged']);
});

test('a tag by its attestations, on a machine without the journal; a tag that somebody else moved is left alone', async () => {
  const { tag, also, old, new: now, run, project: made } = await moved('attested');
  const elsewhere = await project({});
  // Without a record no tag moves.
  const runs = join(elsewhere.folder, '.slipway', 'runs');
  await mkdir(dirname(runs));
  await writeFile(runs, '');
  const unrecorded = await elsewhere.run('rollback', tag);
  expect([unrecorded.code, unrecorded.stderr]).toEqual([2, expect.stringContaining('.slipway/runs')]);
  expect(await digestOf(tag)).toBe(now);
  await rm(runs);
  const ran = await elsewhere.run('rollback', tag);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(await digestOf(tag)).toBe(old);
  expect(await digestOf(also)).not.toBe(old);
  const other = await push(image('somebody else'), also);
  const late = await made.run('rollback', run);
  expect(late.code).toBe(1);
  expect(late.row(':stable')).toMatchObject({
    outcome: 'failed',
    failure: { message: expect.stringContaining('somebody else moved') },
  });
  expect(await digestOf(also)).toBe(other);
  const said = await slipway(['rollback', run, '--progress', 'quiet'], { cwd: made.folder });
  expect([said.code, said.stdout]).toEqual([1, expect.stringMatching(/somebody else moved[\s\S]*→/)]);
});

test('an image that does not verify only with --unverified, which the journal keeps', async () => {
  const { project: made, tag, old, new: now, run } = await moved('foreign', { foreign: true });
  const refused = await made.run('rollback', run);
  expect(refused.code).toBe(1);
  expect(refused.row(':1')).toMatchObject({
    outcome: 'failed',
    failure: { message: expect.stringContaining('does not verify') },
  });
  expect(await digestOf(tag)).toBe(now);
  const forced = await made.run('rollback', run, '--unverified');
  expect(forced.code, forced.stdout).toBe(0);
  expect(forced.row(':1')).toMatchObject({
    outcome: 'published',
    signed: false,
    why: expect.stringContaining('unverified: it lacks signature'),
  });
  expect(await digestOf(tag)).toBe(old);
  expect(JSON.stringify((await made.journals()).at(-1))).toContain('unverified: it lacks signature');
});

test('what cannot be put back is said: no such run, a digest, an image that is gone, nothing known', async () => {
  const { host } = world().destination;
  const { project: made, old, tag, run } = await moved('gone');
  await crane('delete', `${tag.slice(0, tag.lastIndexOf(':'))}@${old}`);
  const gone = await made.run('rollback', run);
  expect([gone.code, gone.row(':1').failure?.hint]).toEqual([
    1,
    'the older image was removed: nothing can be put back',
  ]);
  expect((await made.run('rollback', '20200101-000000-abcdef')).code).toBe(2);
  expect((await made.run('rollback', `${host}/x@${old}`)).code).toBe(2);
  const unknown = await made.run('rollback', `${host}/${(await source('unknown')).path}:1`);
  expect(unknown.code).toBe(1);
});
