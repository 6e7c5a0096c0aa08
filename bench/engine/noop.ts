/**
 * Nothing to do, the engine alone: reads a config, plans, asks answers that are always right, writes the journal. Beside it
 * build tools with as many tasks that are done already. A task of ours is one of the plan, as `slipway plan` shows them: an image that
 * is only copied has four. A second row has as many images as the others have tasks, and so four times as many tasks.
 *
 *   sh tools/node.sh bench/engine/noop.ts [--rounds 5] [--sizes 1000,10000,100000] [--only slipway,make] [--all]
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleProgram } from '../../tools/bundle.ts';
import { measure, median, type Command, type Usage } from '../kit/measure.ts';
import { listOption, option } from '../kit/options.ts';
import { launcherFlags } from '../kit/slipway.ts';
import { megabytes, printTable, ratio, seconds } from '../kit/table.ts';
import { toolPaths } from '../kit/tools.ts';
import { builders, type Builder } from './builders.ts';
import { workspaces } from './workspaces.ts';

/** What takes minutes at more tasks than this is left out, unless `--all` asks for everything. */
const MOST: Readonly<Record<string, number>> = {
  ...{ make: 10_000, 'make -n': 10_000, 'go-task': 10_000 },
  // What is measured is quick, but to do everything once takes nx minutes.
  ...{ turbo: 10_000, 'turbo --dry-run': 10_000, nx: 1000 },
};

const paths = await toolPaths(['bench-kit', 'task'], ['make', 'ninja-build']);
const only = listOption('only');
const all = process.argv.includes('--all');
const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
/** Of an image that is only copied: probe, resolve, copy, tag. */
const TASKS_AN_ENTRY = 4;
const slipway: readonly Builder[] = [
  { name: 'slipway', prepare: (work, tasks) => prepareSlipway(work, tasks / TASKS_AN_ENTRY) },
  { name: 'slipway (an image a task)', prepare: prepareSlipway },
];
try {
  await bundleProgram(join(import.meta.dirname, 'alone.ts'), join(folder, 'dist'));
  for (const size of (listOption('sizes') ?? ['1000', '10000', '100000']).map(Number)) {
    const runners = [...slipway, ...builders(paths), ...workspaces].filter(
      ({ name }) => (only?.includes(name) ?? true) && (all || size <= (MOST[name] ?? Number.POSITIVE_INFINITY)),
    );
    await contest(size, runners);
  }
} finally {
  await rm(folder, { recursive: true });
}

async function contest(size: number, runners: readonly Builder[]): Promise<void> {
  const runs = new Map<string, { readonly command: Command; readonly used: Usage[] }>();
  for (const { name, prepare } of runners) {
    const work = await mkdtemp(join(folder, 'work-'));
    const command = await prepare(work, size);
    // Once to do what there is to do.
    await measure(paths['bench-kit'] ?? '', command);
    runs.set(name, { command, used: [] });
  }
  for (let round = 0; round < option('rounds', 5); round += 1) {
    for (const { command, used } of runs.values()) used.push(await measure(paths['bench-kit'] ?? '', command));
  }
  const figures = [...runs].map(([name, { used }]) => ({ name, ...median(used) }));
  const ours = figures.find(({ name }) => name === 'slipway');
  console.log(`\n${size} tasks, nothing to do`);
  printTable(
    ['', 'wall', 'CPU', 'memory', 'ours to its wall'],
    figures.map(({ name, wall, cpu, peak }) => [
      ...[name, seconds(wall), seconds(cpu), megabytes(peak)],
      ratio(ours?.wall ?? Number.NaN, wall),
    ]),
  );
}

async function prepareSlipway(work: string, images: number): Promise<Command> {
  const entries = Array.from(
    { length: images },
    (_, n) => `  - source: a.example/x/${n % 50}:${n}\n    destination: b.example/x/${n % 50}:${n}\n`,
  );
  await writeFile(join(work, 'config.yaml'), `sync:\n${entries.join('')}`);
  await writeFile(join(work, 'slipway.config.yaml'), 'trust:\n  - match: "**"\n    level: copy\n');
  return {
    path: process.execPath,
    args: [...launcherFlags(), join(folder, 'dist', 'main.cjs'), work],
    cwd: work,
    // As the command itself has it.
    env: { NODE_OPTIONS: '', NODE_COMPILE_CACHE: join(folder, 'compiled') },
  };
}
