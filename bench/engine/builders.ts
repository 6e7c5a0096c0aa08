/** The same number of tasks for the peers: each makes one small file from another, and all are done. */
import { writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from '../kit/measure.ts';
import type { Paths } from '../kit/tools.ts';

export interface Builder {
  readonly name: string;
  /** Writes what is to be built into `folder`; the command builds it, or finds that it is done. */
  prepare(folder: string, tasks: number): Promise<Command>;
}

export function builders(paths: Paths): readonly Builder[] {
  return [make(['-j2'], 'make'), make(['-n'], 'make -n'), ninja, task(paths['task'] ?? 'task')];
}

function make(flags: readonly string[], name: string): Builder {
  return {
    name,
    async prepare(folder, tasks) {
      const rules = numbers(tasks).map((n) => `out/${n}: in/${n}\n\tcp $< $@\n`);
      const all = `all: ${numbers(tasks)
        .map((n) => `out/${n}`)
        .join(' ')}\n`;
      await writeSources(folder, tasks);
      await writeFile(join(folder, 'Makefile'), all + rules.join(''));
      return { path: 'make', args: [...flags], cwd: folder };
    },
  };
}

const ninja: Builder = {
  name: 'ninja',
  async prepare(folder, tasks) {
    const edges = numbers(tasks).map((n) => `build out/${n}: cp in/${n}\n`);
    await writeSources(folder, tasks);
    await writeFile(join(folder, 'build.ninja'), `rule cp\n  command = cp $in $out\n${edges.join('')}`);
    return { path: 'ninja', args: [], cwd: folder };
  },
};

/** https://taskfile.dev/docs/guide#by-fingerprinting-locally-generated-files-and-their-sources */
function task(path: string): Builder {
  return {
    name: 'go-task',
    async prepare(folder, tasks) {
      const each = numbers(tasks).map((n): [string, object] => [
        `t${n}`,
        { sources: [`in/${n}`], generates: [`out/${n}`], cmds: [`cp in/${n} out/${n}`] },
      ]);
      const all = { deps: numbers(tasks).map((n) => `t${n}`) };
      await writeSources(folder, tasks);
      const file = { version: '3', silent: true, tasks: Object.fromEntries([['default', all], ...each]) };
      // JSON is YAML too.
      await writeFile(join(folder, 'Taskfile.yml'), JSON.stringify(file));
      return { path, args: ['--silent'], cwd: folder };
    },
  };
}

async function writeSources(folder: string, tasks: number): Promise<void> {
  for (const part of ['in', 'out']) await mkdir(join(folder, part));
  // One after the other: so many at once are more than may be open.
  for (const n of numbers(tasks)) writeFileSync(join(folder, 'in', String(n)), `${n}\n`);
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => n);
}
