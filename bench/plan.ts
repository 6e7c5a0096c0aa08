/** How long planning takes: `sh tools/node.sh bench/plan.ts`. Prints milliseconds for 1,000 and 10,000 sync entries. */
import { findCycle, order, planGraph } from '../core/src/plan/graph.ts';
import { checkOrder } from '../core/src/plan/rules.ts';
import { planned, sync } from '../core/src/plan/sample.ts';

function timed<T>(what: string, work: () => T): T {
  const started = performance.now();
  const result = work();
  console.log(`  ${what.padEnd(12)} ${(performance.now() - started).toFixed(0).padStart(6)} ms`);
  return result;
}

for (const size of [1_000, 10_000]) {
  const entries = Array.from({ length: size }, (_, n) =>
    sync(`upstream.example/team${n % 50}/image${n}:1`, `mirror.example/image${n}:1`),
  );
  const started = performance.now();
  const { plan } = await planned(entries);
  const took = performance.now() - started;
  console.log(`${size} entries, ${plan.tasks.length} tasks`);
  console.log(`  ${'createPlan'.padEnd(12)} ${took.toFixed(0).padStart(6)} ms`);
  timed('checkOrder', () => checkOrder(plan));
  const graph = timed('planGraph', () => planGraph(plan));
  timed('findCycle', () => findCycle(graph));
  timed('order', () => order(plan));
}
