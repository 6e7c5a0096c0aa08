/**
 * Trivial tasks that start a process each, all of them to do: ours through the engine's own `exec`, beside ninja with as many.
 * Once without the PID namespace that Slipway gives to tools, and once with both starting the same command that makes one.
 * Then what a task of ours takes at each size: it must not grow with their number.
 *
 *   sh tools/node.sh bench/engine/start-processes.ts [--rounds 5] [--sizes 1000,10000] [--jobs 2] [--only slipway,ninja]
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pidNamespace, type PidNamespace } from '../../core/src/exec/namespace.ts';
import { bundleProgram } from '../../tools/bundle.ts';
import { measure, median, type Command, type Usage } from '../kit/measure.ts';
import { listOption, option } from '../kit/options.ts';
import { launcherFlags } from '../kit/slipway.ts';
import { megabytes, printTable, ratio, seconds } from '../kit/table.ts';
import { toolPaths } from '../kit/tools.ts';

interface Contender {
  readonly name: string;
  /** Makes everything undone again, and answers with the command that does it. */
  readonly begin: () => Promise<Command>;
}

const PROGRAM = '/bin/true';
/** That one image may take. */
const MOST_PACKAGES = 1000;

const { 'bench-kit': kit = '' } = await toolPaths(['bench-kit'], ['ninja-build']);
const only = listOption('only');
const rounds = option('rounds', 5);
const jobs = option('jobs', availableParallelism());
const [compared = 1000, ...larger] = (listOption('sizes') ?? ['1000', '10000']).map(Number);
const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
try {
  await bundleProgram(join(import.meta.dirname, 'starting.ts'), join(folder, 'dist'));
  const bare = await contest('without a PID namespace', undefined);
  const namespace = await pidNamespace({ PATH: process.env['PATH'] });
  if (namespace === undefined) console.log('\nThis machine has no PID namespaces to give.');
  else await contest('with a PID namespace', namespace);
  if (bare !== undefined) await growth(bare);
} finally {
  await rm(folder, { recursive: true });
}

/** Answers with the figures of ours, if it took part. */
async function contest(title: string, namespace: PidNamespace | undefined): Promise<Usage | undefined> {
  const all = [await slipway(compared, namespace !== undefined), await ninja(compared, namespace)];
  const contenders = all.filter(({ name }) => only?.includes(name) ?? true);
  const figures = await race(contenders);
  const ours = figures.get('slipway');
  console.log(`\n${compared} processes, ${jobs} at a time, ${title}`);
  printTable(
    ['', 'wall', 'CPU', 'of it its own', 'memory', 'ours to its wall'],
    [...figures].map(([name, { wall, cpu, own, peak }]) => [
      ...[name, seconds(wall), seconds(cpu), seconds(own), megabytes(peak)],
      ratio(ours?.wall ?? Number.NaN, wall),
    ]),
  );
  return ours;
}

/** What one task takes at the other sizes, beside what it takes at the first. */
async function growth(bare: Usage): Promise<void> {
  const rows = [{ size: compared, used: bare }];
  for (const size of larger) {
    const used = (await race([await slipway(size, false)])).get('slipway');
    if (used !== undefined) rows.push({ size, used });
  }
  const each = (cpu: number, size: number): string => `${((cpu / size) * 1000).toFixed(2)} ms`;
  console.log('\nCPU a task of ours, without a PID namespace');
  printTable(
    ['tasks', 'all', 'to the first', 'of it its own', 'memory'],
    rows.map(({ size, used: { cpu, own, peak } }) => [
      ...[String(size), each(cpu, size), ratio(cpu / size, bare.cpu / compared), each(own, size), megabytes(peak)],
    ]),
  );
}

/** In turns; the median of each. */
async function race(contenders: readonly Contender[]): Promise<ReadonlyMap<string, Usage>> {
  const used = new Map<string, Usage[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, begin } of contenders) used.get(name)?.push(await measure(kit, await begin()));
  }
  return new Map([...used].map(([name, runs]) => [name, median(runs)]));
}

/** Images that take packages of our own, as many of these as there are tasks. */
async function slipway(tasks: number, isolated: boolean): Promise<Contender> {
  const work = await mkdtemp(join(folder, 'slipway-'));
  const configs: string[] = [];
  for (let n = 0; n < tasks; n += 1) {
    // A folder each: whatever lies beside a package's config is a part of the package.
    await mkdir(join(work, 'packages', String(n)), { recursive: true });
    const config = `./packages/${n}/package.yaml`;
    await writeFile(join(work, config), `package:\n  name: package${n}\n  version: '1'\n`);
    configs.push(config);
  }
  const build = Array.from({ length: Math.ceil(tasks / MOST_PACKAGES) }, (_, n) => ({
    source: './image.bench',
    destination: `oci:./out/${n}:1`,
    melangeConfigs: configs.slice(n * MOST_PACKAGES, (n + 1) * MOST_PACKAGES),
  }));
  await writeFile(join(work, 'image.bench'), '');
  // JSON is YAML too.
  await writeFile(join(work, 'config.yaml'), JSON.stringify({ build }));
  await writeFile(join(work, 'slipway.config.yaml'), 'trust:\n  - match: "**"\n    level: copy\n');
  return {
    name: 'slipway',
    async begin() {
      for (const made of ['.slipway', 'out']) await rm(join(work, made), { recursive: true, force: true });
      const args = [...launcherFlags(), join(folder, 'dist', 'main.cjs'), work, PROGRAM, String(jobs)];
      const env = {
        NODE_OPTIONS: '',
        NODE_COMPILE_CACHE: join(folder, 'compiled'),
        SLIPWAY_PID_NAMESPACE: isolated ? '' : 'off',
      };
      return { path: process.execPath, args, cwd: work, env };
    },
  };
}

/** Each makes a file that never comes, so all are to do in every run. */
async function ninja(tasks: number, namespace: PidNamespace | undefined): Promise<Contender> {
  const work = await mkdtemp(join(folder, 'ninja-'));
  const { path, args } = namespace?.wrap(PROGRAM, []) ?? { path: PROGRAM, args: [] };
  const edges = Array.from({ length: tasks }, (_, n) => `build out/${n}: start\n`);
  await writeFile(join(work, 'build.ninja'), `rule start\n  command = ${[path, ...args].join(' ')}\n${edges.join('')}`);
  return {
    name: 'ninja',
    begin: () => Promise.resolve({ path: 'ninja', args: ['--quiet', `-j${jobs}`], cwd: work }),
  };
}
