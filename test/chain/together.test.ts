/** Several entries and several runs at once: who fails, who goes on, and that nothing is lost. */
import { describe, expect, test } from 'vitest';
import { crane, freshPath, push, world } from '../world.ts';
import { HELLO, project } from './project.ts';
import { digestOf, image, leakyImage, source, verifies } from './shorthand.ts';
import { watch } from './watching-proxy.ts';

test('two runs of one config at once both end well, and everything is there', async () => {
  const { host } = world().destination;
  const [synced, built, from] = [freshPath('two'), freshPath('two'), await source('two')];
  const entries = {
    sync: [
      { source: `hub.slipway.example/${from.path}:1`, destination: `${host}/${synced}:1` },
      { source: `hub.slipway.example/${from.path}:1`, destination: `${host}/${synced}:also` },
    ],
    build: [{ source: `./${HELLO}`, destination: `${host}/${built}:1` }],
  };
  // One in the same folder, one on another machine.
  const [here, elsewhere] = [await project(entries), await project(entries)];
  const runs = await Promise.all([here.run('run'), here.run('run'), elsewhere.run('run')]);
  for (const ran of runs) expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  const repaired = await here.run('run');
  expect(repaired.code, repaired.stdout).toBe(0);
  expect(repaired.answer.entries.every(({ outcome }) => outcome === 'unchanged')).toBe(true);
  expect((await elsewhere.run('verify', '--deep')).code).toBe(0);
  expect((await here.run('run')).answer.tools).toEqual([]);
  expect(await digestOf(`${host}/${synced}:also`)).toBe(from.digest);
  expect(await verifies(`${host}/${built}:1`, world().keys.production.publicKey)).toBe(true);
});

describe('one entry fails', () => {
  const entries = async () => {
    const { host } = world().destination;
    const [good, refused] = [await source('good'), await source('refused', leakyImage('refused'))];
    const path = freshPath('fail');
    const to = (name: string): string => `${host}/${path}/${name}:1`;
    return {
      to,
      sync: [
        { source: 'hub.slipway.example/test/not-there:1', destination: to('missing') },
        { source: to('missing'), destination: to('needs') },
        { source: `hub.slipway.example/${good.path}:1`, destination: to('good') },
        { source: `hub.slipway.example/${refused.path}:1`, destination: to('refused') },
      ],
    };
  };

  test('--fail subgraph: what needs it is skipped, the rest goes on, and 1 goes before 3', async () => {
    const { sync, to } = await entries();
    const { run } = await project({
      sync,
      settings: {
        policy: { sync: 'refuse' },
        limits: { tries: 1 },
        mirrors: [{ source: 'hub.slipway.example', mirror: world().source.host, trusted: true }],
      },
    });
    const ran = await run('run');
    expect(
      ran.answer.entries.map(({ destination, outcome }) => [destination, outcome]),
      ran.stdout,
    ).toEqual([
      [to('missing'), 'failed'],
      [to('needs'), 'skipped'],
      [to('good'), 'published'],
      [to('refused'), 'refused'],
    ]);
    expect(ran.row('/missing:1').failure).toMatchObject({ reason: 'registry', side: 'source' });
    expect(ran.row('/needs:1').why).toContain('missing:1 failed');
    expect(ran.code).toBe(1);
    expect(await digestOf(to('good'))).toBeDefined();
    expect(await digestOf(to('refused'))).toBeUndefined();
    expect((await run('run', '--only', '**/refused:1')).code).toBe(3);
    expect((await run('run', '--only', '**/good:1')).code).toBe(0);
  });

  test.each(['fast', 'now'] as const)('--fail %s: nothing new begins', async (how) => {
    const proxy = await watch(world().destination.host);
    const path = freshPath('fail');
    const [slow, next] = [await source('slow'), await source('next')];
    const { run, journals } = await project({
      sync: [
        { source: `hub.slipway.example/${slow.path}:1`, destination: `${proxy.host}/${path}/slow:1` },
        { source: `hub.slipway.example/${next.path}:1`, destination: `${proxy.host}/${path}/broken:1` },
      ],
      settings: { limits: { tries: 1 } },
    });
    const { promise: failed, resolve: release } = Promise.withResolvers<void>();
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    let held = false;
    proxy.intercept(async (seen) => {
      if (seen.path.includes('/broken/blobs/') && seen.method !== 'GET' && seen.method !== 'HEAD') {
        release();
        return { status: 403, body: '{"errors":[{"code":"DENIED"}]}' };
      }
      // The other entry's copy is under way when this one fails. More of its requests would take all places that this one has.
      if (!held && seen.path.includes('/slow/blobs/uploads/')) {
        held = true;
        await (how === 'fast' ? failed : ended);
      }
      return undefined;
    });
    const ran = await run('run', '--fail', how);
    end();
    expect(ran.code, ran.stdout).toBe(1);
    expect(ran.row('/broken:1').outcome).toBe('failed');
    expect(ran.row('/slow:1').outcome).toBe('cancelled');
    expect(await digestOf(`${world().destination.host}/${path}/slow:1`)).toBeUndefined();
    const [events = []] = await journals();
    const copied = events.find((event) => event.type === 'task.done' && event.task.endsWith('/slow:1#copy'));
    // `fast` lets end what runs, `now` does not.
    expect(copied).toMatchObject({ state: how === 'fast' ? 'ok' : 'cancelled' });
    const again = await run('run', '--only', '**/slow:1');
    expect(again.row('/slow:1').outcome).toBe('published');
  });
});

test('a tag that moved on at the source is followed; one that is pinned is not', async () => {
  const { destination, source: hub } = world();
  const [path, from] = [freshPath('moved'), await source('moved')];
  const one = await project({
    sync: [
      { source: `hub.slipway.example/${from.path}:1`, destination: `${destination.host}/${path}:tag` },
      {
        source: `hub.slipway.example/${from.path}:1@${from.digest}`,
        destination: `${destination.host}/${path}:pinned`,
      },
    ],
  });
  expect((await one.run('run')).code).toBe(0);
  const newer = await push(image('newer'), `${hub.host}/${from.path}:1`);
  const ran = await one.run('run');
  expect(ran.code, ran.stdout).toBe(0);
  expect(ran.row(':tag')).toMatchObject({ outcome: 'published', before: from.digest, digest: newer });
  expect(ran.row(':pinned')).toMatchObject({ outcome: 'unchanged', digest: from.digest });
  expect(await verifies(`${destination.host}/${path}@${newer}`, world().keys.production.publicKey)).toBe(true);
  expect((await crane('validate', '--remote', `${destination.host}/${path}:tag`)).code).toBe(0);
});

test('two checkouts at two paths make one digest', async () => {
  const { host } = world().destination;
  const digests = await Promise.all(
    [freshPath('one'), freshPath('two')].map(async (path) => {
      const { run } = await project({ build: [{ source: `./${HELLO}`, destination: `${host}/${path}:1` }] });
      return (await run('run')).row(`${path}:1`).digest;
    }),
  );
  expect(digests[0]).toMatch(/^sha256:/);
  expect(digests[1]).toBe(digests[0]);
});
