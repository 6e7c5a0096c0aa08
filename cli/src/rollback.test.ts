/** What a rollback makes of journals that are not as they were written. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { answerOf, command, outdated } from '../testing.ts';

/** Two tags that a run has moved, and its journal. */
async function moved() {
  const { cwd, seed } = await outdated();
  const { run } = JSON.parse((await command({ cwd }, 'run', '--json')).stdout) as { readonly run: string };
  const file = join(cwd, '.slipway', 'runs', `${run}.ndjson`);
  const back = async (journal: string | Buffer) => {
    writeFileSync(file, journal);
    return command({ cwd }, 'rollback', run, '--unverified', '--json');
  };
  return { journal: readFileSync(file, 'utf8'), back, seed, cwd, run };
}

const nulls = Buffer.alloc(4096);

it.each(['', nulls, '{"a":1}\n'])(
  'of a journal of which nothing is left, nothing is said to be done',
  async (nothing) => {
    const { back } = await moved();
    const ran = await back(nothing);
    expect([ran.code, answerOf(ran).failures]).toEqual([
      2,
      [expect.objectContaining({ message: expect.stringContaining('nobody knows what that run moved') })],
    ]);
  },
);

it('of a journal that lost lines it puts back what is told, and says that there may be more', async () => {
  const { journal, back } = await moved();
  const lines = journal.split('\n');
  const lost = lines.filter((line) => !/to\/b:1/.test(line) || !/"tag.move"|"entry.done"/.test(line));
  const torn = lines.map((line) => (lost.includes(line) ? line : '\0'.repeat(line.length)));
  const ran = await back(torn.join('\n'));
  expect([ran.code, answerOf(ran).entries.map(({ id }) => id)]).toEqual([0, [expect.stringMatching(/to\/a:1$/)]]);
  expect(ran.stderr).toMatch(/^warning: .* cannot be read in 2 of its lines/m);
});

it('of a journal that ends in the middle of a line nothing is missing', async () => {
  const { journal, back } = await moved();
  const ran = await back(journal.slice(0, -20));
  expect([ran.code, answerOf(ran).entries.length]).toEqual([0, 2]);
  expect(ran.stderr).not.toContain('warning');
});

it('of a tag that was moved again since it says so, and not what would help with the older image', async () => {
  const { seed, cwd, run } = await moved();
  seed('newer');
  expect((await command({ cwd }, 'run')).code).toBe(0);
  for (const unverified of [[], ['--unverified']]) {
    const ran = await command({ cwd }, 'rollback', run, '--json', ...unverified);
    expect([ran.code, answerOf(ran).entries]).toMatchObject([
      1,
      [1, 2].map(() => ({
        outcome: 'failed',
        failure: {
          message: expect.stringContaining('somebody else moved') as unknown,
          hint: expect.stringContaining('a later run of yours') as unknown,
          standing: { digest: expect.stringMatching(/^sha256:/) as unknown },
        },
      })),
    ]);
  }
});

it.each(['', '.slipway/runs/'])('takes a run by its journal too, as %sRUN.ndjson', async (folder) => {
  const { cwd, run } = await moved();
  const ran = await command({ cwd }, 'rollback', `${folder}${run}.ndjson`, '--unverified', '--json');
  expect([ran.code, answerOf(ran).entries.length]).toEqual([0, 2]);
  expect(await command({ cwd }, 'rollback', `/elsewhere/${run}.ndjson`)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('not in the folder of this config'),
  });
});
