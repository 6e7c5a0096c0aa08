/** What a command writes into a checkout goes to no file that a link of the checkout leads to. */
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sampleRun } from '../../core/src/report/page/sample.ts';
import { command, folderWith } from '../testing.ts';

const CONFIG = 'sync:\n  - source: docker.io/library/alpine:3\n    destination: r.example/b:1\n';

test.each([
  ['report', 'report/index.html', ['report', 'run.ndjson']],
  ['emit', '.github/workflows/sync.yml', ['emit', 'github']],
])('%s replaces a link in place of a file of its own', async (_, link, args) => {
  const journal = sampleRun({ images: 1 }).map((event) => `${JSON.stringify(event)}\n`);
  const cwd = folderWith({ 'config.yaml': CONFIG, 'run.ndjson': journal.join('') });
  const theirs = folderWith({ precious: 'precious' });
  mkdirSync(join(cwd, link, '..'), { recursive: true });
  for (const target of ['precious', 'not-there']) {
    symlinkSync(join(theirs, target), join(cwd, link));
    expect(await command({ cwd }, ...args)).toMatchObject({ code: 0 });
    expect(lstatSync(join(cwd, link)).isFile()).toBe(true);
    expect(readFileSync(join(theirs, 'precious'), 'utf8')).toBe('precious');
    expect(existsSync(join(theirs, 'not-there'))).toBe(false);
    rmSync(join(cwd, link));
  }
});
