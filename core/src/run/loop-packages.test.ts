/** When the loop makes packages: only for an image that is built. */
import { describe, expect, it } from 'vitest';
import type { Task, TaskContract } from '../plan/model.ts';
import { runLoop, type TaskEnd } from './loop.ts';
import { longestWay } from './precedence.ts';

type Probe = 'goal' | 'reuse' | 'build';

/** Two packages, of which one needs the other, and images that take both. */
function planOf(images: readonly string[]): readonly Task[] {
  const task = (id: string, contract: TaskContract, entry: string | null, needs: readonly string[]): Task => ({
    id,
    contract,
    entry,
    input: null,
    needs,
  });
  return [
    task('lib', 'package.build@1', null, []),
    task('app', 'package.build@1', null, ['lib']),
    ...images.flatMap((image) => [
      task(`${image}#probe`, 'core.probe@1', image, []),
      task(`${image}#build`, 'image.build@1/apko', image, ['app', 'lib', `${image}#probe`]),
      task(`${image}#tag`, 'core.tag@1', image, [`${image}#build`]),
    ]),
  ];
}

/** How each task that was announced ended, in the order in which they ended, and whose fault it was. */
async function run(
  probes: Readonly<Record<string, Probe>>,
  broken: readonly string[] = [],
  slow: readonly string[] = [],
): Promise<readonly string[]> {
  const ended: string[] = [];
  const packages = Promise.withResolvers<void>();
  await runLoop({
    tasks: planOf(Object.keys(probes)),
    fail: 'subgraph',
    signal: new AbortController().signal,
    abort: () => {},
    hooks: {
      resource: ({ id }) => ({ name: slow.includes(id) ? 'another' : 'one', limit: 1, comesBefore: longestWay }),
      weight: () => 1,
      async execute({ id, entry, contract }): Promise<TaskEnd> {
        if (slow.includes(id)) await packages.promise;
        if (broken.includes(id))
          return { state: 'failed', failure: { reason: 'config', class: 'permanent', message: id } };
        const probe = contract === 'core.probe@1' ? probes[entry ?? ''] : undefined;
        return { state: 'ok', output: {}, goal: probe === 'goal', reuse: probe === 'reuse' };
      },
      announced: () => {},
      ended({ task, end }) {
        const need = end.state === 'skipped' && end.failure.reason === 'need' ? ` for ${end.failure.need}` : '';
        ended.push(`${task.id} ${end.state}${need}`);
        if (task.id === 'app') packages.resolve();
      },
      entryEnded: () => {},
    },
  });
  return ended;
}

describe('packages', () => {
  it('are made once for all images that are built', async () => {
    const ended = await run({ a: 'build', b: 'build', c: 'build' });
    expect(ended.filter((line) => /^(lib|app) /.test(line))).toEqual(['lib ok', 'app ok']);
    expect(ended.filter((line) => line.endsWith('#tag ok'))).toHaveLength(3);
  });

  it('are not made for an image that is done', async () => {
    expect(await run({ a: 'goal' })).toEqual(['a#probe ok']);
  });

  it('are not made for an image that is only scanned or tagged again', async () => {
    expect(await run({ a: 'reuse' })).toEqual(['a#probe ok', 'a#build ok', 'a#tag ok']);
  });

  it.each<[Probe, Probe]>([
    ['reuse', 'build'],
    ['build', 'reuse'],
  ])('that fail stop only what is built from them (%s, %s)', async (a, b) => {
    const ended = await run({ a, b }, ['lib']);
    const [built, reused] = a === 'build' ? ['a', 'b'] : ['b', 'a'];
    expect(ended).toContain(`${built}#tag skipped for lib`);
    expect(ended).toContain(`${reused}#tag ok`);
    expect(ended).toHaveLength(8);
  });

  it('that fail are named by every image, also by one that asks for them later', async () => {
    const ended = await run({ a: 'build', b: 'build' }, ['lib'], ['b#probe']);
    const lost = ended.filter((line) => line.includes('skipped'));
    expect(ended.indexOf('b#probe ok')).toBeGreaterThan(ended.indexOf('a#tag skipped for lib'));
    expect(lost.toSorted()).toEqual(
      ['a#build', 'a#tag', 'app', 'b#build', 'b#tag'].map((task) => `${task} skipped for lib`),
    );
  });
});
