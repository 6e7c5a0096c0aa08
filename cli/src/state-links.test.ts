/** A checkout may bring links in place of the folders in which runs keep, and sweep, their own files. */
import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { command, folderWith } from '../testing.ts';

// Nobody listens there.
const CONFIG = 'sync:\n  - source: 127.0.0.1:1/a:1\n    destination: 127.0.0.1:1/b:1\n';
const TRUST = "trust: [{ match: '**', level: copy }]";

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true }).map(String).toSorted();
}

test.each(['.slipway', '.slipway/tmp', '.slipway/uploads', '.slipway/work', '.slipway/runs'])(
  '%s as a link: nothing is removed where it leads',
  async (link) => {
    const cwd = folderWith({ 'config.yaml': CONFIG, 'slipway.config.yaml': TRUST });
    const theirs = folderWith({});
    for (const folder of [theirs, join(theirs, 'tmp'), join(theirs, 'uploads')]) {
      mkdirSync(join(folder, 'nobody'), { recursive: true });
      writeFileSync(join(folder, 'nobody', 'file'), 'precious');
      writeFileSync(join(folder, 'old'), 'precious');
      utimesSync(join(folder, 'old'), 1, 1);
    }
    mkdirSync(join(cwd, dirname(link)), { recursive: true });
    symlinkSync(theirs, join(cwd, link));
    const before = filesBelow(theirs);
    const ran = await command({ cwd }, 'run', '--json');
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining(`${link} is a symbolic link`) });
    expect(filesBelow(theirs)).toEqual(before);
    // Whoever only looks does so without it.
    expect((await command({ cwd }, 'doctor', '--json')).stdout).toContain('"what":"the folder .slipway"');
    expect(filesBelow(theirs)).toEqual(before);
  },
  60_000,
);
