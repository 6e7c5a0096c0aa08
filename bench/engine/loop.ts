/**
 * The loop alone, with tasks that do nothing, against a bare p-queue with as many: what the engine adds to each task.
 *
 *   sh tools/node.sh bench/engine/loop.ts [--tasks 100000] [--rounds 5]
 */
import PQueue from 'p-queue';
import type { Task } from '../../core/src/plan/model.ts';
import { runLoop, type TaskEnd } from '../../core/src/run/loop.ts';
import { entryByEntry } from '../../core/src/run/precedence.ts';
import { option } from '../kit/options.ts';
import { printTable, ratio } from '../kit/table.ts';

const count = option('tasks', 100_000);
const rounds = option('rounds', 5);
const tasks = Array.from({ length: count }, (_, n): Task => {
  const entry = `sync:host.example/image:${n}`;
  return { id: `${entry}#probe`, contract: 'core.probe@1', entry, input: {}, needs: [] };
});

async function bare(): Promise<void> {
  const queue = new PQueue({ concurrency: 128 });
  for (let n = 0; n < count; n += 1) void queue.add(async () => undefined);
  await queue.onIdle();
}

async function loop(): Promise<void> {
  const done: TaskEnd = { state: 'ok', output: undefined, goal: true };
  await runLoop({
    tasks,
    fail: 'subgraph',
    signal: new AbortController().signal,
    abort: () => {},
    hooks: {
      resource: () => ({ name: 'host', limit: 128, comesBefore: entryByEntry }),
      weight: () => 1,
      execute: () => Promise.resolve(done),
      announced: () => {},
      ended: () => {},
      entryEnded: () => {},
    },
  });
}

const took = { bare: [] as number[], loop: [] as number[] };
for (let round = 0; round < rounds; round += 1) {
  for (const [name, work] of [
    ['bare', bare],
    ['loop', loop],
  ] as const) {
    const started = performance.now();
    await work();
    took[name].push(performance.now() - started);
  }
}
const middle = (all: readonly number[]): number =>
  all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
const each = (all: readonly number[]): string => `${((middle(all) / count) * 1000).toFixed(2)} µs`;
printTable(
  [`${count} tasks`, 'a task', 'to p-queue'],
  [
    ['p-queue', each(took.bare), ''],
    ['loop', each(took.loop), ratio(middle(took.loop), middle(took.bare))],
  ],
);
