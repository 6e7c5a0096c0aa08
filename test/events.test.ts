/**
 * The published schema of events against what really happens: a build, a sync, a refusal, failures, a registry that has to be asked
 * again and one that warns, an interruption, a rollback, a deletion. It knows all of it, nothing else, and no kind that does not happen.
 */
import { describe, expect, test } from 'vitest';
import type { Event } from '@slipway/core';
import { eventsSchema } from '../cli/src/schemas/events.ts';
import { complaintsAbout } from '../cli/testing.ts';
import { HELLO, project, type Project, type Ran } from './chain/project.ts';
import { image, leakyImage, source } from './chain/shorthand.ts';
import { watch } from './chain/watching-proxy.ts';
import { freshPath, push, world } from './world.ts';

const kinds = (
  eventsSchema['oneOf'] as readonly { readonly properties: Record<string, { readonly const?: string }> }[]
).map(({ properties }) => properties['type']?.const);

/** What was told and what was kept, each of it as the schema says. */
async function eventsOf(made: Project, { code, stderr }: Ran): Promise<readonly Event[]> {
  const lines = stderr.split('\n').filter((line) => line.startsWith('{'));
  const told = lines.map((line) => JSON.parse(line) as Event);
  const kept = (await made.journals()).at(-1) ?? [];
  expect(
    [...told, ...kept].flatMap((event) => complaintsAbout(event).map((why) => `${why}: ${JSON.stringify(event)}`)),
  ).toEqual([]);
  expect(kept.at(-1)).toMatchObject({ type: 'run.done', exitCode: code });
  // A rollback, or prune, tells nothing but its table; how far a copy has come is told, and not kept.
  if (told.length > 0) expect(told.filter(({ type }) => type !== 'task.progress')).toEqual(kept);
  return kept;
}

/** Every object in the event that the schema closes, by its path. */
function objectsIn(value: unknown, path = ''): readonly (readonly [path: string, object: Record<string, unknown>])[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.entries(value).flatMap(([name, part]) => objectsIn(part, `${path}/${name}`));
  // Scans and outputs are as their contracts have them.
  if (Array.isArray(value) || /\/(?:scan|output)$/.test(path)) return Array.isArray(value) ? inner : [];
  return [[path, value as Record<string, unknown>], ...inner];
}

describe('the schema of events', () => {
  test('knows every event of runs that build, sync, are refused, fail, try again, are warned, are rolled back, and pruned', async () => {
    const proxy = await watch(world().destination.host);
    const path = freshPath('events');
    const to = (name: string): string => `${proxy.host}/${path}/${name}:1`;
    const [good, leaky] = [await source('events'), await source('events-leaky', leakyImage('events'))];
    const made = await project({
      build: [{ source: `./${HELLO}`, destination: to('built') }],
      sync: [
        { source: `hub.slipway.example/${good.path}:1`, destination: to('good') },
        { source: `hub.slipway.example/${leaky.path}:1`, destination: to('leaky') },
        { source: 'hub.slipway.example/test/not-there:1', destination: to('missing') },
        { source: to('missing'), destination: to('needs') },
      ],
      settings: { policy: { sync: 'refuse' } },
    });
    // So often that the request is given up, and its step is tried again.
    let refusals = 0;
    proxy.intercept(({ method, path: asked }) => {
      if (method === 'HEAD' && asked.endsWith('/built/manifests/1'))
        return { status: 404, headers: { warning: '299 - "this registry closes soon"' } };
      if (method !== 'PUT' || !asked.endsWith('/good/manifests/1') || refusals === 4) return undefined;
      refusals += 1;
      return { status: 503, headers: { 'retry-after': '0' } };
    });
    // Who only looks leaves no journal, warned or not.
    for (const command of ['verify', 'prune']) await made.run(command);
    expect(await made.journals()).toEqual([]);
    const first = await eventsOf(made, await made.run('run', '--progress', 'json'));
    expect(first.find((event) => event.type === 'run.done')?.exitCode).toBe(1);
    proxy.intercept(undefined);

    await push(image('events newer'), `${world().source.host}/${good.path}:1`);
    const second = await made.run('run', '--only', '**/good:1', '--progress', 'json');
    const again = await eventsOf(made, second);
    const back = await eventsOf(made, await made.run('rollback', (JSON.parse(second.stdout) as { run: string }).run));
    await made.change({
      sync: [{ source: `hub.slipway.example/${good.path}:1`, destination: `${to('good').slice(0, -1)}2` }],
    });
    const pruned = await eventsOf(made, await made.run('prune', '--delete', '--max', '1'));
    const all = [...first, ...again, ...back, ...pruned];
    expect(
      new Set(all.flatMap((event) => (event.type === 'entry.done' ? event.rows.map(({ outcome }) => outcome) : []))),
    ).toEqual(new Set(['published', 'refused', 'failed', 'skipped']));
    const happened = new Set<string | undefined>(all.map(({ type }) => type));
    // Nothing here takes so long that anybody is told how far it has come.
    expect(kinds.filter((kind) => !happened.has(kind))).toEqual(['task.progress']);

    for (const event of all) {
      for (const [where] of objectsIn(event)) {
        const copy = structuredClone(event);
        const [, object] = objectsIn(copy).find(([at]) => at === where) ?? [];
        if (object === undefined) throw new Error(`${where} is in no copy of ${event.type}`);
        object['unheardOf'] = 1;
        expect(complaintsAbout(copy), `${event.type}${where} may hold anything`).not.toEqual([]);
      }
      expect(complaintsAbout({ ...event, type: 'task.paused' })).not.toEqual([]);
    }
  });

  test('knows every event of a run that is interrupted', async () => {
    const proxy = await watch(world().destination.host);
    const from = await source('events-cut');
    const made = await project({
      sync: [{ source: `hub.slipway.example/${from.path}:1`, destination: `${proxy.host}/${freshPath('events')}:1` }],
    });
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    proxy.intercept(({ method, path }) => {
      if (method !== 'PUT' || !path.includes('/manifests/')) return undefined;
      resolve();
      return 'swallow';
    });
    const running = made.start('run', '--progress', 'json');
    await Promise.race([asked, running.ended]);
    running.child.kill('SIGINT');
    const events = await eventsOf(made, await running.ended);
    expect(events.some((event) => event.type === 'task.done' && event.state === 'cancelled')).toBe(true);
  });
});
