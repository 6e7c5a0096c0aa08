/** What apko does to those who only start it, and does not do here. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freshPath, root, world } from '../world.ts';
import { HELLO, project } from './project.ts';

test('an https package repository that cannot be reached fails at once, by its name: apko would look for its keys for minutes', async () => {
  const path = freshPath('unreachable');
  const source = await readFile(join(root, HELLO), 'utf8');
  const one = await project({
    build: [{ source: HELLO, destination: `${world().destination.host}/${path}:1` }],
    // Port 9 of loopback: nobody listens.
    files: { [HELLO]: source.replace(/- http:\S+main/, '- https://127.0.0.1:9/v3.20/main') },
    settings: { limits: { tries: 1 } },
  });
  const started = performance.now();
  const ran = await one.run('run');
  expect(ran.code, ran.stdout).toBe(1);
  const row = ran.row(`${path}:1`);
  expect(row).toMatchObject({ outcome: 'failed', failure: { reason: 'registry', side: 'source' } });
  expect(row.failure?.message).toContain('127.0.0.1:9');
  expect(ran.answer.tools).toEqual([]);
  expect(performance.now() - started).toBeLessThan(60_000);
});
