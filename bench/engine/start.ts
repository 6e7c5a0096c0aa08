/**
 * How long it takes to start: `slipway --version`, and `slipway plan` of a config of 30 entries, against `node -e 0`.
 *
 *   sh tools/node.sh bench/engine/start.ts [--rounds 15] [--config FILE] [--built]
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { measure, median, type Command, type Usage } from '../kit/measure.ts';
import { option, textOption } from '../kit/options.ts';
import { buildSlipway, slipway } from '../kit/slipway.ts';
import { printTable, ratio } from '../kit/table.ts';
import { toolPaths } from '../kit/tools.ts';

await buildSlipway();
const { 'bench-kit': kit = '' } = await toolPaths(['bench-kit']);
const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
try {
  const config = textOption('config') ?? (await sample(folder));
  const at = dirname(resolve(config));
  const commands: readonly (readonly [string, Command])[] = [
    ['node -e 0', { path: process.execPath, args: ['-e', '0'], cwd: at, env: { NODE_OPTIONS: '' } }],
    ['slipway --version', slipway(at, '--version')],
    ['slipway plan', slipway(at, 'plan', '--config', resolve(config))],
  ];
  const runs = new Map<string, Usage[]>(commands.map(([name]) => [name, []]));
  for (const [, command] of commands) await measure(kit, command);
  for (let round = 0; round < option('rounds', 15); round += 1) {
    for (const [name, command] of commands) runs.get(name)?.push(await measure(kit, command));
  }
  const figures = [...runs].map(([name, each]) => ({ name, ...median(each) }));
  const [bare] = figures;
  const milliseconds = (value: number): string => `${(value * 1000).toFixed(0)} ms`;
  printTable(
    ['', 'wall', 'CPU', 'to node'],
    figures.map(({ name, wall, cpu }) => [
      ...[name, milliseconds(wall), milliseconds(cpu)],
      ratio(wall, bare?.wall ?? Number.NaN),
    ]),
  );
} finally {
  await rm(folder, { recursive: true });
}

/** 25 images to sync, and 5 to build. */
async function sample(root: string): Promise<string> {
  const sync = Array.from(
    { length: 25 },
    (_, n) => `  - source: docker.io/library/image${n}:1.${n}\n    destination: ghcr.io/example/image${n}:1.${n}\n`,
  );
  const build = Array.from(
    { length: 5 },
    (_, n) => `  - source: ./images/built${n}/image.yaml\n    destination: ghcr.io/example/built${n}:latest\n`,
  );
  for (let n = 0; n < 5; n += 1) {
    const image = join(root, 'images', `built${n}`);
    await mkdir(image, { recursive: true });
    await writeFile(join(image, 'image.yaml'), 'contents:\n  packages:\n    - busybox\narchs:\n  - amd64\n');
  }
  const file = join(root, 'config.yaml');
  await writeFile(file, `sync:\n${sync.join('')}build:\n${build.join('')}`);
  return file;
}
