/** What a command took: wall and CPU time of it and of all it started, and the most memory that one of them held. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runAny } from '../../demo/world/processes.ts';

export interface Command {
  readonly path: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes that are no failure; 0 when absent. */
  readonly codes?: readonly number[];
}

export interface Usage {
  /** Seconds. */
  readonly wall: number;
  readonly cpu: number;
  /** The part of `cpu` that was the command's own process and none that it started. */
  readonly own: number;
  /** Bytes. */
  readonly peak: number;
}

/** By a program of its own: Node cannot tell what one of its children used. */
export async function measure(kit: string, command: Command): Promise<Usage> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  try {
    const file = join(folder, 'usage.json');
    const ended = await runAny(kit, ['measure', file, '--', command.path, ...command.args], {
      cwd: command.cwd,
      ...(command.env === undefined ? {} : { env: command.env }),
      timeout: 3_600_000,
    });
    if (!(command.codes ?? [0]).includes(ended.code)) {
      const said = `${ended.stdout.slice(-1000)}${ended.stderr.slice(-2000)}`;
      throw new Error(`${command.path} ${command.args.slice(0, 3).join(' ')} ended with ${ended.code}: ${said}`);
    }
    const used = JSON.parse(await readFile(file, 'utf8')) as Readonly<
      Record<'wall' | 'user' | 'system' | 'own' | 'peak', number>
    >;
    return { wall: used.wall, cpu: used.user + used.system, own: used.own, peak: used.peak };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The middle one of an odd number of runs; each figure by itself. */
export function median(runs: readonly Usage[]): Usage {
  const middle = (of: (run: Usage) => number): number => {
    const sorted = runs.map(of).toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  };
  return {
    wall: middle(({ wall }) => wall),
    cpu: middle(({ cpu }) => cpu),
    own: middle(({ own }) => own),
    peak: middle(({ peak }) => peak),
  };
}
