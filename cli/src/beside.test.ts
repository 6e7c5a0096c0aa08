/** What happens beside a run that is under way: to its folder for state, and by other commands. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { answerOf, command, outdated } from '../testing.ts';

/** The run waits, or does what it is told, before the first tag moves. */
async function publishing(beforeTag: (cwd: string) => void | Promise<void>) {
  const { registry, cwd } = await outdated();
  const named = () =>
    ['to/a', 'to/b'].map(
      (name) => registry.manifest(name, '1')?.digest === registry.manifest(name.slice(3), '1')?.digest,
    );
  registry.onRequest = async ({ method, path }) => {
    if (method === 'PUT' && /manifests\/sha256/.test(path)) await beforeTag(cwd);
    return undefined;
  };
  const free = () => void (registry.onRequest = undefined);
  return { cwd, named, run: () => command({ cwd }, 'run', '--json'), free };
}

it('a run whose folder for state is removed moves no tag that nobody could put back, and the next one does', async () => {
  const { named, run, free } = await publishing((cwd) =>
    rmSync(join(cwd, '.slipway'), { recursive: true, force: true }),
  );
  const ran = await run();
  expect([ran.code, named()]).toEqual([2, [false, false]]);
  const failure = {
    message: expect.stringContaining('.slipway beside the config cannot be used (ENOENT') as unknown,
    hint: expect.stringContaining('run it again') as unknown,
  };
  expect(answerOf(ran).entries).toMatchObject([{ failure }, { failure }]);
  free();
  expect([(await run()).code, named()]).toEqual([0, [true, true]]);
});

it('a run that is at work is not rolled back: it would move the rest of its tags afterwards', async () => {
  const reached = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const { cwd, named, run } = await publishing(async () => {
    reached.resolve();
    await goOn.promise;
  });
  const running = run();
  await reached.promise;
  const [journal = ''] = readdirSync(join(cwd, '.slipway', 'runs'))
    .toSorted()
    .toReversed();
  const back = () => command({ cwd }, 'rollback', journal, '--unverified', '--json');
  const beside = await back();
  expect([beside.code, answerOf(beside).failures]).toEqual([
    2,
    [expect.objectContaining({ message: expect.stringContaining('is still at work') })],
  ]);
  goOn.resolve();
  expect([(await running).code, named()]).toEqual([0, [true, true]]);
  expect([(await back()).code, named()]).toEqual([0, [false, false]]);
});
