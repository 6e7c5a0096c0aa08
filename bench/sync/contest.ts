/** One contest: every contender in turn, several rounds, on the same pair of registries. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure, median, type Usage } from '../kit/measure.ts';
import { listOption, option } from '../kit/options.ts';
import { buildSlipway } from '../kit/slipway.ts';
import { megabytes, printTable, ratio, seconds } from '../kit/table.ts';
import { toolPaths } from '../kit/tools.ts';
import { contenders, tools, type Contender } from './contenders.ts';
import { copiesOf, startPair, type Copy, type Counts, type Pair, type Shape } from './pair.ts';

export interface Contest {
  readonly shape: Shape;
  readonly rounds: number;
  /** How many of the images the slow ones copy; their figures are those of all, reckoned from these. */
  readonly sample: number;
}

type Stats = Readonly<Record<'source' | 'destination', Counts>>;

interface Run extends Usage {
  readonly stats: Stats;
}

interface Score {
  readonly contender: Contender;
  readonly runs: Run[];
  /** All images to those that were copied. */
  readonly factor: number;
}

/** Prints what each took, and how Slipway compares. `--only slipway,regsync` leaves others out, `--rounds` and `--sample` say how much. */
export async function hold(contest: Contest): Promise<void> {
  await buildSlipway();
  const paths = await toolPaths(tools, ['skopeo']);
  const only = listOption('only');
  const rounds = option('rounds', contest.rounds);
  const sample = option('sample', contest.sample);
  const kit = paths['bench-kit'] ?? '';
  await using pair = await startPair(kit, contest.shape);
  const all = copiesOf(pair, contest.shape);
  const runners = contenders(paths).filter(({ name }) => only?.includes(name) ?? true);
  const scores: Score[] = [];
  for (const contender of runners) {
    const copied = contender.slow ? Math.min(sample, all.length) : all.length;
    scores.push({ contender, runs: [], factor: all.length / copied });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { contender, runs, factor } of scores) {
      // Once tells enough of what takes minutes.
      if (contender.slow && round > 0) continue;
      const run = await once(kit, contender, pair, all.slice(0, all.length / factor));
      runs.push(run);
      console.error(`${label(contender)}: ${seconds(run.wall)}`);
    }
  }
  print(scores);
}

async function once(kit: string, contender: Contender, pair: Pair, copies: readonly Copy[]): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  try {
    const command = await contender.prepare(folder, copies);
    await pair.reset();
    const usage = await measure(kit, command);
    return { ...usage, stats: await pair.stats() };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function label({ name, width }: Contender): string {
  return width === 'wide' ? `${name} (wide)` : name;
}

/** Figures of the slow ones are marked: they are those of a part, times as many as are left out. */
function print(scores: readonly Score[]): void {
  const figures = scores.map(({ contender, runs, factor }) => {
    const { wall, cpu, peak } = median(runs);
    return { contender, factor, wall: wall * factor, cpu: cpu * factor, peak, stats: runs.at(-1)?.stats };
  });
  const best = (width: Contender['width']) =>
    figures.find(({ contender }) => contender.name === 'slipway' && contender.width === width);
  const rows = figures.map(({ contender, factor, wall, cpu, peak, stats }) => {
    const ours = best(contender.width) ?? { wall: Number.NaN, cpu: Number.NaN };
    const about = factor === 1 ? '' : '~';
    const of = (kinds: (kind: string) => boolean): string => `${about}${Math.round(sum(stats, kinds) * factor)}`;
    return [
      label(contender),
      `${about}${seconds(wall)}`,
      `${about}${seconds(cpu)}`,
      megabytes(peak),
      of((kind) => kind !== 'connection'),
      of((kind) => kind === 'token' || kind === '401' || kind === 'ping'),
      of((kind) => kind === 'connection'),
      ratio(ours.wall, wall),
      ratio(ours.cpu, cpu),
    ];
  });
  printTable(['', 'wall', 'CPU', 'memory', 'requests', 'for access', 'connections', 'ours to its wall', 'CPU'], rows);
  for (const { contender, stats } of figures) console.log(`${label(contender)}: ${kindsOf(stats)}`);
}

function sum(stats: Stats | undefined, kinds: (kind: string) => boolean): number {
  const counts = [stats?.source ?? {}, stats?.destination ?? {}].flatMap((side) => Object.entries(side));
  return counts.reduce((all, [kind, n]) => all + (kinds(kind) ? n : 0), 0);
}

function kindsOf(stats: Stats | undefined): string {
  const side = (counts: Counts = {}): string =>
    Object.entries(counts)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, n]) => `${n} ${kind}`)
      .join(', ');
  return `source ${side(stats?.source)}; destination ${side(stats?.destination)}`;
}
