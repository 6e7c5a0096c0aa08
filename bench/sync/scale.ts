/**
 * Nothing to do at 1,000 and at 10,000 tags: what more tags cost.
 *
 *   sh tools/node.sh bench/sync/scale.ts [--delay 20] [--rounds 3] [--built]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure, median, type Usage } from '../kit/measure.ts';
import { option } from '../kit/options.ts';
import { buildSlipway } from '../kit/slipway.ts';
import { megabytes, printTable, ratio, seconds } from '../kit/table.ts';
import { toolPaths } from '../kit/tools.ts';
import { contenders } from './contenders.ts';
import { copiesOf, startPair } from './pair.ts';

const repositories = 50;

await buildSlipway();
const paths = await toolPaths(['bench-kit']);
const [ours] = contenders(paths);
const small = await figures(1_000);
const large = await figures(10_000);
printTable(
  ['tags', 'wall', 'CPU', 'memory'],
  [
    ['1,000', seconds(small.wall), seconds(small.cpu), megabytes(small.peak)],
    ['10,000', seconds(large.wall), seconds(large.cpu), megabytes(large.peak)],
    ['', ratio(large.wall, small.wall), ratio(large.cpu, small.cpu), ratio(large.peak, small.peak)],
  ],
);

async function figures(tags: number): Promise<Usage> {
  const kit = paths['bench-kit'] ?? '';
  const shape = { repositories, tags: tags / repositories, platforms: 1, layers: 1, size: 10, copied: true };
  await using pair = await startPair(kit, { ...shape, delay: option('delay', 20) });
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  try {
    const command = await ours?.prepare(folder, copiesOf(pair, { ...shape, delay: 0 }));
    if (command === undefined) throw new Error('nobody is there to be measured');
    const runs: Usage[] = [];
    for (let round = 0; round < option('rounds', 3); round += 1) runs.push(await measure(kit, command));
    return median(runs);
  } finally {
    await rm(folder, { recursive: true });
  }
}
