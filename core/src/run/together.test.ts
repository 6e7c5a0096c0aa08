/** `publish: together`: plans as they are made, run through the loop with steps that succeed or fail as told. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../config/model.ts';
import type { Failure } from '../failure.ts';
import type { TaskState } from '../journal/events.ts';
import { findCycle, planGraph } from '../plan/graph.ts';
import type { Plan } from '../plan/model.ts';
import { checkOrder } from '../plan/rules.ts';
import { build, planned, settings, sync } from '../plan/sample.ts';
import { runLoop } from './loop.ts';
import { longestWay } from './precedence.ts';

const broken: Failure = { reason: 'tool', class: 'permanent', tool: 'x', message: 'it broke' };
const together = { ...settings([{ match: '**/mirror*', level: 'copy' }]), publish: 'together' as const };
const files = { Dockerfile: 'FROM r.example/base:1', 'base/Dockerfile': 'FROM scratch' };

/** A build on a build, retags of it in its repository and elsewhere, a sync, a mirror. */
const entries: readonly Entry[] = [
  build('base/Dockerfile', 'r.example/base:1'),
  build('Dockerfile', 'r.example/app:1'),
  sync('r.example/app:1', 'r.example/app:stable'),
  sync('r.example/app:stable', 'r.example/far:1'),
  sync('alpine', 'r.example/alpine:1'),
  sync('alpine', 'r.example/mirror:1'),
];

async function plan(unsigned = false): Promise<Plan> {
  return (await planned(entries, files, { settings: together, unsigned })).plan;
}

/** What became of each announced task. All chains work on one subject, so that they also have to take turns. */
async function run(
  { tasks }: Plan,
  told: {
    readonly failing?: ReadonlySet<string>;
    readonly done?: ReadonlySet<string>;
    readonly onStart?: (id: string) => void;
  },
): Promise<ReadonlyMap<string, TaskState>> {
  const ended = new Map<string, TaskState>();
  await runLoop({
    tasks,
    fail: 'subgraph',
    signal: new AbortController().signal,
    abort: () => {},
    hooks: {
      resource: () => ({ name: 'all', limit: 3, comesBefore: longestWay }),
      weight: () => 1,
      async execute(task) {
        told.onStart?.(task.id);
        await Promise.resolve();
        if (told.failing?.has(task.id) === true) return { state: 'failed', failure: broken };
        return {
          state: 'ok',
          output: task.id,
          goal: told.done?.has(task.entry ?? '') ?? false,
          why: '',
          subject: 'one',
        };
      },
      announced: () => {},
      ended: ({ task, end }) => void ended.set(task.id, end.state),
      entryEnded: () => {},
    },
  });
  return ended;
}

function tags(ended: ReadonlyMap<string, TaskState>): readonly (TaskState | undefined)[] {
  return entries.map(({ id }) => ended.get(`${id}#tag`));
}

describe('publish: together', () => {
  it('orders every tag after every image, without a cycle, in the order of the rules', async () => {
    for (const unsigned of [false, true]) {
      const made = await plan(unsigned);
      expect(findCycle(planGraph(made))).toBeUndefined();
      expect(checkOrder(made)).toEqual([]);
      const started: string[] = [];
      const ended = await run(made, { onStart: (id) => started.push(id) });
      expect([...ended.values()].every((state) => state === 'ok')).toBe(true);
      expect(started.slice(-entries.length).every((id) => id.endsWith('#tag'))).toBe(true);
      expect(started.at(-entries.length - 1)).toBe('together');
    }
  });

  it('takes as many edges as entries', async () => {
    const made = await plan();
    const edges = made.tasks.flatMap(({ id, needs }) =>
      needs.filter((need) => id === 'together' || need === 'together'),
    );
    expect(edges).toHaveLength(2 * entries.length);
  });

  it('moves no tag when one task before them fails, whichever, and whatever is done already', async () => {
    const made = await plan();
    const before = made.tasks.filter(({ contract }) => !/^core\.(tag|together)@1$/.test(contract));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...before), fc.subarray(entries.map(({ id }) => id)), async (failing, done) => {
        const ended = await run(made, { failing: new Set([failing.id]), done: new Set(done) });
        // What is done starts no further task, so nothing of it can fail but the probe.
        const fails = ended.get(failing.id) === 'failed';
        expect(tags(ended)).toEqual(
          entries.map(({ id }) => {
            const announced = ended.has(`${id}#tag`);
            return announced ? (fails ? 'skipped' : 'ok') : undefined;
          }),
        );
      }),
    );
  });
});
