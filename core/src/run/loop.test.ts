import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cancelled, type Failure } from '../failure.ts';
import type { TaskState } from '../journal/events.ts';
import type { Task, TaskContract } from '../plan/model.ts';
import { runLoop, type LoopOptions, type TaskEnd } from './loop.ts';
import { entryByEntry, longestWay, type Precedence } from './precedence.ts';

const broken: Failure = { reason: 'tool', class: 'permanent', tool: 'x', message: 'it broke' };

interface Ran {
  /** Tasks in the order in which they started. */
  readonly started: readonly string[];
  readonly ended: ReadonlyMap<string, TaskState>;
  readonly announced: ReadonlySet<string>;
  readonly entries: readonly string[];
  readonly mostAtOnce: number;
}

interface World {
  readonly tasks: readonly Task[];
  /** Entries whose goal is reached, by their probe. */
  readonly done?: ReadonlySet<string>;
  readonly failing?: ReadonlySet<string>;
  /** Entry → what its chain works on. */
  readonly subjects?: Readonly<Record<string, string>>;
  readonly fail?: LoopOptions['fail'];
  readonly limit?: number;
  readonly comesBefore?: Precedence;
  readonly onStart?: (task: string, stop: () => void) => void;
}

async function run({
  tasks,
  done = new Set(),
  failing = new Set(),
  subjects = {},
  fail = 'subgraph',
  limit = 4,
  comesBefore = longestWay,
  onStart,
}: World): Promise<Ran> {
  const controller = new AbortController();
  const started: string[] = [];
  const ended = new Map<string, TaskState>();
  const announced = new Set(tasks.filter(({ contract }) => contract === 'core.probe@1').map(({ id }) => id));
  const entries: string[] = [];
  let running = 0;
  let mostAtOnce = 0;
  await runLoop({
    tasks,
    fail,
    signal: controller.signal,
    abort: () => controller.abort(),
    hooks: {
      resource: () => ({ name: 'all', limit, comesBefore }),
      weight: () => 1,
      async execute(task): Promise<TaskEnd> {
        started.push(task.id);
        running += 1;
        mostAtOnce = Math.max(mostAtOnce, running);
        onStart?.(task.id, () => controller.abort());
        await Promise.resolve();
        running -= 1;
        if (controller.signal.aborted) return { state: 'cancelled', failure: cancelled };
        if (failing.has(task.id)) return { state: 'failed', failure: broken };
        const subject = subjects[task.entry ?? ''];
        const about = subject === undefined ? {} : { subject };
        return { state: 'ok', output: task.id, goal: done.has(task.entry ?? ''), why: '', ...about };
      },
      announced: (_entry, _why, woken) => {
        for (const { id } of woken) {
          expect(announced.has(id), `${id} is announced once`).toBe(false);
          announced.add(id);
        }
      },
      ended: ({ task, end }) => {
        expect(ended.has(task.id), `${task.id} ends once`).toBe(false);
        ended.set(task.id, end.state);
      },
      entryEnded: (entry) => entries.push(entry),
    },
  });
  return { started, ended, announced, entries, mostAtOnce };
}

/** An entry of a probe and a chain; `after` are entries whose last task its probe needs. */
function entry(id: string, after: readonly string[] = [], packages: readonly string[] = []): readonly Task[] {
  const task = (step: string, contract: TaskContract, needs: readonly string[]): Task => ({
    id: `${id}#${step}`,
    contract,
    entry: id,
    input: null,
    needs,
  });
  return [
    task(
      'probe',
      'core.probe@1',
      after.map((other) => `${other}#tag`),
    ),
    task('build', 'image.build@1/x', [`${id}#probe`, ...packages]),
    task('scan', 'image.scan@1', [`${id}#build`]),
    task('tag', 'core.tag@1', [`${id}#scan`]),
  ];
}

const pack = (id: string, needs: readonly string[] = []): Task => ({
  id,
  contract: 'package.build@1',
  entry: null,
  input: null,
  needs,
});

describe('the loop', () => {
  it('runs a chain in the order of its needs', async () => {
    const { started } = await run({ tasks: entry('a') });
    expect(started).toEqual(['a#probe', 'a#build', 'a#scan', 'a#tag']);
  });

  it('runs only the probe when the goal is reached, and gives its output to who needs the entry', async () => {
    const { started, announced } = await run({ tasks: [...entry('a'), ...entry('b', ['a'])], done: new Set(['a']) });
    expect(started).toEqual(['a#probe', 'b#probe', 'b#build', 'b#scan', 'b#tag']);
    expect(announced.has('a#tag')).toBe(false);
  });

  it('builds a shared package once, and not at all when nobody needs it', async () => {
    const tasks = [pack('lib'), pack('app', ['lib']), ...entry('a', [], ['app']), ...entry('b', [], ['app'])];
    const both = await run({ tasks });
    expect(both.started.filter((id) => id === 'app')).toHaveLength(1);
    expect(both.started.indexOf('lib')).toBeLessThan(both.started.indexOf('app'));
    const neither = await run({ tasks, done: new Set(['a', 'b']) });
    expect(neither.started).toEqual(['a#probe', 'b#probe']);
  });

  it('skips what needs a failed task, and runs the rest', async () => {
    const tasks = [...entry('a'), ...entry('b', ['a']), ...entry('c')];
    const { ended, announced, entries } = await run({ tasks, failing: new Set(['a#build']) });
    expect(ended.get('a#build')).toBe('failed');
    expect(ended.get('a#tag')).toBe('skipped');
    expect(ended.get('b#probe')).toBe('skipped');
    expect(announced.has('b#build')).toBe(false);
    expect(ended.get('c#tag')).toBe('ok');
    expect(entries.toSorted()).toEqual(['a', 'b', 'c']);
  });

  it('does not skip an entry that turns out not to need the package that failed', async () => {
    const tasks = [pack('lib'), ...entry('a', [], ['lib']), ...entry('c'), ...entry('b', ['c'], ['lib'])];
    const { ended, entries } = await run({ tasks, done: new Set(['b']), failing: new Set(['lib']) });
    expect(ended.get('a#build')).toBe('skipped');
    expect(ended.get('b#probe')).toBe('ok');
    expect(entries.toSorted()).toEqual(['a', 'b', 'c']);
  });

  it('skips a chain whose package had failed before its probe ended', async () => {
    const tasks = [pack('lib'), ...entry('a', [], ['lib']), ...entry('c'), ...entry('b', ['c'], ['lib'])];
    const { ended, entries } = await run({ tasks, failing: new Set(['lib']) });
    expect(ended.get('b#build')).toBe('skipped');
    expect(ended.get('b#tag')).toBe('skipped');
    expect(entries.toSorted()).toEqual(['a', 'b', 'c']);
  });

  it('starts nothing new after a failure with fail: fast', async () => {
    const { started } = await run({
      tasks: [...entry('a'), ...entry('b')],
      failing: new Set(['a#probe']),
      fail: 'fast',
      limit: 1,
    });
    expect(started).toEqual(['a#probe']);
  });

  it('runs chains about one subject one after the other, also when one fails, and others beside them', async () => {
    const tasks = ['a', 'b', 'c', 'd'].flatMap((id) => entry(id));
    const { started, ended } = await run({
      tasks,
      subjects: { a: 'x', b: 'x', c: 'x' },
      failing: new Set(['a#scan']),
    });
    // A tag is not what the turn is about.
    const chains = started.filter((id) => /^[abc]#(?:build|scan)$/.test(id));
    expect(chains).toEqual(['a', 'b', 'c'].flatMap((id) => [`${id}#build`, `${id}#scan`]));
    expect(started.indexOf('d#build')).toBeLessThan(started.indexOf('b#build'));
    expect(ended.get('c#tag')).toBe('ok');
  });

  it('ends when a task throws, and stops the others: a bug must not leave the caller waiting', async () => {
    const stopped: string[] = [];
    const bug = runLoop({
      tasks: [...entry('a'), ...entry('b')],
      fail: 'subgraph',
      signal: new AbortController().signal,
      abort: () => stopped.push('all'),
      hooks: {
        resource: () => ({ name: 'all', limit: 1, comesBefore: longestWay }),
        weight: () => 1,
        execute: () => Promise.reject(new Error('a bug')),
        announced: () => {},
        ended: () => {},
        entryEnded: () => {},
      },
    });
    await expect(bug).rejects.toThrow('a bug');
    expect(stopped).toContain('all');
  });

  it('starts what has the longest way first, of all that become ready together', async () => {
    const names = ['short', 'long', 'middle'];
    const started: string[] = [];
    await runLoop({
      tasks: names.flatMap((id) => entry(id)),
      fail: 'subgraph',
      signal: new AbortController().signal,
      abort: () => {},
      hooks: {
        resource: () => ({ name: 'all', limit: 1, comesBefore: longestWay }),
        weight: ({ id }) => ({ short: 1, middle: 5, long: 9 })[id.split('#')[0] ?? ''] ?? 0,
        execute: ({ id }) => (started.push(id), Promise.resolve({ state: 'ok', output: undefined, goal: true })),
        announced: () => {},
        ended: () => {},
        entryEnded: () => {},
      },
    });
    expect(started).toEqual(['long#probe', 'middle#probe', 'short#probe']);
  });

  it('finishes what it has begun before it begins more, where a registry does all of it', async () => {
    const tasks = ['a', 'b', 'c'].flatMap((id) => entry(id));
    const steps = ['build', 'scan', 'tag'];
    const { started } = await run({ tasks, limit: 1, comesBefore: entryByEntry });
    expect(started).toEqual([
      ...['a', 'b', 'c'].map((id) => `${id}#probe`),
      ...['a', 'b', 'c'].flatMap((id) => steps.map((step) => `${id}#${step}`)),
    ]);
    const { started: others } = await run({ tasks, limit: 1 });
    expect(others.slice(0, 6).toSorted()).toEqual(['a', 'b', 'c'].flatMap((id) => [`${id}#build`, `${id}#probe`]));
  });

  it('never runs more at once than the resource allows', async () => {
    const tasks = Array.from({ length: 20 }, (_, n) => entry(`e${n}`)).flat();
    expect((await run({ tasks, limit: 3 })).mostAtOnce).toBe(3);
  });

  it('ends every announced task exactly once, in an order that respects the needs, whatever happens', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const world = fc.record({
      after: fc.array(fc.array(fc.nat(4), { maxLength: 2 }), { minLength: 6, maxLength: 6 }),
      packages: fc.array(fc.subarray(['p0', 'p1', 'p2']), { minLength: 6, maxLength: 6 }),
      done: fc.subarray(names),
      subjects: fc.dictionary(fc.constantFrom(...names), fc.constantFrom('x', 'y')),
      failing: fc.array(
        fc.constantFrom(
          ...names.flatMap((name) => [`${name}#probe`, `${name}#build`, `${name}#tag`]),
          'p0',
          'p1',
          'p2',
        ),
        { maxLength: 4 },
      ),
      fail: fc.constantFrom('subgraph' as const, 'fast' as const, 'now' as const),
      stopAt: fc.option(fc.nat(12), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(world, async ({ after, packages, done, subjects, failing, fail, stopAt }) => {
        const tasks = [
          pack('p0'),
          pack('p1', ['p0']),
          pack('p2', ['p0', 'p1']),
          ...names.flatMap((name, n) =>
            entry(
              name,
              [...new Set((after[n] ?? []).filter((other) => other < n))].map((other) => names[other] ?? ''),
              packages[n],
            ),
          ),
        ];
        const needs = new Map(tasks.map((task) => [task.id, task.needs]));
        let count = 0;
        const ran = await run({
          tasks,
          done: new Set(done),
          failing: new Set(failing),
          subjects,
          fail,
          onStart: (_task, stop) => (count++ === stopAt ? stop() : undefined),
        });
        expect([...ran.ended.keys()].toSorted()).toEqual([...ran.announced].toSorted());
        expect(ran.entries.toSorted()).toEqual(names);
        for (const [position, id] of ran.started.entries()) {
          for (const need of needs.get(id) ?? []) {
            const at = ran.started.indexOf(need);
            if (at >= 0) expect(at).toBeLessThan(position);
            expect(ran.ended.get(need) ?? 'ok').toBe('ok');
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  it('costs the same for each task of a long plan', async () => {
    const tasks = Array.from({ length: 2_000 }, (_, n) => entry(`e${n}`)).flat();
    const { ended } = await run({ tasks, limit: 16 });
    expect(ended.size).toBe(8_000);
  });
});
